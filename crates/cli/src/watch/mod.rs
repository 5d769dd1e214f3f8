//! Keeping a network as its documents say: what was looked at, when to look again, and when to try again what failed.
//! Does not know options.

pub(crate) mod files;
pub(crate) mod posts;
pub(crate) mod sentinel;
pub(crate) mod service;
mod told;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use wireloom_engine::{Label, Plan, observe, plan_leaving};
use wireloom_ledger::Ledger;
use wireloom_topology::Lowered;

use self::{
    sentinel::Sentinel,
    service::notify,
    told::{Held, Teller, What},
};
use crate::{
    bring_up::{BringUp, Outcome},
    console::Console,
    document,
    failure::Failure,
    record::Record,
    verb::waiting,
};

/// When what failed is tried again without an event: after this time, then after twice that, and so on.
const RETRY: Duration = Duration::from_secs(1);
/// The longest of these times.
const LONGEST: Duration = Duration::from_secs(30);
/// More repairs than this within a second are a fight with somebody, which we do not win by being faster.
const FIGHT: usize = 20;
/// Between two looks that found nothing lie so many times what a look takes: events that are not about us cost little.
const EASE: u32 = 10;
/// But not more than this: somebody waits for what is mended.
const LONGEST_EASE: Duration = Duration::from_millis(100);

/// A network that is watched.
pub(crate) struct Watch<'a> {
    console: &'a Console,
    files: Vec<PathBuf>,
    lowered: Lowered,
    stop: &'a AtomicBool,
    reload: &'a AtomicBool,
    sentinel: Sentinel,
    /// Nodes that something is wrong with, and what.
    held: BTreeMap<Label, String>,
    /// When to try again what failed, and how long to wait the time after.
    retry: Option<Instant>,
    pause: Duration,
    /// When the last repairs were.
    repairs: VecDeque<Instant>,
    /// No look before this, and whether an event waits for it.
    ease: Instant,
    is_deferred: bool,
    /// What was told last of nodes that something is wrong with.
    told: Vec<Held>,
}

/// What a look found.
enum Look {
    /// All is as it should be, or cannot be made so for now.
    Same,
    /// Something differs.
    Differs,
    /// Somebody has taken it down.
    Down,
}

