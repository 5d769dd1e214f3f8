//! What happens in networks that are up: in each of their namespaces a mirror, and for each of them what differs from what
//! was asked for. Changes nothing, and keeps no namespace alive that has lost its name.

mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::{AsFd, BorrowedFd},
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use wireloom_engine::{Label, Owner, Source, observe, plan};
use wireloom_ledger::Ledger;
use wireloom_netlink::Mirror;
use wireloom_netns::{Doorbell, Netns};

use self::line::{Line, Spot};
use crate::{changes::Steps, console::Console, failure::Failure, place, record::Record};

/// What differs is looked at when it has been quiet for so long: an `up` makes thousands of events.
const QUIET: Duration = Duration::from_millis(50);
/// But not later than this after the first of them.
const PATIENCE: Duration = Duration::from_secs(1);
/// While there is no topology there is nothing that could tell of one.
const LOOK: Duration = Duration::from_secs(1);

/// What is told of.
pub(crate) struct Wanted {
    /// These; all that are up where there is none.
    pub(crate) topologies: Vec<Owner>,
    pub(crate) routes: bool,
    pub(crate) interval: Option<Duration>,
}

/// All that is listened to.
pub(crate) struct Stage<'a> {
    console: &'a Console,
    wanted: Wanted,
    bell: Doorbell,
    seats: BTreeMap<Spot, Seat>,
    /// What was told last of the difference of each topology that is up.
    drift: BTreeMap<Owner, Vec<String>>,
    /// Those to be looked at, when, and at the latest when.
    due: BTreeSet<Owner>,
    quiet: Instant,
    latest: Instant,
    counters: Option<Instant>,
}

/// One namespace.
struct Seat {
    source: Source,
    inode: u64,
    mirror: Mirror,
}

