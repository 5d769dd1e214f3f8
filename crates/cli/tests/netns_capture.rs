//! `capture` of nodes, read by tcpdump, also while it runs.

mod common;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use common::{Folder, TRIANGLE};
use wireloom_testkit::{eventually, sandbox, sh, sh_in, wireloom};

/// The binary, as a shell finds it.
fn binary() -> String {
    wireloom().get_program().to_string_lossy().into_owned()
}

#[test]
fn a_program_reads_along_and_when_it_has_enough_that_is_no_failure() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let mut ping = wireloom();
        ping.args(["exec", "r1", "--", "ping", "-i0.05", "12.12.12.2"]).stdout(Stdio::null());
        let mut ping = ping.spawn().unwrap();
        let read =
            format!("{{ {} capture r1:eth1 r2:eth1; echo $? >status; }} | tcpdump -l -n -t -c4 -r - icmp", binary());
        let text = sh(&format!("cd {}; {read} 2>/dev/null", folder.path("").display()));
        ping.kill().unwrap();
        ping.wait().unwrap();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("12.12.12.1 > 12.12.12.2: ICMP echo request"), "{text}");
        eventually("it ends", || std::fs::read_to_string(folder.path("status")).is_ok_and(|text| !text.is_empty()));
        assert_eq!(std::fs::read_to_string(folder.path("status")).unwrap(), "0\n");
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn sigint_ends_it_with_whole_counts() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let mut command = wireloom();
        command.args(["capture", "r1:eth1", "-w", "x.pcapng", "-o", "json"]).current_dir(folder.path(""));
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        eventually("it listens", || folder.path("x.pcapng").metadata().is_ok_and(|file| file.len() > 0));
        sh_in("triangle.r1", "ping -c2 -i0.1 -W5 12.12.12.2");
        sh(&format!("kill -INT {}", child.id()));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&answer["file"], &answer["ended"]), (&"x.pcapng".into(), &"stopped".into()));
        let row = &answer["interfaces"][0];
        assert_eq!((&row["node"], &row["name"], &row["dropped"]), (&"r1".into(), &"eth1".into(), &0.into()));
        let text = sh(&format!("tcpdump -n -t -r {} icmp 2>/dev/null", folder.path("x.pcapng").display()));
        assert_eq!(text.lines().count(), 4, "{text}");
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_node_that_goes_ends_it_and_is_not_kept_alive() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let mut command = wireloom();
        command.args(["capture", "r1:eth1", "-w", "x.pcapng"]).current_dir(folder.path(""));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually("it listens", || folder.path("x.pcapng").metadata().is_ok_and(|file| file.len() > 0));
        folder.wireloom("down triangle").ok();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("warning: r1:eth1: ") && line.ends_with(" is gone\n"), "{line}");
        assert_eq!(child.wait().unwrap().code(), Some(1));
    });
}

#[test]
fn mistakes_are_named() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let run = folder.wireloom("capture r1:eth7 -w x");
        assert_eq!(run.status, 1, "{run:?}");
        assert_eq!(run.stderr, "error: capture on r1:eth7: there is no such interface; there are lo, eth1, eth2\n");
        assert_eq!(folder.wireloom("capture r9:eth1 -w x").status, 1);
        assert_eq!(folder.wireloom("capture r1 -w x").status, 64);
        assert_eq!(folder.wireloom("capture").status, 64);
        assert!(!folder.path("x").exists());
        folder.wireloom("down triangle").ok();
    });
}
