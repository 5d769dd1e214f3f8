//! `wireloom down`: takes a network down, from the kernel and the ledger alone. Goes on past everything that fails, and
//! tells all of it.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use serde::Serialize;
use wireloom_engine::{Owner, PhaseTime, Plan, State};
use wireloom_ledger::Ledger;

use super::{Ending, audit, up::waiting};
use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    changes::{self, Steps},
    console::{Answer, Console},
    document,
    failure::Failure,
    holders::{Going, Holder},
    options::Topology,
    orphans,
    paint::Paint,
    record::Record,
    removal,
    rescue::{self, Kept},
    signals,
    subject::{self, Subject},
    summary::{self, Summary},
    supervision, words,
};

/// Options of `down`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    topology: Topology,
    /// Every topology that is up, or of which something is left. Has no twin in the environment: it must be meant
    #[arg(long, conflicts_with_all = ["files", "topology"])]
    all: bool,
}

/// What `down` did.
#[derive(Debug, Serialize)]
struct Gone {
    topology: Owner,
    /// Whether there was anything.
    was_up: bool,
    #[serde(serialize_with = "rows")]
    removed: Plan,
    summary: Summary,
    phases: Vec<PhaseTime>,
    stopped: Vec<supervision::Row>,
    holders: Vec<Holder>,
    warnings: Vec<String>,
    /// Files of the ledger that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damaged: Vec<Kept>,
    #[serde(skip)]
    time: Duration,
}

/// All that `down --all` did, or `down` of several names.
#[derive(Debug, Serialize)]
struct AllGone {
    topologies: Vec<Gone>,
    failed: Vec<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let several = if args.all { Some(Vec::new()) } else { subject::as_names(&args.topology.files) };
    let only = if several.is_none() { Some(owner(console, &args.topology)?) } else { None };
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let cancelled = signals::catch()?;
    match (only, several) {
        (Some(owner), _) => {
            let gone = take_down(console, &owner, &cancelled)?;
            console.answer(&gone)?;
            gone.failure().map_or(Ok(()), Err)?;
        }
        (None, Some(named)) if !args.all => each(console, &named.into_iter().collect(), &cancelled)?,
        (None, _) => each(console, &everything()?, &cancelled)?,
    }
    Ok(Ending::Fine)
}

/// Takes one topology down at the end of another verb, with a line about it.
pub(super) fn quietly(console: &Console, owner: &Owner) -> Result<(), Failure> {
    let gone = take_down(console, owner, &Arc::new(AtomicBool::new(false)))?;
    console.say(format_args!("{owner}: removed {} in {}", gone.summary, words::time(gone.time)));
    gone.failure().map_or(Ok(()), Err)
}

/// The topology that is meant; of documents, only the name matters.
fn owner(console: &Console, args: &Topology) -> Result<Owner, Failure> {
    match Subject::of(args)? {
        Subject::Topology(owner) => Ok(owner),
        Subject::Documents(files) => match document::load(console, &files) {
            Ok(lowered) => Ok(lowered.owner),
            Err(failure) => made_from(&document::absolutes(&files))?.ok_or(failure).inspect(|owner| {
                console.warn(format_args!("the document has mistakes; {owner} was made from it, and goes down"));
            }),
        },
    }
}

