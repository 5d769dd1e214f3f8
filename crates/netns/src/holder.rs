//! Which processes are inside which namespaces. Does not see descriptors, sockets and mounts that hold one too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{metadata, read, read_dir};
use std::os::unix::fs::MetadataExt;

/// A process inside a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its command line, or its name where it has none.
    pub command: String,
}

/// The processes inside the namespaces with these inodes, in one pass over /proc, in the order of their numbers.
/// A process that ends meanwhile, or that we may not look at, is not among them.
pub fn holders(inodes: &BTreeSet<u64>) -> BTreeMap<u64, Vec<Holder>> {
    let mut found: BTreeMap<u64, Vec<Holder>> = BTreeMap::new();
    let Ok(entries) = read_dir("/proc") else { return found };
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(namespace) = metadata(format!("/proc/{pid}/ns/net")) else { continue };
        if inodes.contains(&namespace.ino()) {
            found.entry(namespace.ino()).or_default().push(Holder { pid, command: command_of(pid) });
        }
    }
    found.values_mut().for_each(|processes| processes.sort_unstable_by_key(|process| process.pid));
    found
}

fn command_of(pid: u32) -> String {
    let line = read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy);
    let line = words.collect::<Vec<_>>().join(" ");
    if !line.is_empty() {
        return line;
    }
    // Kernel threads and zombies have no command line.
    let name = read(format!("/proc/{pid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end().to_owned()
}
