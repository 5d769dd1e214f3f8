//! Commands inside a namespace: what they see, what they say, how they end. And becoming one.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

use std::{
    env, fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use wireloom_netns::Netns;
use wireloom_run::{Error, Finished, Inside, Program, Result, exec, run_command, run_command_until};
use wireloom_testkit::{eventually, run, sandbox, sh};

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn try_in(node: &str, words: &[&str], timeout: Option<Duration>) -> Result<Finished> {
    let (netns, argv) = (Netns::named(node).unwrap(), argv(words));
    run_command(Program { netns: &netns, name: Some(node), argv: &argv, inside: Inside::Machine }, timeout)
}

fn shell_in(node: &str, line: &str, timeout: Option<Duration>) -> Finished {
    try_in(node, &["sh", "-c", line], timeout).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Whether this process still does anything: a zombie does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

#[test]
fn a_command_sees_the_interfaces_of_its_namespace_and_says_how_it_went() {
    sandbox(|| {
        sh("ip netns add a; ip -n a link add here type bridge");
        let ours = sh("ls /sys/class/net");
        let finished = shell_in("a", "ls /sys/class/net; echo why >&2; exit 3", None);
        assert_eq!(text(&finished.stdout), "here\nlo\n");
        assert_eq!(text(&finished.stderr), "why\n");
        assert_eq!((finished.status, finished.timed_out, finished.success()), (3, false, false));
        assert_eq!(shell_in("a", "kill -9 $$", None).status, 137);
        assert!(shell_in("a", "read x || true", None).success(), "there is nothing on stdin");
        assert_eq!(sh("ls /sys/class/net"), ours, "the /sys of others stays");
    });
}

#[test]
fn files_of_etc_netns_stand_in_for_those_of_etc() {
    sandbox(|| {
        // An /etc of the test's own.
        sh("ip netns add a; cp -a /etc /run/etc; mount --bind /run/etc /etc; touch /etc/resolv.conf
            mkdir -p /etc/netns/a; echo nameserver 192.0.2.53 >/etc/netns/a/resolv.conf");
        assert_eq!(text(&shell_in("a", "cat /etc/resolv.conf", None).stdout), "nameserver 192.0.2.53\n");
    });
}

#[test]
fn when_the_time_is_over_the_whole_group_is_killed() {
    sandbox(|| {
        sh("ip netns add a");
        let line = "sleep 1000 & echo $!; sleep 1000";
        let finished = shell_in("a", line, Some(Duration::from_millis(500)));
        assert!(finished.timed_out && !finished.success());
        assert_eq!(finished.status, 137);
        let child = text(&finished.stdout).to_owned();
        eventually("the child in the background is gone", || !runs(&child));
        assert!(shell_in("a", "true", Some(Duration::from_secs(60))).success());
    });
}

#[test]
fn a_command_that_is_cancelled_is_killed() {
    sandbox(|| {
        sh("ip netns add a");
        let (netns, argv) = (Netns::named("a").unwrap(), argv(&["sh", "-c", "touch /run/started; sleep 1000"]));
        let cancelled = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                eventually("the command runs", || fs::exists("/run/started").unwrap());
                cancelled.store(true, Ordering::Relaxed);
            });
            let program = Program { netns: &netns, name: None, argv: &argv, inside: Inside::Machine };
            let finished = run_command_until(program, None, &cancelled).unwrap();
            assert!(finished.cancelled && !finished.timed_out && !finished.success());
            assert_eq!(finished.status, 137);
        });
    });
}

#[test]
fn what_stays_in_the_background_is_not_waited_for() {
    sandbox(|| {
        sh("ip netns add a");
        let finished = shell_in("a", "sleep 1000 & echo $!", None);
        assert!(finished.success());
        let pid = text(&finished.stdout).trim().to_owned();
        assert!(runs(&pid));
        kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    });
}

#[test]
fn of_very_much_output_the_end_is_kept() {
    sandbox(|| {
        sh("ip netns add a");
        let finished = shell_in("a", "seq 1000000", None);
        assert!(finished.stdout.len() >= 64 << 10 && finished.stdout.len() <= 256 << 10);
        assert!(text(&finished.stdout).ends_with("\n999999\n1000000\n"));
    });
}

#[test]
fn what_cannot_be_started_says_why() {
    sandbox(|| {
        sh("ip netns add a; echo text >/run/text");
        for (words, code, message) in [
            (vec!["no-such-program-x"], 127, "run no-such-program-x: command not found"),
            (vec!["/run/text"], 126, "run /run/text: Permission denied (os error 13)"),
            (vec![], 126, "run a command: it is empty"),
        ] {
            let error = try_in("a", &words, None).unwrap_err();
            assert_eq!((error.exit_code(), error.to_string().as_str()), (code, message));
        }
    });
}

/// Runs the test of this name as a process of its own, which sees `WORDS` and becomes that program.
#[expect(clippy::disallowed_methods, reason = "a process has to be given away to see what becomes of it")]
fn become_in(node: &str, test: &str, words: &str) -> wireloom_testkit::Run {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("NODE", node).env("WORDS", words).process_group(0);
    run(command.stdin(Stdio::null()))
}

#[test]
fn exec_becomes_the_program() {
    if let Ok(words) = env::var("WORDS") {
        let node = env::var("NODE").unwrap();
        let (netns, argv) = (Netns::named(&node).unwrap(), argv(&words.split(' ').collect::<Vec<_>>()));
        let error: Error = exec(Program { netns: &netns, name: Some(&node), argv: &argv, inside: Inside::Machine });
        std::process::exit(error.exit_code().into());
    }
    sandbox(|| {
        sh("ip netns add a; ip -n a link add here type bridge");
        let test = "exec_becomes_the_program";
        let listed = become_in("a", test, "ls /sys/class/net");
        assert!(listed.stdout.ends_with("here\nlo\n"), "{listed:?}");
        assert_eq!(listed.status, 0);
        assert_eq!(become_in("a", test, "no-such-program-x").status, 127);
        assert_eq!(become_in("a", test, "/etc/passwd").status, 126);
    });
}
