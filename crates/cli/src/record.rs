//! All that the ledger of a topology tells, and what it means for where the engine looks. Does not write.

use std::collections::{BTreeMap, BTreeSet};

use wireloom_engine::{Label, Owner, Scope, Source, State};
use wireloom_ledger::{Before, Ledger, Overlays};

use crate::{attached::Entry, failure::Failure};

/// The ledger of a topology, read.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) ledger: Ledger,
    /// What is up.
    pub(crate) current: Option<Entry>,
    /// What an `up` that was killed was making.
    pub(crate) next: Option<Entry>,
    /// What was changed on top of documents.
    pub(crate) overlays: Overlays,
    before: Vec<Before>,
}

impl Record {
    /// Reads the ledger of a topology, which may have none.
    pub(crate) fn read(owner: &Owner) -> Result<Record, Failure> {
        let ledger = Ledger::open(owner)?;
        let (current, next, before) = (ledger.current()?, ledger.next()?, ledger.before()?);
        let overlays = ledger.overlays()?;
        Ok(Record { ledger, current, next, overlays, before })
    }

    /// What the kernel is to have, where documents ask for `desired`: with what was changed on top of it.
    pub(crate) fn overlaid(&self, desired: &State) -> State {
        let mut desired = desired.clone();
        self.overlays.merged().put_on(&mut desired);
        desired
    }

    /// The same, as far as it can be read: for `down`. What could not be read is the second answer.
    pub(crate) fn salvage(owner: &Owner) -> Result<(Record, Vec<wireloom_ledger::Error>), Failure> {
        let ledger = Ledger::open(owner)?;
        let mut errors = Vec::new();
        let current = ledger.current().unwrap_or_else(|error| lost(&mut errors, error));
        let next = ledger.next().unwrap_or_else(|error| lost(&mut errors, error));
        let (before, damage) = ledger.salvage_before();
        errors.extend(damage);
        errors.extend(ledger.salvage_processes().1);
        Ok((Record { ledger, current, next, overlays: Overlays::default(), before }, errors))
    }

    /// Settings as they were before.
    pub(crate) fn before(&self) -> &[Before] {
        &self.before
    }

    /// What is up, as far as is known.
    pub(crate) fn latest(&self) -> Option<&Entry> {
        self.current.as_ref().or(self.next.as_ref())
    }

    /// All states of which something may exist, the newest first.
    pub(crate) fn states(&self) -> impl Iterator<Item = &State> {
        let interrupted = self.next.iter().flat_map(|next| next.attached.interrupted.iter().rev());
        let next = self.next.iter().map(|next| &next.desired);
        next.chain(self.current.iter().map(|current| &current.desired)).chain(interrupted)
    }

    /// Those that were killed while they were being made.
    fn interrupted(&self) -> impl Iterator<Item = &State> {
        let earlier = self.next.iter().flat_map(|next| next.attached.interrupted.iter().rev());
        self.next.iter().map(|next| &next.desired).chain(earlier)
    }

    /// Where the namespaces are that the ledger and `desired` name.
    pub(crate) fn sources(&self, desired: Option<&State>) -> BTreeMap<Label, Source> {
        let mut sources = BTreeMap::new();
        for state in desired.into_iter().chain(self.states()) {
            for (label, netns) in &state.namespaces {
                sources.entry(label.clone()).or_insert_with(|| netns.source.clone());
            }
        }
        sources
    }

    /// Forgets settings of namespaces that are gone: those that were made anew were never changed by us. For writers.
    pub(crate) fn forget_stale(&mut self, desired: &State) -> Result<(), Failure> {
        let sources = self.sources(Some(desired));
        let known = self.before.len();
        let displaced = self.displaced(Some(desired));
        let old = displaced.namespaces.iter().map(|(label, netns)| (label.clone(), netns.source.clone())).collect();
        self.before.retain(|before| is_still(before, &sources) || is_still(before, &old));
        if self.before.len() < known {
            let Record { ledger, before, .. } = self;
            ledger.forget_before(|recorded| !before.contains(recorded))?;
        }
        Ok(())
    }

    /// What the engine looks at to compare the kernel with `desired`.
    pub(crate) fn scope(&self, desired: Option<&State>) -> Result<Scope, Failure> {
        let mut scope = Scope::new(self.ledger.owner());
        desired.into_iter().for_each(|state| scope.desire(state));
        self.current.iter().for_each(|current| scope.remember(&current.desired));
        self.interrupted().for_each(|state| scope.claim(state));
        let made = self.current.iter().chain(&self.next).flat_map(|entry| &entry.attached.made);
        made.for_each(|(netns, id)| scope.identify(netns, id));
        self.tell_before(&mut scope, &self.sources(desired));
        scope.discover()?;
        Ok(scope)
    }

    /// What the ledger names under a label that stands for another namespace by now: a node that was a namespace of
    /// ours and is given by path now, or the other way round. [`Record::scope`] sees only the newer one.
    pub(crate) fn displaced(&self, desired: Option<&State>) -> State {
        let sources = self.sources(desired);
        let used: BTreeSet<&Source> = sources.values().collect();
        let mut displaced = State::empty(self.ledger.owner().clone());
        for (label, netns) in self.states().flat_map(|state| &state.namespaces) {
            if !used.contains(&netns.source) {
                displaced.namespaces.entry(label.clone()).or_insert_with(|| netns.clone());
            }
        }
        displaced
    }

    /// What the engine looks at to remove what is there of that.
    pub(crate) fn scope_of_displaced(&self, displaced: &State) -> Scope {
        let mut scope = Scope::new(self.ledger.owner());
        scope.claim(displaced);
        let sources = displaced.namespaces.iter().map(|(label, netns)| (label.clone(), netns.source.clone()));
        self.tell_before(&mut scope, &sources.collect());
        scope
    }

    fn tell_before(&self, scope: &mut Scope, sources: &BTreeMap<Label, Source>) {
        for before in self.before.iter().filter(|before| is_still(before, sources)) {
            scope.before(&before.netns, &before.setting, &before.value);
        }
    }
}

fn lost<T: Default>(errors: &mut Vec<wireloom_ledger::Error>, error: wireloom_ledger::Error) -> T {
    errors.push(error);
    T::default()
}

/// Whether the namespace is the one whose setting was recorded: one that was made anew was never changed by us.
fn is_still(before: &Before, sources: &BTreeMap<Label, Source>) -> bool {
    let netns = sources.get(&before.netns).and_then(|source| source.open().ok());
    netns.and_then(|netns| netns.id().ok()).is_some_and(|id| id.to_string() == before.id)
}