/// The topology that is up and was made from these documents.
fn made_from(documents: &[PathBuf]) -> Result<Option<Owner>, Failure> {
    for owner in Ledger::list()? {
        let (record, _) = Record::salvage(&owner)?;
        if record.latest().is_some_and(|entry| entry.documents == documents) {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

/// Every topology that is up, or of which something is left.
fn everything() -> Result<BTreeSet<Owner>, Failure> {
    let mut owners: BTreeSet<Owner> = Ledger::list()?.into_iter().collect();
    owners.extend(audit::owners()?);
    Ok(owners)
}

fn each(console: &Console, owners: &BTreeSet<Owner>, cancelled: &Arc<AtomicBool>) -> Result<(), Failure> {
    let (mut topologies, mut failures) = (Vec::new(), Vec::new());
    for owner in owners {
        match take_down(console, owner, cancelled) {
            Ok(gone) => {
                failures.extend(gone.failure());
                topologies.push(gone);
            }
            Err(failure) => failures.push(failure),
        }
    }
    console.answer(&AllGone { topologies, failed: failures.iter().map(ToString::to_string).collect() })?;
    if failures.is_empty() { Ok(()) } else { Err(Failure::Several(failures)) }
}

/// Takes one topology down.
fn take_down(console: &Console, owner: &Owner, cancelled: &Arc<AtomicBool>) -> Result<Gone, Failure> {
    let lock = Ledger::open(owner)?.lock("down", cancelled, |holder| waiting(console, holder))?;
    let (mut record, mut unread) = Record::salvage(owner)?;
    let Some(damaged) = rescue::damaged(&unread) else {
        unread.retain(|error| error.unreadable().is_none());
        return Err(unread.swap_remove(0).into());
    };
    let had_ledger = record.latest().is_some() || !unread.is_empty();
    let (stopped, left) = stop(&mut record.ledger)?;
    let mut warnings = Vec::new();
    warnings.extend(left.iter().map(|p| format!("process {} (`{}`) could not be ended", p.pid, p.command)));
    let going = Going::of(record.states(), |_, _| true);
    let mut holders = going.holders();
    let mut places = State::empty(owner.clone());
    if !damaged.is_empty() {
        places = audit::places(owner)?;
        rescue::widen(&mut places, &record)?;
    }
    let start = Instant::now();
    let report = removal::all(console, &mut record, &places, cancelled)?;
    let time = start.elapsed();
    let finishing = going.late(&report.held, &mut holders);
    if !finishing.is_empty() {
        console
            .say(format_args!("{owner}: the kernel still finishes with the namespace of {}", words::list(finishing)));
    }
    warnings.extend(holders.iter().map(|holder| format!("{owner}: {holder}")));
    let damaged = Kept::all(&unread, record.ledger.remove_but(&damaged)?);
    drop(lock);
    warnings.iter().for_each(|warning| console.warn(warning));
    let summary = Summary::of(&report.plan);
    let was_up = had_ledger || !report.plan.is_empty() || !stopped.is_empty();
    let (topology, phases, removed) = (owner.clone(), summary::rounded(&report.phases), report.plan);
    Ok(Gone { topology, was_up, removed, summary, phases, stopped, holders, warnings, damaged, time })
}

/// Ends what the ledger names, and then all that comes from it and from what nobody has written down; then the rooms go
/// that they were in.
fn stop(ledger: &mut Ledger) -> Result<(Vec<supervision::Row>, Vec<supervision::Row>), Failure> {
    let (stopped, left) = supervision::stop_all(ledger)?;
    let mut ended: Vec<_> = stopped.iter().map(|p| supervision::Row { alive: false, ..supervision::row(p) }).collect();
    let mut alive: Vec<_> = left.iter().map(supervision::row).collect();
    let (orphans, immortal) = orphans::end(ledger, &[]);
    wireloom_netns::remove_rooms(&ledger.room_directory())?;
    ended.extend(orphans.into_iter().filter(|p| alive.iter().all(|left| left.pid != p.pid)));
    alive.extend(immortal.into_iter().filter(|p| left.iter().all(|left| left.pid != p.pid)));
    Ok((ended, alive))
}

impl Gone {
    /// Nobody can say that all is gone when a part of the ledger could not be read.
    fn failure(&self) -> Option<Failure> {
        let kept: Vec<String> = self.damaged.iter().map(ToString::to_string).collect();
        (!kept.is_empty()).then(|| Failure::Damaged { topology: self.topology.clone(), kept })
    }
}

fn rows<S: serde::Serializer>(plan: &Plan, serializer: S) -> Result<S::Ok, S::Error> {
    Steps(plan).serialize(serializer)
}

impl Answer for Gone {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let name = paint.strong(self.topology.as_str());
        if !self.was_up {
            return writeln!(out, "{name}: not up");
        }
        if !self.stopped.is_empty() {
            let pids = words::list(self.stopped.iter().map(|process| process.pid));
            writeln!(out, "{name}: ended {} ({pids})", words::count(self.stopped.len(), "process"))?;
        }
        match self.removed.is_empty() {
            true => writeln!(out, "{name}: down; there was nothing left to remove")?,
            false => writeln!(out, "{name}: {} in {}", self.summary, words::time(self.time))?,
        }
        changes::extra_lines("of others, gone with it:", &self.removed.also_gone, paint, out)
    }
}

impl Answer for AllGone {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        if self.topologies.is_empty() {
            return writeln!(out, "nothing is up");
        }
        self.topologies.iter().try_for_each(|gone| gone.text(paint, out))
    }
}
