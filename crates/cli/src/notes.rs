//! Writes what the engine is about to change into the ledger, and ends the processes that are not to see it. Does not
//! know what is changed.

use std::{collections::BTreeMap, io};

use wireloom_engine::{Journal, Label, Plan, Source};
use wireloom_ledger::{Before, Ledger, Supervised};

use crate::{attached::Entry, supervision};

/// The engine's journal, kept in a ledger.
pub(crate) struct Notes<'a> {
    ledger: &'a mut Ledger,
    sources: BTreeMap<Label, Source>,
    /// What is to be made, written down when the engine begins; nothing when all is to go.
    entry: Option<&'a Entry>,
    begun: bool,
    /// Which namespaces those are, as far as was asked.
    ids: BTreeMap<Label, String>,
}

impl<'a> Notes<'a> {
    /// In that ledger, about the namespaces that are there.
    pub(crate) fn new(ledger: &'a mut Ledger, sources: BTreeMap<Label, Source>, entry: Option<&'a Entry>) -> Notes<'a> {
        Notes { ledger, sources, entry, begun: false, ids: BTreeMap::new() }
    }

    /// Whether the engine has begun to change something.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    fn id(&mut self, label: &Label) -> io::Result<String> {
        if let Some(id) = self.ids.get(label) {
            return Ok(id.clone());
        }
        let source =
            self.sources.get(label).ok_or_else(|| io::Error::other(format!("namespace {label} is unknown")))?;
        let netns = source.open().map_err(io::Error::other)?;
        let id = netns.id().map_err(io::Error::other)?.to_string();
        self.ids.insert(label.clone(), id.clone());
        Ok(id)
    }
}

impl Journal for Notes<'_> {
    fn begin(&mut self, _: &Plan) -> io::Result<()> {
        self.begun = true;
        let Some(entry) = self.entry else { return Ok(()) };
        self.ledger.begin(entry).map_err(io::Error::other)?;
        // Only now, as nothing was sure to change before; and before their namespaces go, which they would hold.
        let unwanted = |process: &Supervised| !supervision::is_wanted(process, &entry.attached.commands);
        supervision::stop(self.ledger, unwanted).map(drop).map_err(io::Error::other)
    }

    fn before(&mut self, netns: &Label, key: &str, value: &str) -> io::Result<()> {
        let before =
            Before { netns: netns.clone(), id: self.id(netns)?, setting: key.to_owned(), value: value.to_owned() };
        self.ledger.record_before(&before).map_err(io::Error::other)
    }

    fn restored(&mut self, netns: &Label, key: &str) -> io::Result<()> {
        let id = self.id(netns)?;
        self.ledger.forget_before(|before| before.id == id && before.setting == key).map_err(io::Error::other)
    }
}
