//! Making the network as a document says: the order of ledger, engine and commands, so that a kill at any moment leaves
//! something that the next `up` or `down` understands. Does not know options, nor how it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use wireloom_engine::{Control, Failure as Stopped, Label, Report, Source, State, converge_leaving};
use wireloom_ledger::Ledger;
use wireloom_topology::{Command, Lowered};

use crate::{
    attached::{Attached, Entry},
    console::Console,
    document,
    failure::Failure,
    holders::Going,
    notes::Notes,
    orphans,
    progress::Bar,
    record::Record,
    removal,
    room::Changed,
    supervision::{Done, Runner},
};

/// What to bring up, and how. The topology's lock is held by who calls.
pub(crate) struct BringUp<'a> {
    pub(crate) console: &'a Console,
    /// Whether what was made before a step failed stays.
    pub(crate) keep_partial: bool,
    pub(crate) cancelled: &'a AtomicBool,
    pub(crate) lowered: &'a Lowered,
    /// What was said on the way.
    pub(crate) warnings: Vec<String>,
    /// Whether a node that something is wrong with is left as it is, so that it holds no other up. Else it is the
    /// whole document or nothing.
    pub(crate) by_node: bool,
    /// The nodes that are left as they are, and why.
    pub(crate) held: BTreeMap<Label, String>,
}

/// What came of it. The network is right, even where a command failed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// The rooms of nodes that were made, changed or removed.
    pub(crate) rooms: Vec<Changed>,
    /// The commands that were run now.
    pub(crate) commands: Vec<Done>,
    /// The command that failed.
    pub(crate) failed: Option<Failure>,
    /// Why the ledger could not be written.
    pub(crate) unsettled: Option<Failure>,
    /// Whether nothing of that name was up before.
    pub(crate) first: bool,
    pub(crate) time: Duration,
}

