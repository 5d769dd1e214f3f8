//! `wireloom up`: makes the network as a document says. Owns the order of ledger, engine and commands, so that a kill
//! at any moment leaves something that the next `up` or `down` understands.

use std::{
    path::PathBuf,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use clap::builder::FalseyValueParser;
use wireloom_engine::{Control, Failure as Stopped, Label, Report, Source, State, converge};
use wireloom_ledger::Ledger;
use wireloom_topology::{Command, Lowered};

use super::Ending;
use crate::{
    attached::{Attached, Entry},
    capability::{self, NET_ADMIN, SYS_ADMIN},
    changes::{Extras, Steps},
    console::Console,
    document,
    failure::Failure,
    holders::Going,
    made::Made,
    notes::Notes,
    options::Documents,
    orphans,
    progress::Bar,
    record::Record,
    removal, signals,
    summary::{self, Summary},
    supervision::{Done, Runner},
};

/// Options of `up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    documents: Documents,
    /// When a step fails, leave what was made until then instead of undoing it
    #[arg(long, env = "WIRELOOM_KEEP_PARTIAL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    keep_partial: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let files = document::find(&args.documents.files)?;
    let lowered = document::load(console, &files)?;
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let cancelled = signals::catch()?;
    let lock = Ledger::open(&lowered.owner)?.lock("up", &cancelled, |holder| waiting(console, holder))?;
    let mut run = Run {
        console,
        keep_partial: args.keep_partial,
        cancelled: &cancelled,
        lowered: &lowered,
        warnings: Vec::new(),
    };
    let done = run.up(&files);
    drop(lock);
    done.map(|()| Ending::Fine)
}

/// Tells who has the lock.
pub(super) fn waiting(console: &Console, holder: &wireloom_ledger::Holder) {
    console.say(format_args!("waiting for `wireloom {}` (process {}) to end", holder.verb, holder.pid));
}

/// One run, with the lock held.
struct Run<'a> {
    console: &'a Console,
    keep_partial: bool,
    cancelled: &'a AtomicBool,
    lowered: &'a Lowered,
    warnings: Vec<String>,
}

impl Run<'_> {
    fn up(&mut self, files: &[PathBuf]) -> Result<(), Failure> {
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
        let (mut report, begun) = match self.converge(&mut record, &entry) {
            Ok(done) => done,
            Err(failure) => return self.give_up(record, failure),
        };
        removal::displaced(self.console, &mut record, &entry.desired, &mut report, self.cancelled)?;
        self.tell_holders(&going, &report);
        let time = start.elapsed();
        let first = record.current.is_none();
        let before = entry.attached.clone();
        let (done, failure) = self.commands(&mut record.ledger, &mut entry);
        entry.attached.interrupted.clear();
        entry.attached.made.extend(report.made.clone());
        entry.attached.made.retain(|label, _| entry.desired.namespaces.contains_key(label));
        let unsettled = settle(&mut record, &entry, begun && entry.attached == before).err();
        self.answer(&report, &done, failure.as_ref(), first, time)?;
        match (failure, unsettled) {
            (None, None) => Ok(()),
            (Some(failure), None) | (None, Some(failure)) => Err(failure),
            (Some(failure), Some(unsettled)) => Err(Failure::Several(vec![failure, unsettled])),
        }
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
    fn give_up(&self, record: Record, failure: Failure) -> Result<(), Failure> {
        let ledger = record.ledger;
        let tells = record.current.is_some() || ledger.next::<Attached>()?.is_some() || !ledger.processes()?.is_empty();
        if !tells {
            ledger.remove()?;
        }
        Err(failure)
    }

    /// The engine's part. The second answer is whether the ledger tells that something was begun.
    fn converge(&self, record: &mut Record, entry: &Entry) -> Result<(Report, bool), Failure> {
        let scope = record.scope(Some(&entry.desired))?;
        let sources = record.sources(Some(&entry.desired));
        let fresh = record.next.is_none();
        let mut notes = Notes::new(&mut record.ledger, sources, Some(entry));
        let mut bar = Bar::start(self.console.talk_paint());
        let mut progress = |progress| bar.update(progress);
        let mut control =
            Control { cancelled: self.cancelled, progress: &mut progress, keep_partial: self.keep_partial };
        let converged = converge(&entry.desired, &scope, &mut notes, &mut control);
        let begun = notes.has_begun();
        bar.finish();
        match converged {
            Ok(report) => Ok((report, begun)),
            Err(cause) => {
                // Undone completely: nothing of this document is there. After an `up` that was killed there may be.
                if begun && fresh && is_undone(&cause) {
                    record.ledger.abandon()?;
                }
                Err(Failure::converge(&self.lowered.owner, cause))
            }
        }
    }

    /// The commands' part: the network is right by now, so a failure is told and undoes nothing.
    fn commands(&mut self, ledger: &mut Ledger, entry: &mut Entry) -> (Vec<Done>, Option<Failure>) {
        let ran = std::mem::take(&mut entry.attached.ran);
        let mut runner = Runner { ledger, desired: &self.lowered.desired, ran, did: Vec::new(), left: Vec::new() };
        let failure = runner.run(&self.lowered.commands, self.cancelled).err();
        let Runner { mut ran, did, left, .. } = runner;
        for process in left {
            self.warn(format!("process {} (`{}`) could not be ended", process.pid, process.command));
        }
        ran.retain(|ran| self.lowered.commands.iter().any(|c| c.node == ran.node && c.command == ran.command));
        entry.attached.ran = ran;
        (did, failure)
    }

    fn answer(
        &mut self,
        report: &Report,
        done: &[Done],
        failure: Option<&Failure>,
        first: bool,
        time: Duration,
    ) -> Result<(), Failure> {
        // Shown already, when the document was loaded.
        let of_document = self.lowered.warnings.list.iter().map(|warning| warning.message.clone());
        let warnings = of_document.chain(std::mem::take(&mut self.warnings)).collect();
        self.console.answer(&Made {
            topology: &self.lowered.owner,
            changed: Steps(&report.plan),
            summary: Summary::of(&report.plan),
            phases: summary::rounded(&report.phases),
            also_gone: Extras(&report.plan.also_gone),
            left_alone: Extras(&report.plan.left_alone),
            commands: done,
            failed: failure.map(ToString::to_string),
            warnings,
            first,
            time,
        })
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
