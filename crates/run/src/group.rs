//! Which processes there are, in which groups, and since when: from /proc. Does not know whose they are, and signals
//! none of them.

use std::{
    collections::HashMap,
    fs::{self, read_dir},
};

/// What /proc/PID/stat says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    /// The number of its process group.
    pub(crate) group: u32,
    /// When it was started, in clock ticks after the boot: with the number, this says which process it is.
    pub(crate) start_time: u64,
    /// Ended, and not looked after by its parent yet.
    pub(crate) dead: bool,
}

impl Stat {
    pub(crate) fn read(pid: u32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The fields of proc_pid_stat(5), of which the second may contain anything, parentheses and spaces too.
    fn parse(line: &str) -> Option<Stat> {
        let (pid, _) = line.split_once(" (")?;
        let (_, fields) = line.rsplit_once(") ")?;
        let field = |number: usize| fields.split_ascii_whitespace().nth(number - 3);
        Some(Stat {
            pid: pid.parse().ok()?,
            group: field(5)?.parse().ok()?,
            start_time: field(22)?.parse().ok()?,
            dead: matches!(field(3)?, "Z" | "X" | "x"),
        })
    }
}

/// All processes, by group. The dead are among them.
pub(crate) fn groups() -> HashMap<u32, Vec<Stat>> {
    let mut groups: HashMap<u32, Vec<Stat>> = HashMap::new();
    let entries = read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter_map(Stat::read).for_each(|stat| groups.entry(stat.group).or_default().push(stat));
    groups
}

/// Whether the process was started with this variable in its environment.
pub(crate) fn has_variable(pid: u32, assignment: &[u8]) -> bool {
    variable(pid, assignment).is_some_and(|rest| rest.is_empty())
}

/// What follows `prefix` in the environment that the process was started with.
pub(crate) fn variable(pid: u32, prefix: &[u8]) -> Option<Vec<u8>> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(prefix)).map(<[u8]>::to_vec)
}

/// The command line of a process, with blanks between its words.
pub(crate) fn command_line(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_does_not_confuse() {
        let rest = "S 1 40 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9876 100 200";
        let expected = Stat { pid: 42, group: 40, start_time: 9876, dead: false };
        for name in ["sh", "a b", "x) Z 1 2 (y", ")"] {
            assert_eq!(Stat::parse(&format!("42 ({name}) {rest}\n")), Some(expected), "{name}");
        }
        assert!(Stat::parse(&format!("42 (sh) {}", rest.replace('S', "Z"))).unwrap().dead);
        assert_eq!(Stat::parse("42 (sh) S 1"), None);
    }

    #[test]
    fn we_are_among_the_processes() {
        let pid = std::process::id();
        let stat = Stat::read(pid).unwrap();
        assert!(!stat.dead && stat.pid == pid);
        assert!(groups()[&stat.group].contains(&stat));
    }
}
