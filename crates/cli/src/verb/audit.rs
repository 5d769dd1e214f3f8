//! `wireloom audit`: everything on this machine that carries our mark, and whether it belongs to a topology that is up.
//! With `--fix`, what belongs to none goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use serde::Serialize;
use wireloom_engine::{Firewall, Namespace, Owner, Source, State};
use wireloom_ledger::Ledger;

use super::{Ending, up::waiting};
use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    console::{Answer, Console},
    failure::Failure,
    marks::{self, Found},
    paint::Paint,
    place,
    record::Record,
    removal, signals,
    traces::Trace,
    words,
};

/// Options of `audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Remove what belongs to no topology that is up. Has no twin in the environment: it must be meant
    #[arg(long)]
    fix: bool,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Audit {
    objects: Vec<Row>,
    /// How many of them belong to nothing, after fixing.
    stray: usize,
    /// How many were removed.
    fixed: usize,
    /// Why some could not be removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
}

/// One object.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    /// Whose; only a mark tells.
    topology: Option<Owner>,
    /// `namespace`, `link`, `table`, `name` (of a namespace that is not there), `ledger`, `address`, `route`, `qdisc`.
    kind: &'static str,
    name: String,
    /// Where it is found.
    place: String,
    stray: bool,
    /// Whether it was stray, and is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let found = Everything::look()?;
    let objects = found.rows();
    let stray = objects.iter().filter(|row| row.stray).count();
    let mut audit = Audit { objects, stray, fixed: 0, failed: Vec::new() };
    let mut failures = Vec::new();
    if args.fix && audit.stray > 0 {
        let cancelled = signals::catch()?;
        for owner in found.stray_owners() {
            failures.extend(found.fix(console, &owner, &cancelled).err());
        }
        failures.extend(Everything::look()?.traces.iter().filter_map(|trace| trace.remove().err()));
        let left = Everything::look()?.rows();
        for row in audit.objects.iter_mut().filter(|row| row.stray) {
            row.removed = !left.contains(row);
        }
        audit.objects.iter_mut().for_each(|row| row.stray &= !row.removed);
        audit.stray = left.iter().filter(|row| row.stray).count();
        audit.fixed = audit.objects.iter().filter(|row| row.removed).count();
    }
    audit.failed = failures.iter().map(ToString::to_string).collect();
    console.answer(&audit)?;
    match (failures.is_empty(), audit.stray) {
        (false, _) => Err(Failure::Several(failures)),
        (true, 0) => Ok(Ending::Fine),
        (true, _) => Ok(Ending::Wrong),
    }
}

/// The topologies of which something is there.
pub(super) fn owners() -> Result<BTreeSet<Owner>, Failure> {
    let found = Everything::look()?;
    Ok(found.found.iter().map(|found| found.owner().clone()).chain(found.ledgers.into_keys()).collect())
}

/// The namespaces that hold something of a topology, for which only the marks of objects tell.
pub(super) fn places(owner: &Owner) -> Result<State, Failure> {
    Ok(Everything::look()?.places(owner))
}

/// What the kernel and the ledgers tell.
struct Everything {
    found: Vec<Found>,
    /// What carries our number, and no ledger names.
    traces: Vec<Trace>,
    /// Whether a ledger tells about something that should be there.
    ledgers: BTreeMap<Owner, bool>,
}

impl Everything {
    fn look() -> Result<Everything, Failure> {
        let (mut ledgers, mut others) = (BTreeMap::new(), BTreeSet::new());
        for owner in Ledger::list()? {
            let (record, unread) = Record::salvage(&owner)?;
            let namespaces = || record.states().flat_map(|state| state.namespaces.values());
            others.extend(namespaces().filter(|netns| !netns.own).map(|netns| netns.source.clone()));
            let tells = namespaces().any(|netns| netns.own || !netns.links.is_empty());
            ledgers.insert(owner, tells && unread.is_empty());
        }
        let (mut found, mut traces) = marks::all(&others)?;
        if !traces.is_empty() {
            // After the kernel, so that an `up` that has begun meanwhile has written down what it makes.
            for owner in Ledger::list()? {
                let (record, unread) = Record::salvage(&owner)?;
                // A ledger that cannot be read may name any of them.
                traces.retain(|trace| unread.is_empty() && record.states().all(|state| !trace.is_named_by(state)));
            }
        }
        // Anybody can have made an empty file of such a name: it is ours where we know the topology.
        let known = Ledger::known()?;
        found.retain(|found| !matches!(found, Found::Name { owner, .. } if !known.contains(owner)));
        Ok(Everything { found, traces, ledgers })
    }

    /// Whether an object belongs to a topology that has a ledger. An empty name belongs to nobody.
    fn is_stray(&self, found: &Found) -> bool {
        matches!(found, Found::Name { .. }) || !self.ledgers.contains_key(found.owner())
    }

