//! plan(): what it takes to get from an observed [`State`] to a desired one. Pure: no I/O, no clock, no order of events.

mod address;
mod conflict;
mod extra;
mod firewall;
mod leave;
mod link;
mod namespace;
mod object;
mod order;
mod qdisc;
mod step;
mod sysctl;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::{
    conflict::Conflict,
    extra::Extra,
    step::{NewLink, Phase, Port, Settings, Step},
    undo::undo,
};
use crate::{Label, Link, LinkRef, Owner, Source, State, object::ObjectKey};

/// Steps that lead from what is to what should be. A value: it prints, it serialises, and [`undo`] turns it round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Whose plan it is.
    pub owner: Owner,
    /// Where the namespaces are found that the steps name.
    #[serde(default)]
    pub sources: BTreeMap<Label, Source>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Why links are replaced rather than changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replaced: BTreeMap<LinkRef, String>,
    /// What others have stacked on links that go: it goes too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_gone: Vec<Extra>,
    /// What others have added, and what is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<Extra>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Compares `observed` with `desired`. Objects that are not ours are never part of a step, except that settings of
/// namespaces which a document names are changed and put back.
///
/// # Errors
/// All conflicts with what others have, and all that is missing.
pub fn plan(desired: &State, observed: &State) -> Result<Plan, Vec<Conflict>> {
    plan_leaving(desired, observed, &BTreeSet::new())
}

/// The same without some namespaces: what is wrong in those is no conflict, and what goes on in them is not in the plan.
///
/// # Errors
/// All conflicts in the others.
pub fn plan_leaving(desired: &State, observed: &State, held: &BTreeSet<Label>) -> Result<Plan, Vec<Conflict>> {
    let mut planner = Planner::new(desired, observed);
    planner.namespaces();
    planner.links();
    planner.sysctls();
    planner.addresses();
    planner.objects();
    planner.firewalls();
    planner.qdiscs();
    planner.extras();
    planner.conflicts.retain(|conflict| !held.contains(conflict.netns()));
    planner.finish().map(|plan| plan.leaving(held))
}

/// The kernel counts from 1 in each namespace: what a process makes there later does not come near our numbers soon.
const FIRST: u32 = 1000;

/// Numbers of links are positive ints. Those of others above this do not count, or there would be none left for us.
const HIGHEST: u32 = 1 << 30;

/// What is known half-way through planning.
struct Planner<'a> {
    desired: &'a State,
    observed: &'a State,
    /// Namespaces of ours that go.
    dropped: BTreeSet<Label>,
    /// Links that go, in namespaces that stay.
    doomed: BTreeSet<LinkRef>,
    /// Links whose addresses of one family or whose carrier are disturbed, so that the kernel may drop their routes.
    disturbed: BTreeSet<LinkRef>,
    /// Links that lose their IPv6 addresses because of a change.
    erased: BTreeSet<LinkRef>,
    /// Links whose MAC changes.
    readdressed: BTreeSet<LinkRef>,
    /// Objects that go, or go and come back, and that others name.
    unsettled: BTreeSet<(Label, ObjectKey)>,
    steps: BTreeMap<Phase, Vec<Step>>,
    replaced: BTreeMap<LinkRef, String>,
    also_gone: Vec<Extra>,
    left_alone: Vec<Extra>,
    conflicts: Vec<Conflict>,
    next_index: u32,
}

impl<'a> Planner<'a> {
    fn new(desired: &'a State, observed: &'a State) -> Self {
        let links = observed.namespaces.values().flat_map(|n| n.links.values());
        let taken = links.filter_map(|l| l.index).filter(|index| *index < HIGHEST).max().unwrap_or(0);
        Planner {
            desired,
            observed,
            dropped: BTreeSet::new(),
            doomed: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            erased: BTreeSet::new(),
            readdressed: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            steps: BTreeMap::new(),
            replaced: BTreeMap::new(),
            also_gone: Vec::new(),
            left_alone: Vec::new(),
            conflicts: Vec::new(),
            next_index: (taken + 1).max(FIRST),
        }
    }

    fn push(&mut self, step: Step) {
        self.steps.entry(step.phase()).or_default().push(step);
    }

    /// The observed link of that name, if it stays.
    fn standing(&self, at: &LinkRef) -> Option<&'a Link> {
        let stays = !self.dropped.contains(&at.netns) && !self.doomed.contains(at);
        stays.then(|| self.observed.link(at)).flatten()
    }

    /// A number that no observed link below [`HIGHEST`] has. Two veths whose numbers name each other are then a pair.
    fn take_index(&mut self) -> u32 {
        self.next_index += 1;
        self.next_index - 1
    }

    fn finish(self) -> Result<Plan, Vec<Conflict>> {
        if !self.conflicts.is_empty() {
            return Err(self.conflicts);
        }
        let sources = self.observed.namespaces.iter().chain(&self.desired.namespaces);
        Ok(Plan {
            owner: self.desired.owner.clone(),
            sources: sources.map(|(label, netns)| (label.clone(), netns.source.clone())).collect(),
            steps: self.steps.into_values().flatten().collect(),
            replaced: self.replaced,
            also_gone: self.also_gone,
            left_alone: self.left_alone,
        })
    }
}
