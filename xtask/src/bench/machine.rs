//! The machine that the figures are from.

use std::fs;
use std::num::NonZero;
use std::thread;

use crate::program::{program, read_text};

/// What the figures depend on.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) kernel: String,
    pub(super) processor: String,
    pub(super) cores: usize,
    /// GiB.
    pub(super) memory: u64,
    /// Today, UTC.
    pub(super) date: String,
    /// Runnable processes of others per minute, before we began: a busy machine spoils figures.
    pub(super) load: String,
}

impl Machine {
    /// Looks; what cannot be found out is "unknown".
    pub(super) fn here() -> Machine {
        let kib = value("/proc/meminfo", "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
        let load = fs::read_to_string("/proc/loadavg").ok().and_then(|text| Some(text.split(' ').next()?.to_owned()));
        let date = read_text(program("date").args(["--utc", "+%F"])).map(|text| text.trim().to_owned());
        Machine {
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown()).trim().to_owned(),
            processor: value("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(0, NonZero::get),
            memory: kib.unwrap_or(0).div_ceil(1 << 20),
            date: date.unwrap_or_else(|_| unknown()),
            load: load.unwrap_or_else(unknown),
        }
    }
}

/// `KEY : VALUE` of a file under /proc.
fn value(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.trim() == key))?;
    Some(line.1.trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}