    /// Ledgers that tell about objects of which none is there.
    fn stray_ledgers(&self) -> impl Iterator<Item = &Owner> {
        let owners: BTreeSet<&Owner> = self.found.iter().map(Found::owner).collect();
        self.ledgers.iter().filter(move |(owner, tells)| **tells && !owners.contains(owner)).map(|(owner, _)| owner)
    }

    fn stray_owners(&self) -> BTreeSet<Owner> {
        let found = self.found.iter().filter(|found| self.is_stray(found)).map(Found::owner);
        found.chain(self.stray_ledgers()).cloned().collect()
    }

    fn rows(&self) -> Vec<Row> {
        let objects = self.found.iter().map(|found| row(found, self.is_stray(found)));
        let ledgers = self.stray_ledgers().map(|owner| Row {
            topology: Some(owner.clone()),
            kind: "ledger",
            name: owner.to_string(),
            place: "it tells about namespaces and links, and none is there".to_owned(),
            stray: true,
            removed: false,
        });
        let traces = self.traces.iter().map(|trace| Row {
            topology: None,
            kind: trace.kind(),
            name: trace.name(),
            place: place::path(&trace.source).display().to_string(),
            stray: true,
            removed: false,
        });
        objects.chain(ledgers).chain(traces).collect()
    }

    /// Removes what is stray of one owner, unless an `up` has made it its own meanwhile.
    fn fix(&self, console: &Console, owner: &Owner, cancelled: &Arc<AtomicBool>) -> Result<(), Failure> {
        let ledger = Ledger::open(owner)?;
        let _lock = ledger.lock("audit", cancelled, |holder| waiting(console, holder))?;
        let now = Everything::look()?;
        // Our lock makes any topology a known one: what counts is what was found before.
        for found in now.found.iter().filter(|found| found.owner() == owner && self.found.contains(found)) {
            if let Found::Name { name, .. } = found {
                marks::remove_name(name)?;
            }
        }
        let vanished = now.stray_ledgers().any(|stray| stray == owner);
        if now.ledgers.contains_key(owner) && !vanished {
            return Ok(());
        }
        let (mut record, _) = Record::salvage(owner)?;
        removal::all(console, &mut record, &now.places(owner), cancelled)?;
        record.ledger.remove()?;
        Ok(())
    }

    /// The namespaces that hold something of an owner.
    fn places(&self, owner: &Owner) -> State {
        let mut state = State::empty(owner.clone());
        for found in self.found.iter().filter(|found| found.owner() == owner) {
            let (label, source, own) = match found {
                Found::Namespace { label, source, .. } => (label, source, true),
                Found::Link { label, source, .. } | Found::Table { label, source, .. } => (label, source, false),
                Found::Name { .. } => continue,
            };
            let netns = || Namespace::new(source.clone(), own);
            let netns = state.namespaces.entry(label.clone()).or_insert_with(netns);
            netns.own |= own;
            // What it says is not asked: it is to be looked at.
            if matches!(found, Found::Table { .. }) {
                netns.firewall = Some(Firewall::default());
            }
        }
        state
    }
}

fn row(found: &Found, stray: bool) -> Row {
    let path = |source: &Source| place::path(source).display().to_string();
    let (kind, name, place) = match found {
        Found::Namespace { label, source, .. } => ("namespace", label.to_string(), path(source)),
        Found::Link { source, ifname, .. } => ("link", ifname.to_string(), path(source)),
        Found::Table { owner, source, .. } => ("table", format!("inet wireloom_{owner}"), path(source)),
        Found::Name { name, .. } => ("name", name.clone(), path(&Source::Named(name.clone()))),
    };
    Row { topology: Some(found.owner().clone()), kind, name, place, stray, removed: false }
}

impl Answer for Audit {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let mut belonging: BTreeMap<&Owner, usize> = BTreeMap::new();
        for row @ Row { topology, kind, name, place, .. } in &self.objects {
            let whose = topology.as_ref().map(|owner| format!(" of {owner}")).unwrap_or_default();
            let sign = match (row.stray, row.removed) {
                (true, _) => paint.bad("stray:"),
                (false, true) => paint.odd("removed:"),
                (false, false) => {
                    *belonging.entry(topology.as_ref().expect("what has no mark is stray")).or_default() += 1;
                    continue;
                }
            };
            writeln!(out, "{sign} {kind} {name}{whose} ({place})")?;
        }
        for (topology, number) in belonging {
            writeln!(out, "{}: {} in place", paint.strong(topology.as_str()), words::count(number, "object"))?;
        }
        let removed = words::count(self.fixed, "object");
        match (self.fixed, self.stray) {
            (0, 0) => writeln!(out, "nothing is stray"),
            (_, 0) => writeln!(out, "{removed} removed, nothing is stray"),
            (0, 1) => writeln!(out, "1 object is stray; `wireloom audit --fix` removes it"),
            (0, stray) => writeln!(out, "{stray} objects are stray; `wireloom audit --fix` removes them"),
            (_, stray) => writeln!(out, "{removed} removed, {stray} left"),
        }
    }
}
