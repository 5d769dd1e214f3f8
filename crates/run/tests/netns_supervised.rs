//! Processes that stay: they are ended with all that they have started, and nobody else ever is.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    slice::from_ref,
};

use nix::{sys::wait::waitpid, unistd::Pid};
use wireloom_netns::Netns;
use wireloom_run::{Inside, Process, Program, alive, ended, hang_up, stop, supervised};
use wireloom_testkit::{eventually, sandbox, sh};

const LOG: &str = "/run/wireloom/t/log/a.0.log";

/// Starts a line of shell in a namespace of its own, as `up` does.
fn start(line: &str) -> Process {
    sh("ip netns add a 2>/dev/null || true");
    let netns = Netns::named("a").unwrap();
    let argv = ["sh", "-c", line].map(str::to_owned);
    supervised(Program { netns: &netns, name: None, argv: &argv, inside: Inside::Machine }, Path::new(LOG)).unwrap()
}

/// The numbers that the command has written to its log, once there are as many.
fn numbers(count: usize) -> Vec<u32> {
    let read = || fs::read_to_string(LOG).unwrap().lines().filter_map(|line| line.parse().ok()).collect::<Vec<_>>();
    eventually(&format!("the command has told {count} processes, not {:?}", read()), || read().len() == count);
    read()
}

fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

fn start_time(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap()
}

/// A group that is none of ours.
#[expect(clippy::disallowed_methods, reason = "somebody else's process")]
fn foreign(line: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", line]).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_process_runs_in_its_namespace_with_its_output_in_the_log_until_it_is_stopped() {
    sandbox(|| {
        sh("ip netns add a; ip -n a link add here type bridge");
        let process = start("ls /sys/class/net; echo also >&2; exec sleep 1000");
        eventually("it has written", || fs::read_to_string(LOG).unwrap() == "here\nlo\nalso\n");
        assert!(alive(&process));
        assert_eq!(process.start_time, start_time(process.pid));
        assert_eq!(stop(from_ref(&process)), []);
        assert!(!alive(&process) && !runs(process.pid));
        assert_eq!(stop(&[process]), [], "a second time is free");
    });
}

#[test]
fn what_it_has_started_ends_with_it() {
    sandbox(|| {
        let process = start("sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; wait' & wait");
        let children = numbers(2);
        assert!(children.iter().all(|pid| runs(*pid)));
        assert_eq!(stop(&[process]), []);
        assert!(!children.iter().any(|pid| runs(*pid)));
    });
}

#[test]
fn what_does_not_listen_is_killed() {
    sandbox(|| {
        let process = start("trap '' TERM; echo $$; while :; do sleep 1; done");
        numbers(1);
        assert_eq!(stop(from_ref(&process)), []);
        assert!(!alive(&process));
    });
}

#[test]
fn a_stopped_process_ends_too() {
    sandbox(|| {
        let process = start("trap 'echo 2; exit' TERM; echo $$; kill -STOP $$; sleep 1000");
        let pid = numbers(1)[0];
        eventually("it is stopped", || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T"));
        assert_eq!(stop(&[process]), []);
        assert_eq!(numbers(2), [pid, 2]);
    });
}

#[test]
fn how_it_ends_is_known_and_signals_reach_it_once() {
    sandbox(|| {
        let status = |process: &Process| {
            eventually("it has ended", || !alive(process));
            ended(process).map(|ended| (ended.status, ended.at.elapsed().unwrap().as_secs() < 60))
        };
        assert_eq!(status(&start("exit 7")), Some((7, true)));
        let process = start("trap 'echo 1' HUP; echo 0; while :; do sleep 0.01; done");
        numbers(1);
        assert_eq!(ended(&process), None, "the file of the one before is empty again");
        hang_up(&process);
        numbers(2);
        // What users see is the number of the shell that keeps it.
        sh(&format!("kill {}", process.pid));
        assert_eq!(status(&process), Some((143, true)));
        let process = start("trap 'echo 3' TERM; echo 2; sleep 1000 & wait; exit 9");
        numbers(3);
        assert_eq!(stop(from_ref(&process)), []);
        assert_eq!((numbers(4)[3], status(&process)), (3, Some((9, true))));
    });
}

#[test]
fn children_whose_leader_has_ended_are_found() {
    for reaped in [false, true] {
        sandbox(|| {
            let process = start("sleep 1000 & echo $!");
            let child = numbers(1)[0];
            eventually("the leader has ended", || !alive(&process));
            if reaped {
                waitpid(Pid::from_raw(process.pid.cast_signed()), None).unwrap();
            }
            assert!(runs(child));
            assert_eq!(stop(&[process]), []);
            assert!(!runs(child));
        });
    }
}

#[test]
fn a_number_that_somebody_else_has_now_is_left_alone() {
    sandbox(|| {
        let mut other = foreign("exec sleep 1000");
        let theirs = start_time(other.id());
        let process = Process { pid: other.id(), start_time: theirs - 1, log: LOG.into() };
        assert!(!alive(&process));
        assert_eq!(stop(&[process]), []);
        assert!(other.try_wait().unwrap().is_none(), "it still runs");
        other.kill().unwrap();
        other.wait().unwrap();
    });
}

#[test]
fn a_group_of_somebody_else_without_its_leader_is_left_alone() {
    use std::io::{BufRead, BufReader};
    sandbox(|| {
        let mut other = foreign("sleep 1000 & echo $!");
        let mut line = String::new();
        BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        let start_time = start_time(other.id());
        other.wait().unwrap();
        assert_eq!(stop(&[Process { pid: other.id(), start_time, log: LOG.into() }]), []);
        assert!(runs(child));
        nix::sys::signal::kill(Pid::from_raw(child.cast_signed()), nix::sys::signal::Signal::SIGKILL).unwrap();
    });
}