impl<'a> Stage<'a> {
    /// Nothing yet.
    pub(crate) fn new(console: &'a Console, wanted: Wanted) -> Result<Stage<'a>, Failure> {
        let (now, bell) = (Instant::now(), Doorbell::new()?);
        let counters = wanted.interval.map(|interval| now + interval);
        let (seats, drift, due) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Ok(Stage { console, wanted, bell, seats, drift, due, quiet: now, latest: now, counters })
    }

    /// Takes up those that are up now, and lets go of what is gone.
    pub(crate) fn follow(&mut self) -> Result<(), Failure> {
        let mut sources = BTreeMap::new();
        let known: BTreeSet<Owner> = self.drift.keys().cloned().collect();
        let mut up = BTreeSet::new();
        let owners: Vec<Owner> = Ledger::list()?.into_iter().filter(|owner| self.is_wanted(owner)).collect();
        for owner in owners {
            let record = Record::read(&owner)?;
            self.ring_for(&record)?;
            let Some(entry) = record.latest() else { continue };
            for (label, netns) in &entry.desired.namespaces {
                let spot = Spot { topology: owner.clone(), node: label.clone() };
                sources.insert(spot, netns.source.clone());
            }
            self.touch(&owner);
            up.insert(owner);
        }
        for owner in up.difference(&known) {
            Line::topology(owner, "up").tell(self.console)?;
            self.drift.insert(owner.clone(), Vec::new());
        }
        self.leave(&sources)?;
        for owner in known.difference(&up) {
            self.drift.remove(owner);
            self.due.remove(owner);
            Line::topology(owner, "down").tell(self.console)?;
        }
        sources.into_iter().try_for_each(|(spot, source)| self.take_up(spot, source))
    }

    fn is_wanted(&self, owner: &Owner) -> bool {
        self.wanted.topologies.is_empty() || self.wanted.topologies.contains(owner)
    }

    /// Rings when the ledger changes, or another one comes.
    fn ring_for(&mut self, record: &Record) -> Result<(), Failure> {
        let logs = record.ledger.log_directory();
        let folders = [logs.parent(), logs.parent().and_then(Path::parent)];
        // One that goes meanwhile rings in the folder above.
        folders.into_iter().flatten().for_each(|folder| drop(self.bell.add_folder(folder)));
        Ok(())
    }

    /// Lets go of namespaces that nobody asks for, or that are not there under their name any more.
    fn leave(&mut self, sources: &BTreeMap<Spot, Source>) -> Result<(), Failure> {
        let is_there = |(spot, seat): (&Spot, &Seat)| {
            let inode = seat.source.open().and_then(|netns| netns.inode()).ok();
            sources.get(spot) == Some(&seat.source) && inode == Some(seat.inode)
        };
        let gone: Vec<Spot> = self.seats.iter().filter(|seat| !is_there(*seat)).map(|(spot, _)| spot.clone()).collect();
        for spot in gone {
            self.seats.remove(&spot);
            Line::namespace(&spot, "gone").tell(self.console)?;
        }
        Ok(())
    }

    fn take_up(&mut self, spot: Spot, source: Source) -> Result<(), Failure> {
        self.bell.add(&place::path(&source))?;
        if self.seats.contains_key(&spot) {
            return Ok(());
        }
        // Not there yet, or not any more: its name rings.
        let Ok(netns) = source.open() else { return Ok(()) };
        let inode = netns.inode()?;
        let opened = Mirror::open(&netns, self.wanted.routes);
        let (mirror, changes) = opened.map_err(|cause| listen(&spot.node, cause))?;
        Line::namespace(&spot, "there").tell(self.console)?;
        changes.iter().try_for_each(|change| Line::change(&spot, change, true).tell(self.console))?;
        self.seats.insert(spot, Seat { source, inode, mirror });
        Ok(())
    }

    /// Sleeps until something happens; false when nobody reads any more.
    pub(crate) fn sleep(&self, wake: BorrowedFd<'_>, reader: BorrowedFd<'_>) -> Result<bool, Failure> {
        let seats = self.seats.values().map(|seat| seat.mirror.as_fd());
        let inputs = seats.chain(self.bell.descriptors()).chain([wake]).map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        // Of the reader only that it has gone is of interest, and poll() tells that unasked.
        let mut all: Vec<_> = std::iter::once(PollFd::new(reader, PollFlags::empty())).chain(inputs).collect();
        let look = (!self.due.is_empty()).then(|| self.quiet.min(self.latest));
        let until = look.into_iter().chain(self.counters).min();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.into_iter().chain(self.drift.is_empty().then_some(LOOK)).min();
        // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut all, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Failure::Signals(errno.into())),
        }
        Ok(!all[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR)))
    }

    /// Tells all that has happened.
    pub(crate) fn tell(&mut self) -> Result<(), Failure> {
        let mut lost = self.bell.has_rung() || self.drift.is_empty();
        let mut touched = BTreeSet::new();
        for (spot, seat) in &mut self.seats {
            match changes(seat) {
                // Not there any more under its name, or another one.
                None => lost = true,
                Some(told) => {
                    let told = told.map_err(|cause| listen(&spot.node, cause))?;
                    told.iter().try_for_each(|change| Line::change(spot, change, false).tell(self.console))?;
                    touched.extend((!told.is_empty()).then(|| spot.topology.clone()));
                }
            }
        }
        touched.iter().for_each(|owner| self.touch(owner));
        if lost {
            self.follow()?;
        }
        let now = Instant::now();
        if !self.due.is_empty() && (now >= self.quiet || now >= self.latest) {
            std::mem::take(&mut self.due).into_iter().try_for_each(|owner| self.tell_drift(&owner))?;
        }
        self.tell_counters(now)
    }

    fn touch(&mut self, owner: &Owner) {
        let now = Instant::now();
        if self.due.is_empty() {
            self.latest = now + PATIENCE;
        }
        self.quiet = now + QUIET;
        self.due.insert(owner.clone());
    }

    /// Tells what differs from what was asked for, where that is not what was told last.
    fn tell_drift(&mut self, owner: &Owner) -> Result<(), Failure> {
        let record = Record::read(owner)?;
        // While an `up` is at it, nothing differs: it is not done yet.
        let (Some(entry), None) = (&record.current, &record.next) else { return Ok(()) };
        // A namespace may go while we look: its name rings, and we look again.
        let Ok(observed) = record.scope(Some(&entry.desired)).and_then(|scope| Ok(observe(&scope)?)) else {
            return Ok(());
        };
        // What was changed on top of the document, at run time, is asked for too.
        let (changes, lines) = match plan(&record.overlaid(&entry.desired), &observed) {
            Ok(plan) => (to_value(&Steps(&plan)), plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Err(conflicts) => {
                let lines: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
                (serde_json::json!([]), lines)
            }
        };
        if self.drift.get(owner).is_some_and(|told| *told != lines) {
            let conflicts = if changes.as_array().is_some_and(Vec::is_empty) { &lines[..] } else { &[] };
            Line::drift(owner, changes, conflicts, &lines).tell(self.console)?;
            self.drift.insert(owner.clone(), lines);
        }
        Ok(())
    }

    fn tell_counters(&mut self, now: Instant) -> Result<(), Failure> {
        let (Some(due), Some(interval)) = (self.counters, self.wanted.interval) else { return Ok(()) };
        if now < due {
            return Ok(());
        }
        let next = due + interval;
        self.counters = Some(if next > now { next } else { now + interval });
        for (spot, seat) in &self.seats {
            // One that goes meanwhile is told of as gone.
            let counters = seat.source.open().ok().and_then(|netns| Mirror::counters(&netns).ok());
            for (name, counters) in counters.unwrap_or_default() {
                Line::counters(spot, &name, &counters).tell(self.console)?;
            }
        }
        Ok(())
    }
}

/// What has changed in a namespace; nothing where it has lost its name.
fn changes(seat: &mut Seat) -> Option<wireloom_netlink::Result<Vec<wireloom_netlink::mirror::Change>>> {
    let netns: Netns = seat.source.open().ok()?;
    (netns.inode().ok() == Some(seat.inode)).then(|| seat.mirror.changes(&netns))
}

fn listen(node: &Label, cause: wireloom_netlink::Error) -> Failure {
    Failure::Listen { place: node.to_string(), cause }
}

fn to_value(steps: &Steps<'_>) -> serde_json::Value {
    serde_json::to_value(steps).unwrap_or_default()
}
