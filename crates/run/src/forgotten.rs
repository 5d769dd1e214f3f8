//! Processes that were started to stay and that nobody has written down: their starter was killed in between. They are
//! known by the variable that they were started with. Does not end them.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use crate::{
    Process,
    group::{Stat, command_line, groups, variable},
    supervised::VARIABLE,
};

/// A process that nobody has written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Which.
    pub process: Process,
    /// Its command line.
    pub command: String,
}

/// The processes that were started with a log in `logs` and are inside the network namespaces with these inodes: in another
/// container, the same path is that of somebody else. Without those with a log in `known`: what belongs to a process that
/// is written down is no business of ours, nor is our own group.
pub fn forgotten(logs: &Path, inodes: &BTreeSet<u64>, known: &[PathBuf]) -> Vec<Forgotten> {
    let own = Stat::read(std::process::id()).map(|stat| stat.group);
    let mut found = Vec::new();
    for (group, members) in groups() {
        if Some(group) == own || group < 2 {
            continue;
        }
        // The leader has the variable; where it has ended, any member.
        let leader = Stat::read(group).filter(|leader| !leader.dead);
        let told = leader.or_else(|| members.into_iter().find(|member| !member.dead));
        let Some((stat, log)) = told.and_then(|stat| Some((stat, log_of(stat.pid)?))) else { continue };
        if log.parent() == Some(logs) && is_inside(stat.pid, inodes) && !known.contains(&log) {
            let process = Process { pid: group, start_time: stat.start_time, log };
            found.push(Forgotten { process, command: command_line(stat.pid) });
        }
    }
    found.sort_by_key(|forgotten| forgotten.process.pid);
    found
}

fn is_inside(pid: u32, inodes: &BTreeSet<u64>) -> bool {
    fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|namespace| inodes.contains(&namespace.ino()))
}

fn log_of(pid: u32) -> Option<PathBuf> {
    let value = variable(pid, format!("{VARIABLE}=").as_bytes())?;
    Some(OsString::from_vec(value).into())
}
