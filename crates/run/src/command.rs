//! A command that ends: its output and its exit status. Does not know who asked for it.

use std::{
    io::{self, PipeReader, Read, Write, pipe},
    os::{fd::AsFd, unix::process::CommandExt, unix::process::ExitStatusExt},
    process::{Child, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};

use crate::{Error, Program, Result};

/// How much of the end of each output is kept.
const KEPT: usize = 64 << 10;

/// A command that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit status; 128 + N when signal N ended it, as shells say it.
    pub status: i32,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
    /// The end of what it wrote to stdout, 64 KiB at least.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to stderr, 64 KiB at least.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Whether it ended by itself, with status 0.
    pub fn success(&self) -> bool {
        self.status == 0 && !self.timed_out
    }
}

/// Runs a command to its end, with nothing on stdin, and keeps what it writes. When the time is over, it and the
/// processes of its group are killed. What it leaves running in the background is not waited for.
pub fn run_command(program: Program<'_>, timeout: Option<Duration>) -> Result<Finished> {
    let follow = |operation| move |cause| Error::Follow { operation, program: program.title(), cause };
    let mut command = program.command()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = program.start(command)?;
    let outputs = child.stdout.take().map(Output::new).zip(child.stderr.take().map(Output::new));
    let (stdout, stderr) = outputs.expect("both are piped");
    let outputs = [stdout.map_err(follow("read from"))?, stderr.map_err(follow("read from"))?];
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let (status, timed_out, [stdout, stderr]) = attend(&mut child, outputs, deadline).map_err(follow("wait for"))?;
    let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Ok(Finished { status, timed_out, stdout: stdout.text, stderr: stderr.text })
}

/// One of the outputs of a command.
struct Output {
    from: PipeReader,
    open: bool,
    text: Vec<u8>,
}

impl Output {
    fn new(from: impl Into<std::os::fd::OwnedFd>) -> io::Result<Output> {
        let from = PipeReader::from(from.into());
        fcntl(&from, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Output { from, open: true, text: Vec::new() })
    }

    /// Takes what is there. Of very much, only the end is kept.
    fn take(&mut self) -> io::Result<()> {
        let mut part = [0; 16 << 10];
        while self.open {
            match self.from.read(&mut part) {
                Ok(0) => self.open = false,
                Ok(length) => self.text.extend_from_slice(&part[..length]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => (),
                Err(e) => return Err(e),
            }
            if self.text.len() > 2 * KEPT {
                self.text.drain(..self.text.len() - KEPT);
            }
        }
        Ok(())
    }
}

/// Reads the outputs until the command has ended; not until they are closed, which a process in the background may
/// never do.
fn attend(
    child: &mut Child,
    mut outputs: [Output; 2],
    deadline: Option<Instant>,
) -> io::Result<(ExitStatus, bool, [Output; 2])> {
    let pid = Pid::from_raw(child.id().cast_signed());
    let (ended, mut tell) = pipe()?;
    let mut timed_out = false;
    thread::scope(|scope| {
        scope.spawn(move || {
            // Left unreaped, so that nobody else can get its number while we may still kill its group.
            waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).ok();
            tell.write_all(b".").ok();
        });
        while !wait_for_any(&ended, &outputs, deadline.filter(|_| !timed_out))? {
            outputs.iter_mut().try_for_each(Output::take)?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) && !timed_out {
                timed_out = true;
                killpg(pid, Signal::SIGKILL).ok();
            }
        }
        outputs.iter_mut().try_for_each(Output::take)
    })?;
    Ok((child.wait()?, timed_out, outputs))
}

/// Waits until the command has written something, or has ended, which is the answer, or the deadline is there.
fn wait_for_any(ended: &PipeReader, outputs: &[Output], deadline: Option<Instant>) -> io::Result<bool> {
    let open = outputs.iter().filter(|output| output.open).map(|output| &output.from);
    let mut polled: Vec<_> =
        [ended].into_iter().chain(open).map(|p| PollFd::new(p.as_fd(), PollFlags::POLLIN)).collect();
    // Rounded up, so that the deadline has passed when the time is over.
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    let timeout = deadline.map_or(PollTimeout::NONE, |d| PollTimeout::try_from(left(d)).unwrap_or(PollTimeout::MAX));
    match poll(&mut polled, timeout) {
        Err(nix::errno::Errno::EINTR) | Ok(0) => Ok(false),
        Err(errno) => Err(errno.into()),
        Ok(_) => Ok(polled[0].any().unwrap_or(true)),
    }
}
