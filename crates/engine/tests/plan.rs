//! Plans as data: each folder under `tests/plan/` is a test. It holds what is (`current.yaml`) and what is wanted
//! (`desired.yaml`), and either `plan.yaml` with the way there and `undo.yaml` with the way back, or `conflicts.yaml`,
//! the list of reasons why there is no way. `UPDATE_EXPECT=1` writes the last three anew; the diff is for reviewers.
//! Deliberately touches no kernel: whether the steps work is for the tests named netns_*.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use wireloom_engine::{State, Step, plan, undo};

#[test]
fn every_fixture_has_the_plan_that_was_reviewed() {
    let folders = folders();
    assert!(folders.len() >= 25, "only {} fixtures were found", folders.len());
    let wrong: Vec<String> = folders.iter().filter_map(|folder| check(folder).err()).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n\n{}", wrong.len(), folders.len(), wrong.join("\n\n"));
}

#[test]
fn a_state_that_is_reached_needs_no_steps() {
    for folder in folders().into_iter().filter(|folder| folder.join("plan.yaml").exists()) {
        let desired = read(&folder, "desired.yaml");
        // What a desired state leaves out is not asked for, so a kernel that has exactly this needs nothing.
        let steps = plan(&desired, &desired).map(|plan| plan.steps);
        assert_eq!(steps, Ok(Vec::new()), "{}", folder.display());
    }
}

fn folders() -> Vec<PathBuf> {
    let all = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan")).unwrap();
    let mut folders: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path, file: &str) -> State {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(folder: &Path) -> Result<(), String> {
    let outcomes = match plan(&read(folder, "desired.yaml"), &read(folder, "current.yaml")) {
        Err(conflicts) => {
            let words: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
            [("conflicts.yaml", Some(yaml(&words))), ("plan.yaml", None), ("undo.yaml", None)]
        }
        Ok(plan) => {
            let way_back = undo(&plan.steps);
            let there = format!("{}{}", in_words(&plan.steps), yaml(&plan));
            let back = format!("{}{}", in_words(&way_back), yaml(&way_back));
            [("conflicts.yaml", None), ("plan.yaml", Some(there)), ("undo.yaml", Some(back))]
        }
    };
    let compared = outcomes.map(|(file, found)| compare(&folder.join(file), found.as_deref()));
    compared.into_iter().collect()
}

/// What `wireloom plan` shows, as comments: a reviewer reads these first.
fn in_words(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("# {step}\n")).collect()
}

fn yaml<T: Serialize>(value: &T) -> String {
    serde_saphyr::to_string(value).unwrap()
}

/// The file must say what was found, and must be absent where nothing was.
fn compare(path: &Path, found: Option<&str>) -> Result<(), String> {
    let expected = fs::read_to_string(path).ok();
    if expected.as_deref() == found {
        return Ok(());
    }
    if env::var_os("UPDATE_EXPECT").is_some() {
        match found {
            Some(found) => fs::write(path, found).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        return Ok(());
    }
    let absent = "(no such file)";
    Err(format!(
        "{}\n--- expected\n{}\n--- found\n{}",
        path.display(),
        expected.as_deref().unwrap_or(absent),
        found.unwrap_or(absent)
    ))
}
