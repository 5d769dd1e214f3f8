//! The units for systemd: right as systemd sees it, and naming verbs and options that there are.

use std::{fs, path::Path};

use wireloom_testkit::{sh, wireloom_run};

fn units() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/systemd");
    let unit = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("a text"))
    };
    fs::read_dir(folder).expect("a folder").map(|entry| unit(entry.expect("an entry").path())).collect()
}

#[test]
fn systemd_finds_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    // It looks for the programs, and ours is not installed.
    for (name, text) in units() {
        let path = folder.path().join(name.replace("@.", "@lab."));
        fs::write(path, text.replace("/usr/bin/wireloom", "/bin/true")).unwrap();
    }
    let said = sh(&format!("cd {}; systemd-analyze --man=no verify ./*.service 2>&1", folder.path().display()));
    assert_eq!((said.as_str(), units().len()), ("", 2));
}

#[test]
fn every_verb_and_option_that_they_name_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("lab.yaml");
    for (name, text) in units() {
        let lines = text.lines().filter_map(|line| line.split_once("/usr/bin/wireloom ")).map(|(_, words)| words);
        for words in lines {
            let words = words.split(';').next().unwrap();
            let words = words.replace("/etc/wireloom/%i.yaml", &document.display().to_string());
            // There is no such document: that is another complaint than one about the words.
            let run = wireloom_run(words.split_whitespace());
            assert_eq!(run.status, 65, "{name}: {words}: {run:?}");
        }
    }
}