impl BringUp<'_> {
    /// Does it.
    pub(crate) fn run(&mut self, files: &[PathBuf]) -> Result<Outcome, Failure> {
        // Whoever plays a script has the lock: one that is there now was killed.
        Ledger::open(&self.lowered.owner)?.settle_script()?;
        let mut record = Record::read(&self.lowered.owner)?;
        // Nothing is begun where it is unknown what runs.
        record.ledger.processes()?;
        let mut entry = self.entry(files, &record);
        self.warn_about_another(&record, &entry);
        record.forget_stale(&entry.desired)?;
        self.end_orphans(&record);
        let stays = |label: &Label, source: &Source| {
            entry.desired.namespaces.get(label).is_some_and(|netns| netns.source == *source)
        };
        let going = Going::of(record.states(), |label, source| !stays(label, source));
        let start = Instant::now();
        let (mut report, mut begun) = match self.converge(&mut record, &entry) {
            Ok(done) => done,
            Err(failure) => return self.give_up(record, failure),
        };
        removal::displaced(self.console, &mut record, &entry.desired, &mut report, self.cancelled)?;
        self.tell_holders(&going, &report);
        let time = start.elapsed();
        let first = record.current.is_none();
        if !begun && first && entry.attached.insides.values().any(|inside| inside.room) {
            // There is nothing yet that tells of rooms.
            record.ledger.begin(&entry)?;
            begun = true;
        }
        let before = entry.attached.clone();
        let (rooms, commands, failed) = self.commands(&mut record.ledger, &mut entry);
        entry.attached.interrupted.clear();
        entry.attached.made.extend(report.made.clone());
        entry.attached.made.retain(|label, _| entry.desired.namespaces.contains_key(label));
        let unsettled = settle(&mut record, &entry, begun && entry.attached == before).err();
        Ok(Outcome { report, rooms, commands, failed, unsettled, first, time })
    }

    /// Only an `up` with something to supervise can have been killed while it started that.
    fn end_orphans(&mut self, record: &Record) {
        let supervises = |commands: &[Command]| commands.iter().any(|command| command.supervised);
        let before = || record.current.iter().any(|entry| supervises(&entry.attached.commands));
        if record.next.is_some() || supervises(&self.lowered.commands) || before() {
            let known = record.ledger.salvage_processes().0.into_iter().map(|process| process.log).collect::<Vec<_>>();
            let (ended, left) = orphans::end(&record.ledger, &known);
            for row in ended {
                let (pid, command) = (row.pid, row.command);
                self.console
                    .say(format_args!("ended process {pid} (`{command}`), which an `up` that was killed had started"));
            }
            left.iter()
                .for_each(|row| self.warn(format!("process {} (`{}`) could not be ended", row.pid, row.command)));
        }
    }

    /// Names those who hold a namespace that went.
    fn tell_holders(&mut self, going: &Going, report: &Report) {
        if !report.held.is_empty() {
            let mut holders = Vec::new();
            going.late(&report.held, &mut holders);
            holders.iter().for_each(|holder| self.warn(holder.to_string()));
        }
    }

    /// What goes into the ledger.
    fn entry(&self, files: &[PathBuf], record: &Record) -> Entry {
        let mut interrupted: Vec<State> = Vec::new();
        if let Some(next) = &record.next {
            let states = next.attached.interrupted.iter().chain([&next.desired]);
            interrupted.extend(states.filter(|state| **state != self.lowered.desired).cloned());
        }
        let attached = Attached {
            commands: self.lowered.commands.clone(),
            insides: self.lowered.insides.clone(),
            checks: self.lowered.checks.clone(),
            ran: record.latest().map(|entry| entry.attached.ran.clone()).unwrap_or_default(),
            made: record.latest().map(|entry| entry.attached.made.clone()).unwrap_or_default(),
            interrupted,
        };
        Entry { documents: document::absolutes(files), desired: self.lowered.desired.clone(), attached }
    }

    fn warn(&mut self, warning: String) {
        self.console.warn(&warning);
        self.warnings.push(warning);
    }

    fn warn_about_another(&mut self, record: &Record, entry: &Entry) {
        let Some(current) = &record.current else { return };
        if current.documents != entry.documents {
            let (owner, files) = (&self.lowered.owner, document::shown(&current.documents));
            self.warn(format!("{owner} was up from {files}; it is now made as the new document says"));
        }
    }

    /// Leaves no ledger where nothing is left to tell about.
    fn give_up(&self, record: Record, failure: Failure) -> Result<Outcome, Failure> {
        let ledger = record.ledger;
        let tells = record.current.is_some() || ledger.next::<Attached>()?.is_some() || !ledger.processes()?.is_empty();
        if !tells {
            ledger.remove()?;
        }
        Err(failure)
    }

    /// The engine's part. The second answer is whether the ledger tells that something was begun.
    fn converge(&mut self, record: &mut Record, entry: &Entry) -> Result<(Report, bool), Failure> {
        let fresh = record.next.is_none();
        let mut begun = false;
        loop {
            let (converged, began) = self.attempt(record, entry)?;
            begun |= began;
            match converged {
                Ok(report) => return Ok((report, begun)),
                Err(cause) if self.by_node && self.hold(&cause) => {}
                Err(cause) => {
                    // Undone completely: nothing of this document is there. After an `up` that was killed there may be.
                    if begun && fresh && is_undone(&cause) {
                        record.ledger.abandon()?;
                    }
                    return Err(Failure::converge(&self.lowered.owner, cause));
                }
            }
        }
    }

    /// Tries without the nodes that are left as they are.
    fn attempt(&self, record: &mut Record, entry: &Entry) -> Result<(Result<Report, Stopped>, bool), Failure> {
        let desired = record.overlaid(&entry.desired);
        let scope = record.scope(Some(&desired))?;
        let sources = record.sources(Some(&desired));
        let mut notes = Notes::new(&mut record.ledger, sources, Some(entry));
        let mut bar = Bar::start(self.console.talk_paint());
        let mut progress = |progress| bar.update(progress);
        let mut control =
            Control { cancelled: self.cancelled, progress: &mut progress, keep_partial: self.keep_partial };
        let held: BTreeSet<Label> = self.held.keys().cloned().collect();
        let converged = converge_leaving(&desired, &held, &scope, &mut notes, &mut control);
        let begun = notes.has_begun();
        bar.finish();
        Ok((converged, begun))
    }

    /// Leaves the nodes as they are that something is wrong with; false where that is not known of any further one.
    fn hold(&mut self, cause: &Stopped) -> bool {
        let known = self.held.len();
        for label in cause.culprits() {
            let reason = match cause {
                Stopped::Conflicts(conflicts) => {
                    conflicts.iter().find(|conflict| *conflict.netns() == label).map(ToString::to_string)
                }
                _ => None,
            };
            self.held.entry(label).or_insert_with(|| reason.unwrap_or_else(|| cause.to_string()));
        }
        self.held.len() > known
    }

    /// The commands' part: the network is right by now, so a failure is told and undoes nothing.
    fn commands(&mut self, ledger: &mut Ledger, entry: &mut Entry) -> (Vec<Changed>, Vec<Done>, Option<Failure>) {
        let ran = std::mem::take(&mut entry.attached.ran);
        let mut runner = Runner::new(ledger, self.lowered, ran);
        runner.held = self.held.keys().cloned().collect();
        let failure = runner.run(&self.lowered.commands, self.cancelled).err();
        let Runner { mut ran, did, left, rooms, .. } = runner;
        for process in left {
            self.warn(format!("process {} (`{}`) could not be ended", process.pid, process.command));
        }
        ran.retain(|ran| self.lowered.commands.iter().any(|c| c.node == ran.node && c.command == ran.command));
        entry.attached.ran = ran;
        (rooms, did, failure)
    }
}

/// Makes what was begun what is up.
fn settle(record: &mut Record, entry: &Entry, written: bool) -> Result<(), Failure> {
    if written {
        record.ledger.commit()?;
    } else if record.current.as_ref() == Some(entry) {
        // Nothing to do means nothing to write. What a killed `up` was making has turned out to be this.
        record.ledger.abandon()?;
    } else {
        record.ledger.begin(entry)?;
        record.ledger.commit()?;
    }
    Ok(())
}

/// Whether nothing is left of what was done.
fn is_undone(failure: &Stopped) -> bool {
    match failure {
        Stopped::Observe(_) | Stopped::Conflicts(_) | Stopped::Journal(_) => true,
        Stopped::Step { rest, .. } | Stopped::Verify { rest, .. } | Stopped::Cancelled { rest } => {
            rest.left.is_empty() && (!rest.kept || rest.done == 0)
        }
    }
}
