//! apply(): does the steps of a plan, one after the other, and decides nothing. Stops at the first that fails and says
//! how far it came.

mod batch;
mod explain;
mod firewall;
mod kernel;
mod link;
mod namespace;
mod step;
mod wireguard;

use std::{
    collections::HashMap,
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

pub(crate) use self::explain::explain;
use self::{
    batch::{Batch, Outcome},
    kernel::Kernel,
};
use crate::{Error, Label, LinkRef, Phase, Plan, State, Step, sysctl::Baseline};

/// What an interrupted run must be able to find again.
pub trait Journal: Send {
    /// Called once, when it is known that the plan can be done and before anything changes.
    ///
    /// # Errors
    /// Nothing is changed then.
    fn begin(&mut self, plan: &Plan) -> io::Result<()>;

    /// A setting is about to change for the first time; `value` is what is there now.
    ///
    /// # Errors
    /// The setting is not changed then.
    fn before(&mut self, netns: &Label, key: &str, value: &str) -> io::Result<()>;

    /// The setting has been put back.
    ///
    /// # Errors
    /// Ends the run.
    fn restored(&mut self, netns: &Label, key: &str) -> io::Result<()>;
}

/// How a run is watched and stopped.
pub struct Control<'a> {
    /// Set from a signal handler: stop before the next step, and undo.
    pub cancelled: &'a AtomicBool,
    /// Called after every step.
    pub progress: &'a mut dyn FnMut(Progress),
    /// Leave what was done when a step fails.
    pub keep_partial: bool,
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Steps done.
    pub done: usize,
    /// Steps of this phase.
    pub total: usize,
}

/// How long a phase took.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PhaseTime {
    /// Its name.
    pub name: String,
    /// Milliseconds.
    pub ms: f64,
}

/// What came of a run of steps.
#[derive(Default)]
pub(crate) struct Applied {
    /// Which steps are done.
    pub(crate) done: Vec<usize>,
    pub(crate) phases: Vec<PhaseTime>,
    /// The step that failed, and why; none when all are done, or when it was cancelled.
    pub(crate) failed: Option<(Step, Error)>,
    /// A step that failed and may have changed something.
    pub(crate) half_done: Option<Step>,
    /// Namespaces that were dropped, and live on because somebody holds them.
    pub(crate) held: Vec<Label>,
}

impl Applied {
    /// A few steps come earlier than the others of their phase: one sum for each.
    fn took(&mut self, phase: Phase, start: Instant) {
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        match self.phases.iter_mut().find(|known| known.name == phase.name()) {
            Some(known) => known.ms += ms,
            None => self.phases.push(PhaseTime { name: phase.name().to_owned(), ms }),
        }
    }
}

/// Does `steps` in order. `observed` supplies the numbers of links that are there already.
pub(crate) fn apply(
    plan: &Plan,
    steps: &[Step],
    observed: &State,
    journal: &mut dyn Journal,
    control: &mut Control<'_>,
) -> Applied {
    let baseline = Baseline::default();
    let mut kernel = Kernel::new(&plan.owner, &plan.sources, indexes(observed), &baseline);
    let mut applied = Applied::default();
    for of_phase in steps.chunk_by(|a, b| a.phase() == b.phase()) {
        let start = Instant::now();
        let first = applied.done.len();
        let outcome = phase(&mut kernel, of_phase, journal, control);
        applied.took(of_phase[0].phase(), start);
        applied.done.extend(outcome.done.iter().map(|at| first + at));
        applied.failed = outcome.failed.map(|(at, error)| (of_phase[at].clone(), explain(&of_phase[at], error)));
        if outcome.done.len() < of_phase.len() {
            break;
        }
    }
    applied.held = kernel.held;
    applied
}

fn phase(kernel: &mut Kernel<'_>, steps: &[Step], journal: &mut dyn Journal, control: &mut Control<'_>) -> Outcome {
    let mut all = Outcome { done: Vec::with_capacity(steps.len()), failed: None };
    for batch in Batch::split(steps) {
        if control.cancelled.load(Ordering::Relaxed) {
            break;
        }
        let before = all.done.len();
        let (phase, total) = (batch.steps()[0].phase(), steps.len());
        let progress = &mut control.progress;
        let mut report = |done: usize| progress(Progress { phase, done: before + done, total });
        let outcome = batch.run(kernel, journal, control.cancelled, &mut report);
        all.done.extend(outcome.done.iter().map(|at| before + at));
        all.failed = outcome.failed.map(|(at, error)| (before + at, error));
        if all.done.len() < before + batch.steps().len() {
            break;
        }
    }
    all
}

fn indexes(observed: &State) -> HashMap<LinkRef, u32> {
    let of = |(label, netns): (&'_ Label, &'_ crate::Namespace)| {
        let known = netns.links.iter().filter_map(|(name, link)| Some((LinkRef::new(label, *name), link.index?)));
        known.collect::<Vec<_>>()
    };
    observed.namespaces.iter().flat_map(of).collect()
}
