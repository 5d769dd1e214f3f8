//! Programs that tests start, in the calling thread's namespaces: shell lines, and the `wireloom` binary under test.
//! Deliberately does not build that binary (cargo and xtask do) and does not interpret what any program prints.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long [`eventually`] looks: far beyond anything that ends well, so that a slow machine is never a failed test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The exit status; 128 + N when signal N ended it, as shells say it.
    pub status: i32,
    /// Everything that it wrote to stdout.
    pub stdout: String,
    /// Everything that it wrote to stderr.
    pub stderr: String,
}

impl Run {
    /// The run itself if it succeeded.
    ///
    /// # Panics
    /// When the status is not 0; the message carries both outputs.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status == 0, "exit status {}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self
    }

    /// What it wrote to stdout, read as JSON.
    ///
    /// # Panics
    /// When that is not JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Runs `command` to its end, with nothing on stdin.
///
/// # Panics
/// When it cannot be started.
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    use std::os::unix::process::ExitStatusExt;
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let signalled = || 128 + output.status.signal().unwrap_or_default();
    Run {
        status: output.status.code().unwrap_or_else(signalled),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a shell script and returns what it wrote to stdout; like `sh -ec SCRIPT`.
///
/// # Panics
/// When it fails: use [`run`] where failing is an answer.
#[track_caller]
pub fn sh(script: &str) -> String {
    run(program("sh").args(["-ec", script])).ok().stdout
}

/// [`sh`] inside a named namespace, with /sys of that namespace; like `ip netns exec NAME sh -ec SCRIPT`.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn sh_in(netns: &str, script: &str) -> String {
    run(program("ip").args(["netns", "exec", netns, "sh", "-ec", script])).ok().stdout
}

/// The binary under test: `WIRELOOM_BIN` if set (`cargo xtask test` sets it), else the one that cargo built last beside
/// the running test. It sees none of the `WIRELOOM_…` variables of the caller, each of which is an option's twin.
///
/// # Panics
/// When there is no such binary.
pub fn wireloom() -> Command {
    let mut command = program(binary_under_test());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WIRELOOM_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the binary under test with `args` to its end.
///
/// # Panics
/// When it cannot be started; a failing exit status is an answer.
#[track_caller]
pub fn wireloom_run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    run(wireloom().args(args))
}

/// Looks again and again until `holds` says so, for what the kernel does in its own time (carrier, DAD, processes).
///
/// # Panics
/// When it still does not hold after half a minute; `what` is the message.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "still not so after {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The only place of this crate where a program is named.
#[expect(clippy::disallowed_methods, reason = "the testkit starts the observers and the binary under test")]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(name)
}

/// `target/PROFILE/wireloom` for a test in `target/PROFILE/deps/`.
fn binary_under_test() -> PathBuf {
    if let Some(path) = env::var_os("WIRELOOM_BIN") {
        return path.into();
    }
    let test = env::current_exe().expect("a running test has a path");
    let binary = test.parent().and_then(Path::parent).expect("tests live in target/PROFILE/deps").join("wireloom");
    assert!(binary.exists(), "{} is missing: run `cargo build` first, or set WIRELOOM_BIN", binary.display());
    binary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_a_status_like_in_shells() {
        let run = run(program("sh").args(["-c", "echo out; echo err >&2; kill -9 $$"]));
        assert_eq!(run, Run { status: 137, stdout: "out\n".into(), stderr: "err\n".into() });
    }

    #[test]
    #[should_panic(expected = "some reason")]
    fn a_failing_script_fails_the_test_with_its_words() {
        sh("echo some reason >&2; false; true");
    }

    #[test]
    fn eventually_looks_until_it_holds() {
        let mut looks = 0;
        eventually("three looks", || {
            looks += 1;
            looks == 3
        });
        assert_eq!(looks, 3);
    }
}
