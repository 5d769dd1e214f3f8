//! What is up, and what an `up` that has not ended yet is making. Does not know whether the kernel agrees.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wireloom_engine::State;

use crate::{
    Error, Ledger, Result,
    directory::remove_any,
    error::failed,
    file::{self, write_line},
};

/// What an `up` made, or was about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<T> {
    /// The files that it came from.
    pub documents: Vec<PathBuf>,
    /// What was asked of the kernel.
    pub desired: State,
    /// What a front end wants to find again: commands, checks.
    pub attached: T,
}

impl Ledger {
    /// What is up.
    pub fn current<T: DeserializeOwned>(&self) -> Result<Option<Entry<T>>> {
        let path = self.current_path();
        file::read(&path)?.map(|text| file::parse(&path, &text)).transpose()
    }

    /// What an `up` was making that was interrupted, or still runs. Parts of it may exist.
    pub fn next<T: DeserializeOwned>(&self) -> Result<Option<Entry<T>>> {
        let path = self.next_path();
        file::read(&path)?.map(|text| file::parse(&path, &text)).transpose()
    }

    /// Notes what is about to be made: before the first change.
    pub fn begin<T: Serialize>(&mut self, entry: &Entry<T>) -> Result<()> {
        self.prepare()?;
        self.forget_other_boots()?;
        file::replace(&self.next_path(), |mut to| write_line(&mut to, entry))
    }

    /// What was begun is up now.
    pub fn commit(&mut self) -> Result<()> {
        let current = self.current_path();
        match fs::rename(self.next_path(), &current) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Error::NotBegun { owner: self.owner.clone() }),
            other => other.map_err(failed("replace", current)),
        }
    }

    /// What was begun has been undone completely.
    pub fn abandon(&mut self) -> Result<()> {
        remove_any(&self.next_path())
    }

    /// Removes what an earlier boot has left: nothing of it exists any more.
    fn forget_other_boots(&mut self) -> Result<()> {
        for path in [self.current_path(), self.before_path(), self.processes_path()] {
            if file::is_stale(&path)? {
                remove_any(&path)?;
                self.remove_logs()?;
            }
        }
        Ok(())
    }
}
