//! Two at once, and signals at any moment.

mod common;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use common::{Folder, TRIANGLE};
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh, wireloom};

/// A chain that takes long enough to be interrupted.
const CHAIN: &str = r#"
name: chain
nodes: {"n[0-400]": {}}
links: [{endpoints: ["n[0-399]:r", "n[1-400]:l"], pairs: zip, subnet: 10.0.0.0/16}]
"#;

/// Holds the lock of a topology until it is dropped.
fn hold_lock(topology: &str) -> std::process::Child {
    let lock = format!("/run/wireloom/{topology}/lock");
    sh(&format!("mkdir -p -m 700 /run/wireloom/{topology}; echo '{{\"pid\": 4711, \"verb\": \"up\"}}' > {lock}"));
    let mut script = format!("exec 9<>{lock}; flock 9; echo locked; read x").into_bytes();
    script.push(b'\n');
    #[expect(clippy::disallowed_methods, reason = "somebody else who holds the lock")]
    let mut command = std::process::Command::new("sh");
    let mut child = command
        .args(["-c", &String::from_utf8_lossy(&script)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child can be started, read and waited for");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("the child can be started, read and waited for"))
        .read_line(&mut line)
        .expect("the child can be started, read and waited for");
    assert_eq!(line, "locked\n");
    child
}

#[test]
fn a_second_up_says_who_it_waits_for_and_goes_on() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut holder = hold_lock("triangle");
        let mut waiting = wireloom()
            .args(["up", "triangle.yaml"])
            .current_dir(folder.path(""))
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(waiting.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "waiting for `wireloom up` (process 4711) to end\n");
        assert_eq!(waiting.try_wait().unwrap(), None);
        drop(holder.stdin.take());
        holder.wait().unwrap();
        assert!(waiting.wait().unwrap().success());
        assert_eq!(folder.wireloom("plan triangle --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_topology_does_not_wait_for_another() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut holder = hold_lock("other");
        folder.wireloom("up triangle.yaml").ok();
        folder.wireloom("down triangle").ok();
        drop(holder.stdin.take());
        holder.wait().unwrap();
    });
}

#[test]
fn two_ups_at_once_both_succeed() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let start = || {
            let mut command = wireloom();
            command.args(["up", "triangle.yaml"]).current_dir(folder.path("")).stdout(Stdio::null());
            command.stderr(Stdio::null()).spawn().unwrap()
        };
        let mut both = [start(), start()];
        assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
        assert_eq!(folder.wireloom("up triangle.yaml").ok().stdout, "triangle: nothing to do\n");
        folder.wireloom("down triangle").ok();
    });
}

/// Starts `up` of the chain, and signals it when half of its namespaces are there.
fn interrupt(folder: &Folder, signal: &str) -> (Option<i32>, String) {
    let mut child = wireloom()
        .args(["up", "chain.yaml"])
        .current_dir(folder.path(""))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the child can be started, read and waited for");
    eventually("half of it is there", || {
        std::fs::read_dir("/run/netns").is_ok_and(|entries| entries.count() > 200)
            || child.try_wait().expect("the child can be started, read and waited for").is_some()
    });
    sh(&format!("kill -{signal} {} || true", child.id()));
    let output = child.wait_with_output().expect("the child can be started, read and waited for");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn sigint_stops_and_undoes() {
    sandbox(|| {
        let folder = Folder::with(&[("chain.yaml", CHAIN)]);
        sh("ip netns add other");
        let before = host_dump();
        let (status, stderr) = interrupt(&folder, "INT");
        assert_eq!(status, Some(1), "{stderr}");
        assert!(stderr.contains("chain: stopped; the ") && stderr.contains(" taken back"), "{stderr}");
        assert_same_dump(&before, &host_dump());
        assert_eq!(sh("ls /run"), "netns\n");
    });
}

#[test]
fn sigkill_leaves_something_that_up_and_down_understand() {
    sandbox(|| {
        let folder = Folder::with(&[("chain.yaml", CHAIN)]);
        sh("ip netns add other");
        let before = host_dump();
        let (status, stderr) = interrupt(&folder, "KILL");
        assert_eq!(status, None, "{stderr}");
        let state = folder.wireloom("status chain -o json").ok().json()["state"].clone();
        assert_eq!(state, "interrupted");
        folder.wireloom("up chain.yaml").ok();
        assert_eq!(folder.wireloom("status chain -o json").ok().json()["state"], "up");
        assert_eq!(folder.wireloom("plan chain --exit-code").status, 0);
        folder.wireloom("down chain").ok();
        assert_same_dump(&before, &host_dump());
        interrupt(&folder, "KILL");
        folder.wireloom("down chain").ok();
        folder.wireloom("audit").ok();
        assert_same_dump(&before, &host_dump());
    });
}
