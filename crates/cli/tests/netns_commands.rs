//! Commands of the document: once, again, failing, and those that stay.

mod common;

use common::Folder;
use serde_json::{Value, json};
use wireloom_testkit::{eventually, sandbox, sh};

fn lab(commands: &str) -> String {
    format!("name: lab\nnodes: {{a: {{}}, b: {{}}}}\nlinks: [{{endpoints: [\"a:x\", \"b:x\"]}}]\ncommands:\n{commands}")
}

fn processes(folder: &Folder) -> Value {
    folder.wireloom("status lab -o json").ok().json()["processes"].clone()
}

fn is_running(pid: &Value) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[test]
fn a_command_runs_once_in_a_namespace_and_again_in_a_new_one() {
    sandbox(|| {
        let folder = Folder::with(&[]);
        let trace = folder.path("trace");
        let line = format!("  - {{node: a, command: \"ls /sys/class/net >> {}\"}}\n", trace.display());
        folder.write("lab.yaml", &lab(&line));
        let first = folder.wireloom("up lab.yaml").ok();
        assert!(first.stdout.contains("\nran on a: ls /sys/class/net"), "{first:?}");
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        assert_eq!(std::fs::read_to_string(&trace).unwrap(), "lo\nx\n");
        sh("ip netns del lab.a");
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(std::fs::read_to_string(&trace).unwrap(), "lo\nx\nlo\nx\n");
        folder.wireloom("down lab").ok();
    });
}

#[test]
fn a_failing_command_fails_up_and_keeps_the_network() {
    sandbox(|| {
        let folder = Folder::with(&[]);
        let trace = folder.path("trace");
        let lines = format!(
            "  - {{node: a, command: [touch, {0}]}}\n  - {{node: b, command: \"echo some reason >&2; exit 3\"}}\n\
             \x20 - {{node: b, command: \"rm {0}\"}}\n",
            trace.display()
        );
        folder.write("lab.yaml", &lab(&lines));
        let run = folder.wireloom("up lab.yaml -o json");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(
            run.stderr.contains("lab is up, but command `echo some reason >&2; exit 3` of node b failed"),
            "{run:?}"
        );
        assert!(run.stderr.contains("with status 3\n  some reason"), "{run:?}");
        let answer = run.json();
        assert!(answer["failed"].as_str().unwrap().contains("status 3"), "{answer}");
        let done = format!("touch {}", trace.display());
        assert_eq!(answer["commands"], json!([{"node": "a", "command": done, "supervised": false}]));
        assert!(trace.exists());
        assert_eq!(folder.wireloom("ls -o json").ok().json()["topologies"][0]["state"], "up");
        assert_eq!(folder.wireloom("plan lab").ok().stdout, "lab: nothing to do\n");
        folder.wireloom("down lab").ok();
    });
}

#[test]
fn a_supervised_command_stays_comes_back_and_ends_with_down() {
    sandbox(|| {
        let line = "  - {node: a, supervised: true, command: \"echo begun; sleep 4711 & wait\"}\n";
        let folder = Folder::with(&[("lab.yaml", &lab(line))]);
        folder.wireloom("up lab.yaml").ok();
        let before = processes(&folder);
        let pid = &before[0]["pid"];
        assert_eq!((&before[0]["node"], &before[0]["alive"]), (&json!("a"), &json!(true)));
        let log = before[0]["log"].as_str().unwrap().to_owned();
        eventually("the output is in the log", || std::fs::read_to_string(&log).is_ok_and(|text| text == "begun\n"));
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        assert_eq!(processes(&folder), before);
        sh(&format!("kill -9 -{pid}"));
        eventually("it has ended", || !is_running(pid));
        assert_eq!(processes(&folder)[0]["alive"], json!(false));
        assert!(folder.wireloom("status lab").ok().stdout.starts_with("lab: up; 1 process has ended, from "));
        let again = folder.wireloom("up lab.yaml").ok();
        assert!(again.stdout.contains("started on a: echo begun"), "{again:?}");
        let after = processes(&folder);
        assert_eq!(after.as_array().unwrap().len(), 1);
        let gone = folder.wireloom("down lab -o json").ok().json();
        assert_eq!(gone["stopped"][0]["pid"], after[0]["pid"]);
        assert_eq!(gone["holders"], json!([]));
        assert!(!is_running(&after[0]["pid"]));
    });
}

