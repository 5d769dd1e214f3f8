//! Processes that come from those that were started to stay, and that are not known by their group: daemons leave it,
//! and where a starter was killed nobody has written it down. They are known by the variable that they were started
//! with. Does not know which of them somebody remembers.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    Process,
    group::{Stat, command_line, groups, variable},
    supervised::{KILLING, PATIENCE, VARIABLE, alive},
};

/// How long to wait before looking again at all processes.
const PAUSE: Duration = Duration::from_millis(20);

/// A process that is known by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Which.
    pub process: Process,
    /// Its command line.
    pub command: String,
}

/// Ends all processes that come from one with a log in `logs`, but for those with a log in `known`, and but for our own
/// group: one by one, and those that they start meanwhile; SIGTERM, and SIGKILL three seconds later. Returns those that
/// have ended, and those that could not be ended.
///
/// `rooms` are the mount namespaces of nodes, by their inodes: in there, the folder of the logs is out of sight.
pub fn stop_strays(logs: &Path, known: &[PathBuf], rooms: &BTreeSet<u64>) -> (Vec<Stray>, Vec<Stray>) {
    let strays = || strays(logs, known, rooms);
    let mut seen: Vec<Stray> = Vec::new();
    for (signal, patience) in [(Signal::SIGTERM, PATIENCE), (Signal::SIGKILL, KILLING)] {
        let (start, mut signalled, mut gone) = (Instant::now(), Vec::new(), false);
        loop {
            let left = strays();
            // One that is just becoming another program has no environment for a moment: an empty answer counts twice.
            if left.is_empty() && (seen.is_empty() || gone) {
                return (seen, left);
            }
            gone = left.is_empty();
            for stray in left {
                if !signalled.contains(&stray.process) {
                    send(&stray.process, signal);
                    signalled.push(stray.process.clone());
                }
                if seen.iter().all(|seen| seen.process != stray.process) {
                    seen.push(stray);
                }
            }
            if start.elapsed() >= patience {
                break;
            }
            thread::sleep(PAUSE);
        }
    }
    let left = strays();
    seen.retain(|seen| left.iter().all(|left| left.process != seen.process));
    (seen, left)
}

/// The same path can be another directory to a process in another mount namespace: such a process is not meant.
fn strays(logs: &Path, known: &[PathBuf], rooms: &BTreeSet<u64>) -> Vec<Stray> {
    let Some(here) = identity(logs) else { return Vec::new() };
    let own = Stat::read(std::process::id()).map(|stat| stat.group);
    let others = groups().into_iter().filter(|(group, _)| Some(*group) != own).flat_map(|(_, members)| members);
    let mut strays: Vec<Stray> = others
        .filter(|stat| !stat.dead)
        .filter_map(|Stat { pid, start_time, .. }| {
            let value = variable(pid, format!("{VARIABLE}=").as_bytes())?;
            let log = PathBuf::from(OsString::from_vec(value));
            let of = Path::new("/proc").join(pid.to_string());
            let there = of.join("root").join(logs.strip_prefix("/").ok()?);
            let in_room = || identity(&of.join("ns/mnt")).is_some_and(|(_, inode)| rooms.contains(&inode));
            let here = || identity(&there) == Some(here) || in_room();
            let meant = log.parent() == Some(logs) && !known.contains(&log) && here();
            meant.then(|| Stray { process: Process { pid, start_time, log }, command: command_line(pid) })
        })
        .collect();
    strays.sort_by_key(|stray| stray.process.pid);
    strays
}

/// Signals one process, if its number is still its own. One that is stopped gets to see a SIGTERM only when it goes on.
fn send(process: &Process, signal: Signal) {
    if alive(process) {
        let pid = Pid::from_raw(process.pid.cast_signed());
        // A failure shows: it is found again.
        kill(pid, signal).ok();
        kill(pid, Signal::SIGCONT).ok();
    }
}

fn identity(directory: &Path) -> Option<(u64, u64)> {
    fs::metadata(directory).ok().map(|found| (found.dev(), found.ino()))
}
