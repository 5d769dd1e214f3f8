//! Processes of a topology that its ledger does not know: an `up` was killed between starting one and writing it down.
//! They are ended: which command they were started for is lost. Does not look at those that are written down.

use std::path::Path;

use wireloom_engine::{Label, State};
use wireloom_run::Forgotten;

use crate::{place, record::Record, supervision::Row};

/// Ends those in the namespaces of the topology. Returns those that ended, and those that could not be ended.
pub(crate) fn end(record: &Record, desired: Option<&State>) -> (Vec<Row>, Vec<Row>) {
    let ledger = &record.ledger;
    let sources = record.sources(desired);
    let inodes = sources.values().filter_map(|source| place::open(source).ok()?.inode().ok()).collect();
    let (known, _) = ledger.salvage_processes();
    let known: Vec<_> = known.into_iter().map(|process| process.log).collect();
    let found = wireloom_run::forgotten(&ledger.log_directory(), &inodes, &known);
    let processes: Vec<_> = found.iter().map(|forgotten| forgotten.process.clone()).collect();
    let left = wireloom_run::stop(&processes);
    found.into_iter().filter_map(|forgotten| row(forgotten, &left)).partition(|row| !row.alive)
}

fn row(forgotten: Forgotten, left: &[wireloom_run::Process]) -> Option<Row> {
    let Forgotten { process, command } = forgotten;
    let alive = left.contains(&process);
    Some(Row { node: node(&process.log)?, pid: process.pid, command, alive, log: process.log })
}

/// Logs are called `NODE.NUMBER.log`.
fn node(log: &Path) -> Option<Label> {
    let (node, _) = log.file_name()?.to_str()?.strip_suffix(".log")?.rsplit_once('.')?;
    node.parse().ok()
}
