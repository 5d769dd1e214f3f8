//! converge(): looks, plans, applies and verifies; takes its steps back when one fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use thiserror::Error;
use wireloom_netns::NetnsId;

use crate::{
    Conflict, Control, Error, Journal, Kind, Label, LinkRef, Phase, PhaseTime, Plan, Scope, State, Step,
    apply::{Applied, apply},
    observe::{self, observe},
    plan_leaving, setting, undo, verify,
};

/// What a run has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The steps, all of which were done.
    pub plan: Plan,
    /// How long each part took, in order; first `observe`, last `verify`.
    pub phases: Vec<PhaseTime>,
    /// Namespaces that were made: what a ledger keeps for [`Scope::identify`].
    pub made: BTreeMap<Label, NetnsId>,
    /// Namespaces that were dropped, and live on without our links because somebody holds them.
    pub held: Vec<Label>,
}

/// Why the kernel is not as desired.
#[derive(Debug, Error)]
pub enum Failure {
    /// The kernel could not be read. Nothing was changed.
    #[error("read the state of the kernel: {0}")]
    Observe(#[source] Box<Error>),
    /// Something of others is in the way. Nothing was changed.
    #[error("{}", all(.0))]
    Conflicts(Vec<Conflict>),
    /// What is about to be done could not be written down. Nothing was changed.
    #[error("write down what is about to be done: {0}")]
    Journal(#[source] std::io::Error),
    /// A step failed.
    #[error("{}: {error}; {rest}", step.in_words())]
    Step {
        /// The step.
        step: Box<Step>,
        /// Why.
        #[source]
        error: Box<Error>,
        /// What became of the steps before it.
        rest: Undone,
    },
    /// All steps were done, and yet the kernel is not as desired.
    #[error("the kernel took every step, and yet {}; {rest}", all(missing))]
    Verify {
        /// What is missing.
        missing: Vec<Missing>,
        /// What became of the steps.
        rest: Undone,
    },
    /// It was told to stop.
    #[error("stopped; {rest}")]
    Cancelled {
        /// What became of the steps before.
        rest: Undone,
    },
}

/// What a verification has found missing.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Missing {
    /// A step that a second plan would do again.
    #[error("this is still to do: {}", .0.in_words())]
    Step(Box<Step>),
    /// Somebody else on the segment has an address.
    #[error("address {net} on {at} is used by somebody else on that segment (duplicate address detection failed)")]
    Duplicate {
        /// The link.
        at: LinkRef,
        /// The address.
        net: ipnet::IpNet,
    },
    /// Another conflict than before.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// It could not be read.
    #[error("it could not be read: {0}")]
    Unread(String),
}

/// What became of steps that were done before something failed.
#[derive(Debug, Default)]
pub struct Undone {
    /// How many were done.
    pub done: usize,
    /// Whether they were left on purpose.
    pub kept: bool,
    /// Those that could not be taken back, and why.
    pub left: Vec<(Step, Error)>,
}

impl std::fmt::Display for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.done, self.kept, self.left.len()) {
            (0, _, 0) => f.write_str("nothing was changed"),
            (1, true, _) => f.write_str("the step before it was kept"),
            (done, true, _) => write!(f, "the {done} steps before it were kept"),
            (1, false, 0) => f.write_str("the step before it was taken back"),
            (done, false, 0) => write!(f, "the {done} steps before it were taken back"),
            (done, false, _) => {
                match done {
                    0 => f.write_str("what it had changed could not be taken back: ")?,
                    done => write!(f, "of the {done} steps before it these could not be taken back: ")?,
                }
                let left: Vec<String> =
                    self.left.iter().map(|(step, error)| format!("{} ({error})", step.in_words())).collect();
                f.write_str(&left.join("; "))
            }
        }
    }
}

impl Failure {
    /// What a front end does about it.
    pub fn kind(&self) -> Kind {
        match self {
            Failure::Observe(error) => error.kind(),
            Failure::Step { error, .. } => error.kind(),
            Failure::Journal(_) | Failure::Verify { .. } => Kind::Busy,
            Failure::Cancelled { .. } => Kind::Interrupted,
            Failure::Conflicts(conflicts) => match conflicts.first() {
                Some(Conflict::MissingNetns { .. } | Conflict::MissingParent { .. }) => Kind::NotFound,
                Some(Conflict::MissingController { .. }) => Kind::NotFound,
                _ => Kind::Exists,
            },
        }
    }
}

