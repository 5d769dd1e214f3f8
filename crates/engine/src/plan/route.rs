//! Routes that come and go.

use super::{Conflict, Planner, Step};
use crate::{Label, LinkRef, Namespace, Origin, Route};

impl<'a> Planner<'a> {
    pub(super) fn routes(&mut self) {
        let observed = self.observed;
        for (label, found) in &observed.namespaces {
            if !self.dropped.contains(label) {
                self.remove_routes(label, found);
            }
        }
        for (label, wanted) in &self.desired.namespaces {
            wanted.routes.iter().for_each(|route| self.add_route(label, route));
        }
    }

    /// Those that nobody asks for, and those that the kernel may drop while we work: these come back afterwards.
    fn remove_routes(&mut self, label: &Label, found: &Namespace) {
        let ours = found.routes.iter().filter(|route| route.origin == Origin::Ours);
        let gone: Vec<Route> = ours.filter(|route| self.kept(label, route).is_none()).cloned().collect();
        // Before the links, in reverse: a later route may lead to the gateway by an earlier one.
        let steps = gone.into_iter().rev().map(|route| Step::DelRoute { netns: label.clone(), route });
        let removals = self.steps.entry(super::Phase::Removals).or_default();
        let links = std::mem::take(removals);
        removals.extend(steps.chain(links));
    }

    fn add_route(&mut self, label: &Label, route: &Route) {
        let found = self.observed.namespaces.get(label).filter(|_| !self.dropped.contains(label));
        let same_key = found.into_iter().flat_map(|n| &n.routes).filter(|r| r.key() == route.key());
        let others: Vec<&Route> = same_key.filter(|r| r.origin != Origin::Ours).collect();
        let survives = |r: &&&Route| !self.is_disturbed(label, r);
        if let Some(found) = others.iter().find(survives).filter(|r| !route.is_met_by(r)) {
            let (wanted, found) = (Box::new(route.clone()), Box::new((*found).clone()));
            self.conflicts.push(Conflict::ForeignRoute { netns: label.clone(), wanted, found });
        } else if others.iter().filter(survives).count() == 0 && !self.is_kept(label, route) {
            self.push(Step::AddRoute { netns: label.clone(), route: route.clone() });
        }
    }

    /// The wanted route that `observed` is, if it can stay.
    fn kept(&self, label: &Label, observed: &Route) -> Option<&'a Route> {
        let wanted = self.desired.namespaces.get(label)?.routes.iter().find(|route| route.is_met_by(observed));
        wanted.filter(|_| !self.is_disturbed(label, observed))
    }

    fn is_kept(&self, label: &Label, wanted: &Route) -> bool {
        let found = self.observed.namespaces.get(label).into_iter().flat_map(|n| &n.routes);
        let mut ours = found.filter(|route| route.origin == Origin::Ours && wanted.is_met_by(route));
        ours.any(|route| !self.is_disturbed(label, route))
    }

    fn is_disturbed(&self, label: &Label, route: &Route) -> bool {
        let devs = route.hops.iter().filter_map(|hop| hop.dev).map(|dev| LinkRef::new(label, dev));
        let mut touched = devs.filter(|at| self.doomed.contains(at) || self.disturbed.contains(at));
        touched.next().is_some()
    }
}
