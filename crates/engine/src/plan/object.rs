//! Routes and other objects of a namespace that come and go.

use std::collections::HashMap;

use super::{Conflict, Phase, Planner, Step};
use crate::{
    Label, LinkRef, Namespace, Neighbour, Nexthop, Origin, Route, Rule,
    object::{Held, ObjectKey},
};

/// A namespace's objects of one kind by what the kernel tells them apart by: a router has thousands of routes.
struct ByKey<'a, T>(HashMap<ObjectKey, Vec<&'a T>>);

impl<'a, T: Held> ByKey<'a, T> {
    fn of(netns: Option<&'a Namespace>) -> Self {
        let mut objects = ByKey(HashMap::new());
        for object in netns.into_iter().flat_map(T::of) {
            objects.0.entry(object.key()).or_default().push(object);
        }
        objects
    }

    /// Those in whose place `object` would be.
    fn same(&self, object: &T) -> impl Iterator<Item = &'a T> + Clone {
        self.0.get(&object.key()).into_iter().flatten().copied()
    }
}

impl<'a> Planner<'a> {
    /// In the order in which they need each other.
    pub(super) fn objects(&mut self) {
        self.objects_of::<Neighbour>();
        self.objects_of::<Nexthop>();
        self.objects_of::<Route>();
        self.objects_of::<Rule>();
    }

    fn objects_of<T: Held + 'a>(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let all = observed.namespaces.iter();
        let removals = all.rev().flat_map(|(label, found)| self.removals::<T>(label, found)).collect::<Vec<_>>();
        // Before the links, whose routes the kernel would take along.
        self.steps.entry(Phase::Removals).or_default().splice(0..0, removals);
        for (label, wanted) in &desired.namespaces {
            let found = ByKey::<T>::of(observed.namespaces.get(label));
            let mut wanted: Vec<&T> = T::of(wanted).iter().collect();
            wanted.sort_by_key(|object| needs_its_like(*object));
            wanted.into_iter().for_each(|object| self.add_object(label, object, &found));
        }
    }

    /// Those that nobody asks for, and those that the kernel may drop while we work: these come back afterwards. In
    /// reverse: a later route may lead to the gateway by an earlier one. With a namespace that goes as a whole go all
    /// but those whose links go before.
    fn removals<T: Held + 'a>(
        &mut self,
        label: &'a Label,
        found: &'a Namespace,
    ) -> impl Iterator<Item = Step> + use<'a, T> {
        let mut ours: Vec<&T> = T::of(found).iter().filter(|object| object.origin() == Origin::Ours).collect();
        ours.sort_by_key(|object| needs_its_like(*object));
        let wanted = ByKey::<T>::of(self.desired.namespaces.get(label).filter(|_| !ours.is_empty()));
        // Those that others need come before these.
        ours.retain(|object| {
            let goes_with_netns = self.dropped.contains(label);
            let is_wanted = || wanted.same(object).any(|wanted| wanted.is_met_by(object));
            let goes = self.is_disturbed(label, *object) || !(goes_with_netns || is_wanted());
            if goes && object.is_needed() {
                self.unsettled.insert((label.clone(), object.key()));
            }
            goes
        });
        ours.into_iter().rev().map(|object| Step::Del { netns: label.clone(), object: object.object() })
    }

    fn add_object<T: Held>(&mut self, label: &Label, object: &T, found: &ByKey<'_, T>) {
        let mut surviving = found.same(object).filter(|found| !self.is_disturbed(label, *found));
        let others = surviving.clone().find(|found| found.origin() != Origin::Ours);
        if let Some(found) = others {
            if !object.is_met_by(found) {
                let (wanted, found) = (Box::new(object.object()), Box::new(found.object()));
                self.conflicts.push(Conflict::ForeignObject { netns: label.clone(), wanted, found });
            }
        } else if !surviving.any(|found| object.is_met_by(found)) {
            self.push(Step::Add { netns: label.clone(), object: object.object() });
        }
    }

    pub(super) fn is_disturbed(&self, label: &Label, object: &dyn Held) -> bool {
        let is_touched = |dev| {
            let at = LinkRef::new(label, dev);
            let gone = self.doomed.contains(&at) || self.disturbed.contains(&at);
            gone || (object.goes_with_mac() && self.readdressed.contains(&at))
        };
        object.devs().into_iter().any(is_touched)
            || object.needs().into_iter().any(|key| self.unsettled.contains(&(label.clone(), key)))
    }
}

/// Groups of nexthops come after single ones.
fn needs_its_like(object: &dyn Held) -> bool {
    object.is_needed() && !object.needs().is_empty()
}
