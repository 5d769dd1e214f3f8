//! Routes that come and go.

use std::collections::HashMap;

use super::{Conflict, Phase, Planner, Step};
use crate::{Label, LinkRef, Namespace, Origin, Route, route::RouteKey};

/// A namespace's routes by what the kernel tells them apart by: a router has thousands.
struct ByKey<'a>(HashMap<RouteKey, Vec<&'a Route>>);

impl<'a> ByKey<'a> {
    fn of(netns: Option<&'a Namespace>) -> Self {
        let mut routes = ByKey(HashMap::new());
        for route in netns.into_iter().flat_map(|netns| &netns.routes) {
            routes.0.entry(route.key()).or_default().push(route);
        }
        routes
    }

    /// Those in whose place `route` would be.
    fn same(&self, route: &Route) -> impl Iterator<Item = &'a Route> + Clone {
        self.0.get(&route.key()).into_iter().flatten().copied()
    }
}

impl<'a> Planner<'a> {
    pub(super) fn routes(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let all = observed.namespaces.iter();
        let removals = all.rev().flat_map(|(label, found)| self.removals(label, found)).collect::<Vec<_>>();
        // Before the links, whose routes the kernel would take along.
        self.steps.entry(Phase::Removals).or_default().splice(0..0, removals);
        for (label, wanted) in &desired.namespaces {
            let found = ByKey::of(observed.namespaces.get(label));
            wanted.routes.iter().for_each(|route| self.add_route(label, route, &found));
        }
    }

    /// Those that nobody asks for, and those that the kernel may drop while we work: these come back afterwards. In
    /// reverse: a later route may lead to the gateway by an earlier one. With a namespace that goes as a whole go all
    /// but those whose links go before.
    fn removals(&self, label: &'a Label, found: &'a Namespace) -> impl Iterator<Item = Step> + use<'a> {
        let wanted = ByKey::of(self.desired.namespaces.get(label));
        let kept = |route: &Route| {
            let goes_with_netns = self.dropped.contains(label);
            let wanted = || wanted.same(route).any(|wanted| wanted.is_met_by(route));
            !self.is_disturbed(label, route) && (goes_with_netns || wanted())
        };
        let ours = found.routes.iter().filter(|route| route.origin == Origin::Ours);
        let gone: Vec<&Route> = ours.filter(|route| !kept(route)).collect();
        gone.into_iter().rev().map(|route| Step::DelRoute { netns: label.clone(), route: route.clone() })
    }

    fn add_route(&mut self, label: &Label, route: &Route, found: &ByKey<'_>) {
        let mut surviving = found.same(route).filter(|found| !self.is_disturbed(label, found));
        let others = surviving.clone().find(|found| found.origin != Origin::Ours);
        if let Some(found) = others {
            if !route.is_met_by(found) {
                let (wanted, found) = (Box::new(route.clone()), Box::new(found.clone()));
                self.conflicts.push(Conflict::ForeignRoute { netns: label.clone(), wanted, found });
            }
        } else if !surviving.any(|found| route.is_met_by(found)) {
            self.push(Step::AddRoute { netns: label.clone(), route: route.clone() });
        }
    }

    pub(super) fn is_disturbed(&self, label: &Label, route: &Route) -> bool {
        let devs = route.hops.iter().filter_map(|hop| hop.dev).map(|dev| LinkRef::new(label, dev));
        let mut touched = devs.filter(|at| self.doomed.contains(at) || self.disturbed.contains(at));
        touched.next().is_some()
    }
}
