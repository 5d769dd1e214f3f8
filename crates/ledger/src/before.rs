//! What settings were before we changed them. Does not know how to put them back.

use serde::{Deserialize, Serialize};
use wireloom_engine::Label;

use crate::{Error, Ledger, Result, journal::Journal};

/// A setting of a namespace that we did not make, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// What we call the namespace.
    pub netns: Label,
    /// Which namespace it is: the text of a `NetnsId`. One that was made anew under the same name has another.
    pub id: String,
    /// The setting, written like `net.ipv4.ip_forward`.
    pub setting: String,
    /// Its value.
    pub value: String,
}

impl Before {
    fn key(&self) -> (String, String) {
        (self.id.clone(), self.setting.clone())
    }
}

impl Ledger {
    /// All that was recorded, each setting of each namespace once.
    pub fn before(&self) -> Result<Vec<Before>> {
        Journal::at(self.before_path()).read()
    }

    /// The same, as far as it can be read, and what is in the way of the rest.
    pub fn salvage_before(&self) -> (Vec<Before>, Option<Error>) {
        Journal::at(self.before_path()).salvage()
    }

    /// Records what a setting was: before it is changed. The first value wins: a later one is ours.
    pub fn record_before(&mut self, before: &Before) -> Result<()> {
        let mut recorded = match self.recorded.take() {
            Some(recorded) => recorded,
            None => self.before()?.iter().map(Before::key).collect(),
        };
        if recorded.insert(before.key()) {
            self.prepare()?;
            // On a failure `recorded` stays unset, and is read again.
            Journal::at(self.before_path()).append(before)?;
        }
        self.recorded = Some(recorded);
        Ok(())
    }

    /// Forgets the settings that `forget` names: after they were put back, or when their namespace is gone.
    pub fn forget_before(&mut self, forget: impl FnMut(&Before) -> bool) -> Result<()> {
        self.recorded = None;
        Journal::at(self.before_path()).forget(forget)
    }
}