#[test]
fn a_process_that_a_killed_up_did_not_write_down_is_ended() {
    sandbox(|| {
        let folder = Folder::with(&[("lab.yaml", &lab("  - {node: a, supervised: true, command: sleep 4715}\n"))]);
        folder.wireloom("up lab.yaml").ok();
        let known = processes(&folder)[0]["pid"].clone();
        let forgotten = |machine: &str, log: &str| -> Value {
            let inside = format!("unshare --mount sh -c '{machine}exec setsid sleep 4716' >/dev/null 2>&1");
            sh(&format!("WIRELOOM_SUPERVISED=/run/wireloom/lab/log/{log} {inside} & echo $!")).trim().parse().unwrap()
        };
        let other = "mount -t tmpfs tmpfs /run; ";
        let is_sleep = |pid: &Value| sh(&format!("cat /proc/{pid}/cmdline")).starts_with("sleep");
        // Not what a known process has started in a session of its own, nor one of another machine's topology of that name.
        let (lost, child, foreign) = (forgotten("", "a.1.log"), forgotten("", "a.0.log"), forgotten(other, "a.1.log"));
        eventually("they run", || is_sleep(&lost) && is_sleep(&child) && is_sleep(&foreign));
        let up = folder.wireloom("up lab.yaml").ok();
        assert!(
            up.stderr.contains(&format!("ended process {lost} (`sleep 4716`), which an `up` that was killed")),
            "{up:?}"
        );
        assert!(!is_running(&lost) && is_running(&child) && is_running(&known));
        let lost = forgotten("", "b.0.log");
        eventually("it runs", || is_sleep(&lost));
        let gone = folder.wireloom("down lab -o json").ok().json();
        let row = json!({"node": "b", "pid": lost, "command": "sleep 4716", "alive": false,
            "log": "/run/wireloom/lab/log/b.0.log"});
        assert!(gone["stopped"].as_array().unwrap().contains(&row), "{gone}");
        assert!(!is_running(&lost) && is_running(&foreign));
        sh(&format!("kill {child} {foreign}"));
    });
}

#[test]
fn a_process_that_the_document_does_not_name_any_more_ends() {
    sandbox(|| {
        let folder = Folder::with(&[("lab.yaml", &lab("  - {node: a, supervised: true, command: sleep 4712}\n"))]);
        folder.wireloom("up lab.yaml").ok();
        let pid = processes(&folder)[0]["pid"].clone();
        folder.write("lab.yaml", &lab("  - {node: a, command: \"true\"}\n"));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(processes(&folder), json!([]));
        assert!(!is_running(&pid));
        folder.wireloom("down lab").ok();
    });
}

#[test]
fn a_foreign_process_that_holds_a_namespace_is_named_and_left() {
    sandbox(|| {
        let folder = Folder::with(&[("lab.yaml", &lab("  - {node: a, command: \"true\"}\n"))]);
        folder.wireloom("up lab.yaml").ok();
        let pid: u64 = sh("ip netns exec lab.a sleep 4713 >/dev/null 2>&1 & echo $!").trim().parse().unwrap();
        eventually("it is inside", || sh("ip netns pids lab.a").contains(&pid.to_string()));
        let gone = folder.wireloom("down lab -o json").ok();
        assert_eq!(gone.json()["holders"], json!([{"node": "a", "pid": pid, "command": "sleep 4713"}]));
        assert!(gone.stderr.contains(&format!("process {pid} (`sleep 4713`) is inside node a")), "{gone:?}");
        assert!(is_running(&json!(pid)));
        assert_eq!(sh("ls /run/netns"), "");
        sh(&format!("kill {pid}"));
    });
}