impl Failure {
    /// The namespaces that something is wrong with: without them the others can be made right. None where that is not
    /// known.
    pub fn culprits(&self) -> BTreeSet<Label> {
        match self {
            Failure::Observe(error) => error.place().cloned().into_iter().collect(),
            Failure::Conflicts(conflicts) => conflicts.iter().map(|conflict| conflict.netns().clone()).collect(),
            Failure::Step { step, error, .. } => [error.place().unwrap_or(step.netns()).clone()].into(),
            Failure::Verify { missing, .. } => missing.iter().filter_map(Missing::netns).cloned().collect(),
            Failure::Journal(_) | Failure::Cancelled { .. } => BTreeSet::new(),
        }
    }
}

impl Missing {
    fn netns(&self) -> Option<&Label> {
        match self {
            Missing::Step(step) => Some(step.netns()),
            Missing::Duplicate { at, .. } => Some(&at.netns),
            Missing::Conflict(conflict) => Some(conflict.netns()),
            Missing::Unread(_) => None,
        }
    }
}

fn all<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join("; ")
}

/// Makes the kernel as desired. Where nothing differs it only looks.
///
/// # Errors
/// What stopped it, and what became of the steps that had been done by then.
pub fn converge(
    desired: &State,
    scope: &Scope,
    journal: &mut dyn Journal,
    control: &mut Control<'_>,
) -> Result<Report, Failure> {
    converge_leaving(desired, &BTreeSet::new(), scope, journal, control)
}

/// The same, but these namespaces are left as they are, and so is what needs them.
///
/// # Errors
/// What stopped it in the others.
pub fn converge_leaving(
    desired: &State,
    held: &BTreeSet<Label>,
    scope: &Scope,
    journal: &mut dyn Journal,
    control: &mut Control<'_>,
) -> Result<Report, Failure> {
    let mut watch = Watch(Vec::new());
    let observed = watch.time("observe", || observe(scope)).map_err(|error| Failure::Observe(Box::new(error)))?;
    let plan = plan_leaving(desired, &observed, held).map_err(Failure::Conflicts)?;
    if plan.is_empty() {
        return Ok(Report { plan, phases: watch.0, made: BTreeMap::new(), held: Vec::new() });
    }
    journal.begin(&plan).map_err(Failure::Journal)?;
    // Namespaces that were dropped cannot come back: they go when all else is right.
    let last = plan.steps.partition_point(|step| step.phase() < Phase::Drops);
    let (changes, drops) = plan.steps.split_at(last);
    let mut run = Run { plan: &plan, observed: &observed, journal, control, watch };
    let applied = run.change(changes)?;
    run.verify(desired, held, scope, &applied)?;
    let held = run.drop_netns(drops, &applied)?;
    let (made, phases) = (made(&plan), run.watch.0);
    Ok(Report { made, held, phases, plan })
}

/// A plan that is being done.
struct Run<'a, 'c> {
    plan: &'a Plan,
    observed: &'a State,
    journal: &'a mut dyn Journal,
    control: &'a mut Control<'c>,
    watch: Watch,
}

impl Run<'_, '_> {
    fn apply(&mut self, steps: &[Step]) -> Applied {
        let mut applied = apply(self.plan, steps, self.observed, self.journal, self.control);
        self.watch.0.append(&mut applied.phases);
        applied
    }

    fn take_back(&mut self, applied: &Applied) -> Undone {
        take_back(self.plan, applied, self.observed, self.journal, self.control)
    }

    /// All that can be taken back.
    fn change(&mut self, steps: &[Step]) -> Result<Applied, Failure> {
        let mut applied = self.apply(steps);
        if let Some((step, error)) = applied.failed.take() {
            applied.half_done = Some(step.clone()).filter(may_be_half_done);
            let rest = self.take_back(&applied);
            return Err(Failure::Step { step: Box::new(step), error: Box::new(error), rest });
        }
        if applied.done.len() < steps.len() {
            return Err(Failure::Cancelled { rest: self.take_back(&applied) });
        }
        Ok(applied)
    }

