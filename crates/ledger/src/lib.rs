//! What a topology has brought up, what it was about to bring up, what was there before, and what it started: on disk,
//! one directory for each topology, readable after a SIGKILL at any moment. Deliberately does not know the kernel:
//! whether any of it is still true is for others to look up.
//!
//! The directory lies on a tmpfs that a reboot erases together with everything it tells about, so nothing is synced.
//! Every change is one rename or one appended line. Writers hold the [`Lock`]; readers need none.

mod before;
mod directory;
mod entry;
mod error;
mod file;
mod journal;
mod lock;
mod overlay;
mod process;
mod room;

use std::{collections::BTreeSet, path::PathBuf};

use wireloom_engine::Owner;

pub use self::{
    before::Before,
    directory::{DIRECTORY, DIRECTORY_VARIABLE},
    entry::Entry,
    error::{Error, Result},
    lock::{Holder, Lock},
    overlay::{Change, Impairment, Overlay, Overlays},
    process::Supervised,
};

/// The ledger of one topology.
#[derive(Debug)]
pub struct Ledger {
    owner: Owner,
    /// Where the ledgers of all topologies are.
    root: PathBuf,
    /// Settings whose value from before is known to be recorded: filled at the first use.
    recorded: Option<BTreeSet<(String, String)>>,
}

impl Ledger {
    /// The topology whose ledger this is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}
