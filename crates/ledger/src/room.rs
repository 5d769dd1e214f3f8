//! With what each room was furnished: one file for each, beside its namespaces. Does not know whether it still is.

use std::path::PathBuf;

use serde::{Serialize, de::DeserializeOwned};
use wireloom_engine::Label;

use crate::{
    Ledger, Result,
    directory::remove_any,
    file::{self, write_line},
};

impl Ledger {
    /// With what the room of a node was furnished. Nothing where it was not furnished to the end, or where it cannot be
    /// read: then it is to be made anew.
    pub fn room<T: DeserializeOwned>(&self, node: &Label) -> Option<T> {
        let path = self.room_path(node);
        let text = file::read(&path).ok()??;
        file::parse(&path, &text).ok()
    }

    /// Notes with what it is furnished: after that was done.
    pub fn record_room<T: Serialize>(&mut self, node: &Label, furniture: &T) -> Result<()> {
        file::replace(&self.room_path(node), |mut to| write_line(&mut to, furniture))
    }

    /// Forgets it: before it is changed.
    pub fn forget_room(&mut self, node: &Label) -> Result<()> {
        remove_any(&self.room_path(node))
    }

    fn room_path(&self, node: &Label) -> PathBuf {
        self.room_directory().join(format!("{node}.json"))
    }
}