    fn verify(
        &mut self,
        desired: &State,
        held: &BTreeSet<Label>,
        scope: &Scope,
        applied: &Applied,
    ) -> Result<(), Failure> {
        let cancelled = self.control.cancelled;
        match self.watch.time("verify", || verify(desired, held, scope, cancelled)) {
            missing if missing.is_empty() => Ok(()),
            missing => Err(Failure::Verify { missing, rest: self.take_back(applied) }),
        }
    }

    /// What was dropped stays dropped; where nothing was yet, the changes before are taken back.
    fn drop_netns(&mut self, steps: &[Step], applied: &Applied) -> Result<Vec<Label>, Failure> {
        let mut dropped = self.apply(steps);
        let failed = dropped.failed.take();
        if failed.is_none() && dropped.done.len() == steps.len() {
            return Ok(dropped.held);
        }
        let rest = match dropped.done.len() {
            0 => self.take_back(applied),
            some => Undone { done: applied.done.len() + some, kept: true, left: Vec::new() },
        };
        Err(match failed {
            Some((step, error)) => Failure::Step { step: Box::new(step), error: Box::new(error), rest },
            None => Failure::Cancelled { rest },
        })
    }
}

/// Who the new namespaces are. One that has gone by now has nothing to be known by.
fn made(plan: &Plan) -> BTreeMap<Label, NetnsId> {
    let new = plan.steps.iter().filter_map(|step| match step {
        Step::AddNetns { netns, .. } => Some(netns),
        _ => None,
    });
    let identify = |netns: &Label| {
        let open = observe::open(netns, plan.sources.get(netns)?).ok()??;
        Some((netns.clone(), open.id().ok()?))
    };
    new.filter_map(identify).collect()
}

/// Steps that the kernel does piece by piece: one that was refused may have changed something all the same. Taking it
/// back where it has changed nothing is harmless.
fn may_be_half_done(step: &Step) -> bool {
    matches!(step, Step::SetLink { .. } | Step::SetQdisc { .. } | Step::SetSysctl { .. } | Step::SetFirewall { .. })
}

/// Undoes what was done, as far as it goes: a step that cannot be taken back does not hold up the others.
fn take_back(
    plan: &Plan,
    applied: &Applied,
    observed: &State,
    journal: &mut dyn Journal,
    control: &mut Control<'_>,
) -> Undone {
    let done = applied.done.iter().map(|at| plan.steps[*at].clone());
    let done: Vec<Step> = done.chain(applied.half_done.clone()).collect();
    let mut undone = Undone { done: applied.done.len(), kept: control.keep_partial, left: Vec::new() };
    if control.keep_partial {
        return undone;
    }
    let never = std::sync::atomic::AtomicBool::new(false);
    // First: where such a link took the place of an older one, that one's settings are noted again on the way back.
    forget_settings_of_new_links(&done, journal);
    let mut steps = undo(&done);
    steps.iter_mut().for_each(|step| keep_note(step, observed));
    while !steps.is_empty() {
        let mut control = Control { cancelled: &never, progress: &mut *control.progress, keep_partial: false };
        let mut way_back = apply(plan, &steps, observed, journal, &mut control);
        let Some((step, error)) = way_back.failed.take() else { break };
        let mut at = 0;
        steps.retain(|_| {
            at += 1;
            way_back.done.binary_search(&(at - 1)).is_err()
        });
        steps.retain(|left| *left != step);
        undone.left.push((step, error));
    }
    undone
}

/// A setting that an earlier run has changed goes back to what that run has made of it, and its note stays.
fn keep_note(step: &mut Step, observed: &State) {
    if let Step::SetSysctl { netns, key, back, .. } = step {
        let noted = observed.namespaces.get(netns).is_some_and(|netns| netns.before.contains_key(key));
        *back &= !noted;
    }
}

/// They have gone with their links, so that there is nothing to put back. What cannot be forgotten now finds nothing to
/// put back later.
fn forget_settings_of_new_links(done: &[Step], journal: &mut dyn Journal) {
    for step in done {
        if let Step::SetSysctl { netns, key, from: None, back: false, .. } = step
            && setting::is_of_link(key)
        {
            drop(journal.restored(netns, key));
        }
    }
}

/// Measures parts.
struct Watch(Vec<PhaseTime>);

impl Watch {
    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = work();
        self.0.push(PhaseTime { name: name.to_owned(), ms: start.elapsed().as_secs_f64() * 1000.0 });
        outcome
    }
}
