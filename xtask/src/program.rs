//! Running other programs: plainly, for their output, quietly with a log, or with a time limit.
//! Deliberately the only place of xtask where a program is started, and without any idea of what it does.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// How much of a log a failure quotes.
const LAST_LINES: usize = 40;

/// A program to be started, with nothing on stdin.
#[expect(clippy::disallowed_methods, reason = "xtask is cargo's and apt's driver")]
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs it in the open, and wants success.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|source| Error::Start { command: shown(command), source })?;
    succeeded(command, status, String::new)
}

/// Runs it for its stdout, and wants success.
pub(crate) fn read(command: &mut Command) -> Result<Vec<u8>, Error> {
    let output = command.output().map_err(|source| Error::Start { command: shown(command), source })?;
    succeeded(command, output.status, || String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(output.stdout)
}

/// [`read`] for programs that print text.
pub(crate) fn read_text(command: &mut Command) -> Result<String, Error> {
    Ok(String::from_utf8_lossy(&read(command)?).into_owned())
}

/// [`read`] for programs that print JSON.
pub(crate) fn read_json(command: &mut Command) -> Result<serde_json::Value, Error> {
    let stdout = read(command)?;
    serde_json::from_slice(&stdout).map_err(|source| Error::Json { command: shown(command), source })
}

/// Runs it with all its output appended to a log, whose end is quoted when it fails.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<(), Error> {
    let status = log_to(command, log)?.wait().map_err(|source| Error::Start { command: shown(command), source })?;
    succeeded(command, status, || format!("{}\nall of it: {}", last_lines(log), log.display()))
}

/// Runs it with all its output appended to a log, and ends it after `limit`; then there is no status.
pub(crate) fn run_limited(command: &mut Command, log: &Path, limit: Duration) -> Result<Option<ExitStatus>, Error> {
    let mut child = log_to(command, log)?;
    let start = Instant::now();
    let failed = |source| Error::Start { command: shown(command), source };
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().and_then(|()| child.wait()).map_err(failed)?;
    Ok(None)
}

/// Starts it with both outputs at the end of the log.
fn log_to(command: &mut Command, log: &Path) -> Result<std::process::Child, Error> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).map_err(Error::file("make folder", folder))?;
    }
    let open = OpenOptions::new().create(true).append(true).open(log);
    let file = open.map_err(Error::file("write", log))?;
    let both = |file: &File| file.try_clone().map_err(Error::file("write", log));
    command.stdout(both(&file)?).stderr(file);
    command.spawn().map_err(|source| Error::Start { command: shown(command), source })
}

/// Success, or the error that says what ran and how it ended.
fn succeeded(command: &Command, status: ExitStatus, output: impl FnOnce() -> String) -> Result<(), Error> {
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: shown(command), status, output: output() })
}

/// The command as one would type it, without its environment.
fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The end of a log file.
fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
