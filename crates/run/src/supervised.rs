//! Processes that stay when we have ended, and how they are ended: the whole process group, and never one of somebody
//! else who got the same number. Does not remember them: the ledger does.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, OpenOptions, create_dir_all},
    io,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use nix::{
    fcntl::OFlag,
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

use crate::{
    Error, Program, Result,
    group::{Stat, groups, has_variable},
};

/// In the environment of what we start, and of what that starts: members of a group whose leader has ended are known
/// by it.
pub(crate) const VARIABLE: &str = "WIRELOOM_SUPERVISED";

/// How long a process may take to end after a SIGTERM.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How long the kernel may take to end a process after a SIGKILL: longer only for one in uninterruptible sleep.
pub(crate) const KILLING: Duration = Duration::from_secs(2);

/// A process that was started to stay, the leader of a process group of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number, and that of its group.
    pub pid: u32,
    /// When it was started, in clock ticks after the boot.
    pub start_time: u64,
    /// Where its output goes.
    pub log: PathBuf,
}

/// Starts a process that stays when we have ended: with nothing on stdin, its output appended to `log`, in a process
/// group of its own. A shell waits for it, which passes signals on and leaves its exit status beside the log.
pub fn supervised(program: Program<'_>, log: &Path) -> Result<Process> {
    let failed = |cause| Error::Log { program: program.title(), path: log.into(), cause };
    let output = open_log(log).and_then(|file| Ok((file.try_clone()?, file)));
    let (stdout, stderr) = output.map_err(failed)?;
    let status = open_status(&status_path(log)).map_err(failed)?;
    let mut command = program.kept_command()?;
    command.stdin(status).stdout(stdout).stderr(stderr).process_group(0).env(VARIABLE, log);
    let pid = program.start(command)?.id();
    // As it is our child, it is there to be looked at even if it has ended already.
    let gone = || Error::Follow { operation: "look at", program: program.title(), cause: io::Error::last_os_error() };
    let start_time = Stat::read(pid).ok_or_else(gone)?.start_time;
    Ok(Process { pid, start_time, log: log.into() })
}

/// Whether the process still runs: this very one.
pub fn alive(process: &Process) -> bool {
    Stat::read(process.pid).is_some_and(|stat| stat.start_time == process.start_time && !stat.dead)
}

/// How a process has ended, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; 128 + N when signal N ended it, as shells say it.
    pub status: u8,
    /// When.
    pub at: SystemTime,
}

/// How a process has ended that was started with this log; nothing where it has not, or where nobody was left to tell.
pub fn ended(process: &Process) -> Option<Ended> {
    let path = status_path(&process.log);
    let status = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    Some(Ended { status, at: fs::metadata(&path).ok()?.modified().ok()? })
}

/// Sends SIGHUP to a process, which mostly makes it read its configuration again.
pub fn hang_up(process: &Process) {
    if alive(process) {
        kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGHUP).ok();
    }
}

/// Ends the processes and all that is left of their groups: SIGTERM, and SIGKILL three seconds later. Returns those
/// that could not be ended.
pub fn stop(processes: &[Process]) -> Vec<Process> {
    let mut left = processes.to_vec();
    for (signal, patience) in [(Signal::SIGTERM, PATIENCE), (Signal::SIGKILL, KILLING)] {
        let groups = keep_running(&mut left);
        left.iter().for_each(|process| send(process, signal, &groups));
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        while !left.is_empty() && start.elapsed() < patience {
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
            keep_running(&mut left);
        }
    }
    left
}

/// Drops those of which nothing runs any more. Returns all groups that there are, if there was reason to look.
fn keep_running(processes: &mut Vec<Process>) -> HashMap<u32, Vec<Stat>> {
    let groups = if processes.is_empty() { HashMap::new() } else { groups() };
    processes.retain(|process| is_running(process, &groups));
    groups
}

/// Whether somebody of this process's group still runs.
///
/// The kernel gives a number to nobody else while a process or a group has it. So where the number belongs to a
/// process with another start time, our group is gone; where it belongs to none, a group of that number is ours when
/// its members carry our variable.
fn is_running(process: &Process, groups: &HashMap<u32, Vec<Stat>>) -> bool {
    let members = groups.get(&process.pid).map(Vec::as_slice).unwrap_or_default();
    let mut running = members.iter().filter(|member| !member.dead);
    match Stat::read(process.pid) {
        // To the kernel, group 0 is our own and group 1 is everybody.
        _ if process.pid < 2 => false,
        Some(leader) if leader.start_time != process.start_time => false,
        Some(leader) => {
            let any = running.next().is_some();
            if leader.dead && !any {
                reap(process.pid);
            }
            any
        }
        None => running.any(|member| has_variable(member.pid, &assignment(process))),
    }
}

/// Signals the group. One that is stopped gets to see a SIGTERM only when it goes on. The shell that leads the group would
/// pass a SIGTERM on, and is to tell how its program ends: it gets one only when it is alone.
fn send(process: &Process, signal: Signal, groups: &HashMap<u32, Vec<Stat>>) {
    let group = Pid::from_raw(process.pid.cast_signed());
    let members = groups.get(&process.pid).into_iter().flatten();
    let others: Vec<_> = members.filter(|member| !member.dead && member.pid != process.pid).collect();
    // A failure shows: it goes on running, and is returned by stop().
    if signal == Signal::SIGTERM && !others.is_empty() {
        for member in others {
            kill(Pid::from_raw(member.pid.cast_signed()), signal).ok();
        }
    } else {
        killpg(group, signal).ok();
    }
    killpg(group, Signal::SIGCONT).ok();
}

/// Takes note of the end of a process that is our own child, so that the kernel forgets it.
fn reap(pid: u32) {
    waitpid(Pid::from_raw(pid.cast_signed()), Some(WaitPidFlag::WNOHANG)).ok();
}

fn assignment(process: &Process) -> Vec<u8> {
    let mut assignment = OsString::from(format!("{VARIABLE}="));
    assignment.push(&process.log);
    assignment.as_bytes().to_owned()
}

/// Where the exit status of a process with this log is written.
fn status_path(log: &Path) -> PathBuf {
    log.with_extension("exit")
}

/// Of one that ran before, nothing is left in it.
fn open_status(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(path)
}

fn open_log(log: &Path) -> io::Result<std::fs::File> {
    log.parent().map_or(Ok(()), create_dir_all)?;
    // A symbolic link would lead out of the directory of logs.
    OpenOptions::new().create(true).append(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_that_mean_everybody_are_never_ours() {
        for pid in [0, 1] {
            let start_time = Stat::read(pid).map_or(0, |stat| stat.start_time);
            let process = Process { pid, start_time, log: PathBuf::new() };
            // What is not running is not signalled either: not to be tried out.
            assert!(!is_running(&process, &groups()));
        }
    }

    #[test]
    fn we_run_as_long_as_we_are_who_is_meant() {
        let own = Stat::read(std::process::id()).unwrap();
        let leader = Stat { pid: own.pid, group: own.pid, ..own };
        let groups = HashMap::from([(own.pid, vec![leader])]);
        let process = |start_time| Process { pid: own.pid, start_time, log: PathBuf::new() };
        assert!(alive(&process(own.start_time)) && is_running(&process(own.start_time), &groups));
        assert!(!alive(&process(own.start_time + 1)) && !is_running(&process(own.start_time + 1), &groups));
    }
}
