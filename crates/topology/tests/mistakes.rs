//! Every `mistakes/NAME.yaml` must be refused with the text of `mistakes/NAME.txt`. `UPDATE_EXPECT=1` rewrites the
//! texts; the difference is for a person to review.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use wireloom_topology::{load_and_lower, variables::Variables};

/// What a user would read. Tests run in the folder of the crate, so that names are short and the same everywhere.
fn rendered(document: &Path) -> String {
    let variables: Variables = [("SET", "value")].into_iter().collect();
    load_and_lower(&[document.to_owned()], &variables).map_or_else(|mistakes| mistakes.render(false), |_| String::new())
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/mistakes").expect("the folder of this test");
    entries.map(|entry| entry.expect("a file of this folder").path()).collect()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    documents.sort();
    documents
}

#[test]
fn every_document_is_refused_with_its_text() {
    let update = env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for document in documents() {
        let (found, expectation) = (rendered(&document), document.with_extension("txt"));
        assert!(!found.is_empty(), "{}: nothing was wrong", document.display());
        if update {
            fs::write(&expectation, &found).unwrap();
        }
        let expected = fs::read_to_string(&expectation).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- found\n{found}", document.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_text_is_without_its_document() {
    let orphans: Vec<_> = files().into_iter().filter(|path| !path.with_extension("yaml").exists()).collect();
    assert_eq!(orphans, Vec::<PathBuf>::new());
    assert!(documents().len() >= 10);
}
