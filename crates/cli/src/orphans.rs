//! Processes of a topology that its ledger does not know: an `up` was killed between starting one and writing it down, or
//! they have left the process group that is written down. They are ended. Does not end those that are written down.

use std::{fs, path::PathBuf};

use wireloom_engine::Label;
use wireloom_ledger::Ledger;
use wireloom_run::Stray;

use crate::{room, supervision::Row};

/// Ends them, but for those whose output goes to the logs in `known`. Returns those that ended, and those that could not
/// be ended.
pub(crate) fn end(ledger: &Ledger, known: &[PathBuf]) -> (Vec<Row>, Vec<Row>) {
    let logs = ledger.log_directory();
    // Every process that stays begins with a file for its output.
    if !fs::read_dir(&logs).is_ok_and(|mut files| files.next().is_some()) {
        return (Vec::new(), Vec::new());
    }
    let (ended, left) = wireloom_run::stop_strays(&logs, known, &room::inodes(ledger));
    let rows = |strays: Vec<Stray>, alive| strays.into_iter().filter_map(|stray| row(stray, alive)).collect();
    (rows(ended, false), rows(left, true))
}

fn row(Stray { process, command }: Stray, alive: bool) -> Option<Row> {
    Some(Row { node: node(&process.log)?, pid: process.pid, command, alive, ended: None, log: process.log })
}

/// Logs are called `NODE.NUMBER.log`.
fn node(log: &std::path::Path) -> Option<Label> {
    let (node, _) = log.file_name()?.to_str()?.strip_suffix(".log")?.rsplit_once('.')?;
    node.parse().ok()
}
