//! Removing what is there of a topology. The lock is held by who calls. Does not know processes and ledger files.

use std::{collections::BTreeMap, sync::atomic::AtomicBool};

use wireloom_engine::{Control, Label, Report, Scope, Source, State, converge};

use crate::{console::Console, failure::Failure, marks, notes::Notes, place, progress::Bar, record::Record};

/// Removes everything, also in the namespaces of `places`.
pub(crate) fn all(
    console: &Console,
    record: &mut Record,
    places: &State,
    cancelled: &AtomicBool,
) -> Result<Report, Failure> {
    let scope = record.scope(Some(places))?;
    let sources = record.sources(Some(places));
    let mut report = remove(console, record, &scope, sources, cancelled)?;
    displaced(console, record, places, &mut report, cancelled)?;
    let own = record.states().flat_map(|state| state.namespaces.values()).filter(|netns| netns.own);
    let names = own.filter_map(|netns| place::name(&netns.source));
    marks::empty(names).try_for_each(marks::remove_name)?;
    Ok(report)
}

/// Removes what the ledger names under labels that stand for other namespaces in `desired`, and adds that to what was
/// done before.
pub(crate) fn displaced(
    console: &Console,
    record: &mut Record,
    desired: &State,
    report: &mut Report,
    cancelled: &AtomicBool,
) -> Result<(), Failure> {
    let displaced = record.displaced(Some(desired));
    if displaced.namespaces.is_empty() {
        return Ok(());
    }
    let scope = record.scope_of_displaced(&displaced);
    let sources = displaced.namespaces.into_iter().map(|(label, netns)| (label, netns.source)).collect();
    let removed = remove(console, record, &scope, sources, cancelled)?;
    report.plan.steps.extend(removed.plan.steps);
    report.plan.also_gone.extend(removed.plan.also_gone);
    report.phases.extend(removed.phases);
    report.held.extend(removed.held);
    Ok(())
}

fn remove(
    console: &Console,
    record: &mut Record,
    scope: &Scope,
    sources: BTreeMap<Label, Source>,
    cancelled: &AtomicBool,
) -> Result<Report, Failure> {
    let owner = record.ledger.owner().clone();
    let mut notes = Notes::new(&mut record.ledger, sources, None);
    let mut bar = Bar::start(console.talk_paint());
    let mut progress = |progress| bar.update(progress);
    // What is gone is not made again because something else could not be removed.
    let mut control = Control { cancelled, progress: &mut progress, keep_partial: true };
    let converged = converge(&State::empty(owner.clone()), scope, &mut notes, &mut control);
    bar.finish();
    converged.map_err(|cause| Failure::converge(&owner, cause))
}