impl<'a> Watch<'a> {
    /// Of what these documents say.
    pub(crate) fn new(
        console: &'a Console,
        files: Vec<PathBuf>,
        lowered: Lowered,
        (stop, reload): (&'a AtomicBool, &'a AtomicBool),
        sentinel: Sentinel,
    ) -> Watch<'a> {
        let (held, repairs) = (BTreeMap::new(), VecDeque::new());
        let (retry, pause, ease, is_deferred, told) = (None, RETRY, Instant::now(), false, Vec::new());
        Watch { console, files, lowered, stop, reload, sentinel, held, retry, pause, repairs, ease, is_deferred, told }
    }

    /// Brings it up, and stays until it is told to end, or somebody has taken it down.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        let mut since = Instant::now();
        self.make(What::Up, since)?;
        notify("READY=1");
        let mut listen = true;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return self.end("told to end; what is up stays");
            }
            // First listen, then look, so that nothing is missed between the two.
            if std::mem::take(&mut listen) {
                self.follow()?;
            }
            match self.look_and_mend(since)? {
                Look::Down => return self.end("somebody has taken it down"),
                Look::Differs => (listen, since) = (true, Instant::now()),
                Look::Same => (listen, since) = self.sleep()?,
            }
        }
    }

    /// Until it is time to look again. Whether to listen elsewhere first, and since when there is something to look at.
    fn sleep(&mut self) -> Result<(bool, Instant), Failure> {
        loop {
            let woken = self.sentinel.sleep(self.timeout())?;
            let since = woken.at.unwrap_or_else(Instant::now);
            if self.stop.load(Ordering::Relaxed) {
                return Ok((false, since));
            }
            let told = self.reload.swap(false, Ordering::Relaxed);
            if told || woken.files {
                self.load(told)?;
                return Ok((true, Instant::now()));
            }
            if woken.names || self.retry.is_some_and(|retry| retry <= Instant::now()) {
                self.held.clear();
                self.retry = None;
                return Ok((true, since));
            }
            self.is_deferred |= woken.kernel;
            if self.is_deferred && self.ease <= Instant::now() {
                self.is_deferred = false;
                return Ok((false, since));
            }
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        self.retry.into_iter().chain(self.is_deferred.then_some(self.ease)).map(until).min()
    }

    /// Listens where the namespaces are now.
    fn follow(&mut self) -> Result<(), Failure> {
        self.sentinel.follow(&self.lowered.desired)
    }

    /// What was found; `Differs` when something was done about it.
    fn look_and_mend(&mut self, since: Instant) -> Result<Look, Failure> {
        if self.retry.is_some() && self.held.is_empty() {
            return Ok(Look::Same);
        }
        let start = Instant::now();
        let look = self.look();
        self.ease = Instant::now() + (start.elapsed() * EASE).min(LONGEST_EASE);
        match look {
            Ok(Look::Same) => Ok(Look::Same),
            Ok(Look::Down) => Ok(Look::Down),
            // What cannot be looked at is made right, or told, by who tries.
            Ok(Look::Differs) | Err(_) => self.mend(since),
        }
    }

    fn look(&self) -> Result<Look, Failure> {
        let record = Record::read(&self.lowered.owner)?;
        if record.latest().is_none() {
            return Ok(Look::Down);
        }
        let desired = record.overlaid(&self.lowered.desired);
        let observed = observe(&record.scope(Some(&desired))?)?;
        match plan_leaving(&desired, &observed, &self.left()) {
            Ok(plan) if plan.is_empty() => Ok(Look::Same),
            _ => Ok(Look::Differs),
        }
    }

    fn left(&self) -> BTreeSet<Label> {
        self.held.keys().cloned().collect()
    }

    fn mend(&mut self, since: Instant) -> Result<Look, Failure> {
        let now = Instant::now();
        self.repairs.retain(|repair| now.duration_since(*repair) < Duration::from_secs(1));
        self.repairs.push_back(now);
        if self.repairs.len() > FIGHT {
            let (owner, times) = (&self.lowered.owner, self.repairs.len());
            self.console.warn(format_args!("{owner}: somebody undoes what is mended, {times} times in a second"));
            self.held.clear();
            self.try_later();
            return Ok(Look::Same);
        }
        match self.make(What::Mended, since) {
            Err(Failure::TakenDown) => Ok(Look::Down),
            Err(failure @ Failure::Output(_)) => Err(failure),
            Err(failure) => {
                self.held.clear();
                self.try_later();
                self.teller().failed(What::Failed, &failure).map(|()| Look::Same)
            }
            Ok(()) => Ok(Look::Differs),
        }
    }

    fn try_later(&mut self) {
        self.retry = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST);
    }

    /// Makes it right, with the lock held for that long.
    fn make(&mut self, event: What, since: Instant) -> Result<(), Failure> {
        let ledger = Ledger::open(&self.lowered.owner)?;
        let lock = ledger.lock("watch", self.stop, |holder| waiting(self.console, holder))?;
        // Who had the lock before may have been `down`.
        if event != What::Up && Record::read(&self.lowered.owner)?.latest().is_none() {
            ledger.remove()?;
            return Err(Failure::TakenDown);
        }
        let before = self.left();
        let mut up = BringUp {
            console: self.console,
            keep_partial: false,
            cancelled: self.stop,
            lowered: &self.lowered,
            warnings: Vec::new(),
            by_node: true,
            held: std::mem::take(&mut self.held),
        };
        let outcome = up.run(&self.files);
        let held = up.held;
        drop(lock);
        self.held = held;
        self.sentinel.forget_names();
        let Outcome { report, failed, unsettled, .. } = outcome?;
        self.tell(event, &report.plan, since, &before)?;
        match failed.into_iter().chain(unsettled).next() {
            // The network is right: a command that fails does not make us try again.
            Some(failure) => self.teller().failed(What::Failed, &failure),
            None => Ok(()),
        }
    }

    fn tell(&mut self, event: What, plan: &Plan, since: Instant, before: &BTreeSet<Label>) -> Result<(), Failure> {
        if self.held.is_empty() {
            (self.retry, self.pause) = (None, RETRY);
        } else if self.retry.is_none() || self.left() != *before {
            self.try_later();
        }
        let held = self.held.iter().map(|(node, reason)| Held { node: node.to_string(), reason: reason.clone() });
        let held: Vec<_> = held.collect();
        // That it was tried once more, in vain, is no news.
        if event == What::Mended && plan.is_empty() && held == self.told {
            return Ok(());
        }
        self.teller().did(event, plan, since.elapsed(), &held)?;
        self.told = held;
        Ok(())
    }

    /// Takes over what the documents say now, if they are right. That nothing differs is told only to who has asked.
    fn load(&mut self, asked: bool) -> Result<(), Failure> {
        let since = Instant::now();
        notify("RELOADING=1");
        let loaded = match document::load_here(self.console, &self.files) {
            Ok(lowered) if lowered.owner == self.lowered.owner => Ok(lowered),
            Ok(lowered) => {
                let (now, then) = (lowered.owner, self.lowered.owner.clone());
                Err(Failure::Renamed { now, then })
            }
            Err(failure) => Err(failure),
        };
        let told = match loaded {
            Ok(lowered) if !asked && says_the_same(&lowered, &self.lowered) => Ok(()),
            Ok(lowered) => self.take_over(lowered, since),
            Err(failure) => self.teller().failed(What::Wrong, &failure),
        };
        notify("READY=1");
        told
    }

    fn take_over(&mut self, lowered: Lowered, since: Instant) -> Result<(), Failure> {
        let old = std::mem::replace(&mut self.lowered, lowered);
        self.held.clear();
        self.retry = None;
        self.pause = RETRY;
        match self.make(What::Reloaded, since) {
            // The next look finds that it is down, or differs.
            Ok(()) | Err(Failure::TakenDown) => Ok(()),
            Err(failure @ Failure::Output(_)) => Err(failure),
            Err(failure) => {
                // What was up was put back: that is what we go on with until the document changes again.
                self.lowered = old;
                self.teller().failed(What::Failed, &failure)
            }
        }
    }

    fn end(&self, reason: &str) -> Result<(), Failure> {
        notify("STOPPING=1");
        self.teller().ended(reason)
    }

    fn teller(&self) -> Teller<'a> {
        Teller { console: self.console, topology: self.lowered.owner.clone() }
    }
}

fn says_the_same(one: &Lowered, other: &Lowered) -> bool {
    (&one.desired, &one.commands, &one.insides, &one.checks)
        == (&other.desired, &other.commands, &other.insides, &other.checks)
}
