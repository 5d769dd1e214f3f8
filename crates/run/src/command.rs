//! A command that ends: its output and its exit status. Does not know who asked for it.

use std::{
    io::{self, PipeReader, Read, Write, pipe},
    os::{fd::AsFd, unix::process::CommandExt, unix::process::ExitStatusExt},
    process::{Child, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
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
/// How often it is looked whether the command was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// A command that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit status; 128 + N when signal N ended it, as shells say it.
    pub status: i32,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
    /// Whether it was ended because it was cancelled.
    pub cancelled: bool,
    /// The end of what it wrote to stdout, 64 KiB at least.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to stderr, 64 KiB at least.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Whether it ended by itself, with status 0.
    pub fn success(&self) -> bool {
        self.status == 0 && !self.timed_out && !self.cancelled
    }
}

/// Runs a command to its end, with nothing on stdin, and keeps what it writes. When the time is over, it and the
/// processes of its group are killed. What it leaves running in the background is not waited for.
pub fn run_command(program: Program<'_>, timeout: Option<Duration>) -> Result<Finished> {
    run_command_until(program, timeout, &AtomicBool::new(false))
}

/// The same, and killed as well when `cancelled` is set: its own process group does not get the terminal's interrupt.
pub fn run_command_until(program: Program<'_>, timeout: Option<Duration>, cancelled: &AtomicBool) -> Result<Finished> {
    let follow = |operation| move |cause| Error::Follow { operation, program: program.title(), cause };
    let mut command = program.command()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = program.start(command)?;
    let outputs = child.stdout.take().map(Output::new).zip(child.stderr.take().map(Output::new));
    let (stdout, stderr) = outputs.expect("both are piped");
    let outputs = [stdout.map_err(follow("read from"))?, stderr.map_err(follow("read from"))?];
    let patience = Patience { deadline: timeout.map(|timeout| Instant::now() + timeout), cancelled };
    let (status, over, [stdout, stderr]) = attend(&mut child, outputs, &patience).map_err(follow("wait for"))?;
    let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    let (timed_out, cancelled) = (over == Some(Over::Time), over == Some(Over::Cancelled));
    Ok(Finished { status, timed_out, cancelled, stdout: stdout.text, stderr: stderr.text })
}

/// Why a command was ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Time,
    Cancelled,
}

/// How long a command may go on.
struct Patience<'a> {
    deadline: Option<Instant>,
    cancelled: &'a AtomicBool,
}

impl Patience<'_> {
    fn over(&self) -> Option<Over> {
        let cancelled = self.cancelled.load(Ordering::Relaxed).then_some(Over::Cancelled);
        cancelled.or_else(|| self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Over::Time))
    }

    /// How long to wait before looking at it again.
    fn step(&self) -> PollTimeout {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Rounded up, so that the deadline has passed when the step is over.
        let step = left.map_or(LOOK, |left| LOOK.min(left + Duration::from_millis(1)));
        PollTimeout::try_from(step).unwrap_or(PollTimeout::MAX)
    }
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
    patience: &Patience<'_>,
) -> io::Result<(ExitStatus, Option<Over>, [Output; 2])> {
    let pid = Pid::from_raw(child.id().cast_signed());
    let (ended, mut tell) = pipe()?;
    let mut over = None;
    thread::scope(|scope| {
        scope.spawn(move || {
            // Left unreaped, so that nobody else can get its number while we may still kill its group.
            waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).ok();
            tell.write_all(b".").ok();
        });
        while !wait_for_any(&ended, &outputs, patience.step())? {
            outputs.iter_mut().try_for_each(Output::take)?;
            if over.is_none() {
                over = patience.over();
                over.map(|_| killpg(pid, Signal::SIGKILL).ok());
            }
        }
        outputs.iter_mut().try_for_each(Output::take)
    })?;
    Ok((child.wait()?, over, outputs))
}

/// Waits until the command has written something, or has ended, which is the answer, or the time is over.
fn wait_for_any(ended: &PipeReader, outputs: &[Output], timeout: PollTimeout) -> io::Result<bool> {
    let open = outputs.iter().filter(|output| output.open).map(|output| &output.from);
    let mut polled: Vec<_> =
        [ended].into_iter().chain(open).map(|p| PollFd::new(p.as_fd(), PollFlags::POLLIN)).collect();
    match poll(&mut polled, timeout) {
        Err(nix::errno::Errno::EINTR) | Ok(0) => Ok(false),
        Err(errno) => Err(errno.into()),
        Ok(_) => Ok(polled[0].any().unwrap_or(true)),
    }
}
