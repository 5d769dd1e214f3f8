//! Which processes we have started and left running. Does not know whether they still run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wireloom_engine::Label;

use crate::{Error, Ledger, Result, journal::Journal};

/// A process that runs on after `up`, and ends with `down`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervised {
    /// The node that it runs in.
    pub node: Label,
    /// Its number, and that of its process group.
    pub pid: u32,
    /// When it was started, in clock ticks after the boot: a number that was given to another process has another.
    pub start_time: u64,
    /// What was asked for.
    pub command: String,
    /// Where its output goes.
    pub log: PathBuf,
}

impl Ledger {
    /// The processes that were recorded, oldest first.
    pub fn processes(&self) -> Result<Vec<Supervised>> {
        Journal::at(self.processes_path()).read()
    }

    /// The same, as far as they can be read, and what is in the way of the rest.
    pub fn salvage_processes(&self) -> (Vec<Supervised>, Option<Error>) {
        Journal::at(self.processes_path()).salvage()
    }

    /// Records a process that was just started.
    pub fn record_process(&mut self, process: &Supervised) -> Result<()> {
        self.prepare()?;
        Journal::at(self.processes_path()).append(process)
    }

    /// Forgets the processes that `forget` names: after they have ended.
    pub fn forget_processes(&mut self, forget: impl FnMut(&Supervised) -> bool) -> Result<()> {
        Journal::at(self.processes_path()).forget(forget)
    }
}
