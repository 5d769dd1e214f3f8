//! Every folder of `lower/` is a document and what it comes to. `UPDATE_EXPECT=1` rewrites the latter.

#![allow(missing_docs, reason = "a test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use wireloom_topology::{Lowered, load_and_lower, variables::Variables};

fn lower(path: &Path) -> Lowered {
    load_and_lower(&[path.to_owned()], &Variables::none()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn written(lowered: &Lowered) -> String {
    let mut value = json!({
        "desired": lowered.desired,
        "nodes": lowered.nodes,
        "commands": lowered.commands,
        "checks": lowered.checks,
        "segments": lowered.segments,
        "warnings": lowered.warnings,
    });
    // Few documents say anything of it.
    if !lowered.insides.is_empty() {
        value["insides"] = json!(lowered.insides);
    }
    serde_json::to_string_pretty(&value).expect("plain values") + "\n"
}

fn folders(of: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(of);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn documents_come_to_what_is_expected() {
    let mut wrong = Vec::new();
    for folder in folders("tests/lower") {
        let state = folder.join("state.json");
        let now = written(&lower(&folder.join("document.yaml")));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&state, now).unwrap();
        } else if fs::read_to_string(&state).unwrap_or_default() != now {
            wrong.push(folder);
        }
    }
    assert!(wrong.is_empty(), "differ (UPDATE_EXPECT=1 rewrites): {wrong:?}");
}

#[test]
fn every_example_loads() {
    for path in folders("../../examples") {
        let lowered = lower(&path);
        assert!(!lowered.checks.is_empty(), "{}: an example shows that it works", path.display());
        assert_eq!(lowered.owner.as_str(), path.file_stem().unwrap().to_str().unwrap());
        assert!(lowered.warnings.is_empty());
    }
}
