//! What the binary says without touching the kernel: usage, documents, schema, colours, closed pipes, rights.

mod common;

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use common::{Folder, TRIANGLE};
use serde_json::json;
use wireloom_testkit::{run, sh, wireloom, wireloom_run};

const WRONG: &str = "name: lab\nnodes: {a: {}, b: {}}\nlinks:\n  - {endpoints: [\"a:x\", \"b:x\"], mtuu: 9000}\n";

#[test]
fn wrong_usage_is_64_and_says_so_on_stderr() {
    for args in [&["fly"][..], &[], &["up", "--no-such-option"], &["-o", "yaml", "ls"], &["exec", "r1"]] {
        let run = wireloom_run(args);
        assert_eq!(run.status, 64, "{args:?}: {run:?}");
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for args in [&["--help"][..], &["up", "--help"], &["help"], &["help", "exec"], &["--version"]] {
        let run = wireloom_run(args).ok();
        assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    }
    let text = wireloom_run(["help", "up"]).ok().stdout;
    assert!(text.find("--keep-partial").unwrap() < text.find("--output").unwrap(), "{text}");
    assert!(text.contains("Examples:\n  wireloom up lab.yaml\n"), "{text}");
}

#[test]
fn a_folder_without_a_document_is_wrong_usage() {
    let run = Folder::with(&[]).wireloom("validate");
    assert_eq!(run.status, 64);
    assert!(run.stderr.contains("put wireloom.yaml into this folder"), "{run:?}");
}

#[test]
fn the_document_of_the_folder_is_taken_in_order() {
    let named = |name: &str| TRIANGLE.replace("name: triangle", &format!("name: {name}"));
    let folder = Folder::with(&[("compose.yaml", &named("second")), ("docker-compose.yml", &named("third"))]);
    let topology = |folder: &Folder| folder.wireloom("validate -o json").ok().json()["topology"].clone();
    assert_eq!(topology(&folder), "second");
    folder.write("wireloom.yml", &named("first"));
    assert_eq!(topology(&folder), "first");
}

#[test]
fn a_valid_document_is_counted() {
    let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
    assert_eq!(folder.wireloom("validate triangle.yaml").ok().stdout, "triangle.yaml: fine (3 nodes, 3 links)\n");
    let expected = json!({"valid": true, "topology": "triangle", "documents": ["triangle.yaml"], "nodes": 3, "links": 3,
        "warnings": []});
    assert_eq!(folder.wireloom("validate triangle.yaml -o json").ok().json(), expected);
}

#[test]
fn mistakes_have_their_place_for_people_and_for_programs() {
    let folder = Folder::with(&[("lab.yaml", WRONG)]);
    let run = folder.wireloom("validate lab.yaml");
    assert_eq!((run.status, run.stdout.as_str()), (65, ""));
    assert!(run.stderr.starts_with("lab.yaml:4:33: "), "{run:?}");
    let run = folder.wireloom("validate lab.yaml -o json");
    let answer = run.json();
    assert_eq!((run.status, &answer["valid"]), (65, &json!(false)));
    let mistake = &answer["mistakes"][0];
    assert_eq!((&mistake["file"], &mistake["line"], &mistake["column"]), (&json!("lab.yaml"), &json!(4), &json!(33)));
    assert!(mistake["help"].as_str().unwrap().contains("mtu"), "{mistake}");
}

#[test]
fn other_verbs_refuse_a_wrong_document_as_json_too() {
    let folder = Folder::with(&[("lab.yaml", WRONG)]);
    for verb in ["up", "plan", "status", "check"] {
        let run = folder.argv(&[verb, "lab.yaml", "-o", "json"]);
        assert_eq!(run.status, 65, "{run:?}");
        let error = &run.json()["error"];
        assert_eq!((&error["exit_code"], &error["mistakes"][0]["line"]), (&json!(65), &json!(4)), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_bad_data_and_named() {
    let run = Folder::with(&[]).wireloom("validate nowhere.yaml");
    assert_eq!(run.status, 65);
    assert!(run.stderr.starts_with("nowhere.yaml: "), "{run:?}");
}

#[test]
fn the_schema_is_json_in_either_format() {
    let text = wireloom_run(["schema"]).ok();
    assert!(text.json()["properties"]["links"].is_object(), "{}", text.stdout);
    assert_eq!(wireloom_run(["schema", "-o", "json"]).ok().stdout, text.stdout);
}

#[test]
fn colours_are_for_terminals_or_for_who_asks() {
    let folder = Folder::with(&[("lab.yaml", WRONG), ("fine.yaml", TRIANGLE)]);
    assert!(!folder.wireloom("validate lab.yaml").stderr.contains('\x1b'));
    assert!(folder.wireloom("validate lab.yaml --color always").stderr.contains('\x1b'));
    assert!(folder.wireloom("--color always validate fine.yaml").stdout.contains("\x1b[32mfine\x1b[0m"));
    assert!(!folder.wireloom("validate lab.yaml --color never").stderr.contains('\x1b'));
}

/// `script` gives the binary a terminal.
#[test]
fn no_color_keeps_a_terminal_plain() {
    let folder = Folder::with(&[("fine.yaml", TRIANGLE)]);
    let binary = wireloom().get_program().to_string_lossy().into_owned();
    let on_terminal = |environment: &str| {
        let file = folder.path("fine.yaml");
        sh(&format!("{environment} script -qec '{binary} validate {}' /dev/null", file.display()))
    };
    assert!(on_terminal("unset NO_COLOR;").contains("\x1b[32mfine"));
    assert!(on_terminal("NO_COLOR=1").contains(" fine ("));
}

#[test]
fn options_have_twins_in_the_environment() {
    let folder = Folder::with(&[("lab.yaml", TRIANGLE)]);
    let with = |pairs: &[(&str, &str)], args: &[&str]| {
        run(wireloom().envs(pairs.iter().copied()).current_dir(folder.path("")).args(args))
    };
    let run = with(&[("WIRELOOM_OUTPUT", "json"), ("WIRELOOM_FILE", "lab.yaml")], &["validate"]).ok();
    assert_eq!(run.json()["documents"], json!(["lab.yaml"]));
    // What is written on the command line wins.
    assert!(with(&[("WIRELOOM_OUTPUT", "json")], &["-o", "text", "validate", "lab.yaml"]).stdout.contains("fine"));
    assert!(with(&[("WIRELOOM_COLOR", "always")], &["validate", "lab.yaml"]).stdout.contains('\x1b'));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    for args in [&["schema"][..], &["schema", "-o", "json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = wireloom().args(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
        let output = output.unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
}

#[test]
fn several_files_are_merged() {
    let second = "links:\n  - {endpoints: [\"r1:eth1\", \"r2:eth1\"], mtu: 9000}\n";
    let folder = Folder::with(&[("triangle.yaml", TRIANGLE), ("fast.yaml", second)]);
    let valid = folder.wireloom("validate triangle.yaml fast.yaml").ok();
    assert_eq!(valid.stdout, "triangle.yaml, fast.yaml: fine (3 nodes, 3 links)\n");
}

#[test]
fn who_lacks_rights_is_told_which_and_why() {
    let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
    // Others must be able to read the document, and to run the binary.
    let binary = folder.path("wireloom");
    fs::copy(wireloom().get_program(), &binary).unwrap();
    sh(&format!("chmod -R a+rX {0}; chmod a+rx {0} {1}", folder.path("").display(), binary.display()));
    let nobody = |args: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "the binary under test, as another user")]
        let mut command = Command::new(&binary);
        run(command.args(args).current_dir(folder.path("")).uid(65534).gid(65534))
    };
    for verb in ["up", "plan", "status", "check", "down"] {
        let refused = nobody(&[verb, "triangle.yaml"]);
        assert_eq!(refused.status, 77, "{verb}: {refused:?}");
        assert!(refused.stderr.contains("CAP_SYS_ADMIN to make, enter"), "{verb}: {refused:?}");
    }
    assert_eq!(nobody(&["validate", "triangle.yaml"]).status, 0);
}

#[test]
fn a_graph_is_written_as_it_is_asked_for_and_needs_no_rights() {
    let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
    for (args, begins) in [
        ("graph triangle.yaml", "<svg xmlns="),
        ("graph triangle.yaml --format dot", "graph \"triangle\" {"),
        ("graph triangle.yaml --format mermaid", "flowchart TB"),
    ] {
        assert!(folder.wireloom(args).ok().stdout.starts_with(begins), "{args}");
    }
    for (file, begins) in [("a.svg", "<svg xmlns="), ("a.gv", "graph \"triangle\" {"), ("a.mmd", "flowchart TB")] {
        assert_eq!(folder.wireloom(&format!("graph triangle.yaml -w {file}")).ok().stdout, "");
        assert!(fs::read_to_string(folder.path(file)).unwrap().starts_with(begins), "{file}");
    }
    let run = folder.wireloom("graph triangle.yaml -w nowhere/a.svg");
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("write nowhere/a.svg: No such file"), "{run:?}");
    assert_eq!(folder.wireloom("graph triangle.yaml --format pdf").status, 64);
}
