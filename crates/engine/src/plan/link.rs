//! Links that go, come and change.

use std::{borrow::Cow, collections::BTreeSet};

use super::{Conflict, NewLink, Phase, Planner, Port, Settings, Step, order};
use crate::{Bond, BridgePort, Label, Link, LinkKind, LinkRef, Mark, Namespace, State, link::KindChange};

/// IPV6_MIN_MTU of linux/ipv6.h.
const IPV6_MTU: u32 = 1280;

impl<'a> Planner<'a> {
    pub(super) fn links(&mut self) {
        self.doom();
        self.release();
        self.delete();
        let mut steps = self.additions();
        steps.extend(self.changes());
        order::by_depth(self.desired, &mut steps);
        let (primaries, steps): (Vec<_>, Vec<_>) = steps.into_iter().partition(tells_primary);
        let mut last = joins(self.desired, &steps);
        last.extend(primaries);
        let steps = steps.into_iter().map(|step| self.outside_bonds(step));
        steps.collect::<Vec<_>>().into_iter().chain(last).for_each(|step| self.push(step));
    }

    /// A link that is to be a port of a bond is made down and apart from it, and a bond without ports has no primary one.
    fn outside_bonds(&self, mut step: Step) -> Step {
        if let Step::AddLink(new) = &mut step {
            self.apart(new);
            new.peer.as_deref_mut().into_iter().for_each(|peer| self.apart(peer));
        }
        step
    }

    fn apart(&self, new: &mut NewLink) {
        if bond_of(self.desired, &new.at, &new.link).is_some() {
            (new.link.controller, new.link.up) = (None, Some(false));
        }
        if let LinkKind::Bond(bond) = &mut new.link.kind {
            bond.primary = None;
        }
    }

    /// Finds the links of ours that go: not wanted any more, not changeable in place, or standing on one that goes.
    fn doom(&mut self) {
        for (at, found) in links(self.observed) {
            let dropped = self.dropped.contains(&at.netns);
            if !self.is_ours(found) || (dropped && !self.is_in_the_way(found)) {
                continue;
            }
            match self.desired.link(&at).map(|wanted| replacement(wanted, found).or(self.moves(&at, wanted, found))) {
                Some(None) => {}
                Some(Some(reason)) => {
                    self.replaced.insert(at.clone(), reason);
                    self.doomed.insert(at);
                }
                None => {
                    self.doomed.insert(at);
                }
            }
        }
        while self.doom_dependents() {}
    }

    /// Why it cannot become a port, or stop being one, as it is.
    fn moves(&self, at: &LinkRef, wanted: &Link, found: &Link) -> Option<String> {
        let of = |state: &State, controller| {
            let link = state.link(&LinkRef::new(&at.netns, controller))?;
            link.kind.rebuilds_ports().then_some(controller)
        };
        let before = found.controller.and_then(|controller| of(self.observed, controller));
        let before = before.filter(|controller| {
            let link = self.observed.link(&LinkRef::new(&at.netns, *controller));
            link.is_some_and(|link| self.is_ours(link))
        });
        let after = wanted.controller.and_then(|controller| of(self.desired, controller));
        let word = |name: Option<_>| name.map_or_else(|| "none".to_owned(), |name: crate::IfName| name.to_string());
        (before != after).then(|| format!("controller {} -> {}", word(found.controller), word(wanted.controller)))
    }

    /// Namespaces go last, and with them a VNI or a MAC address that a new link over the same underlay may want.
    fn is_in_the_way(&self, found: &Link) -> bool {
        let Some(below) = found.kind.made_from().filter(|below| !self.dropped.contains(*below)) else { return false };
        links(self.desired).any(|(_, wanted)| wanted.kind.made_from() == Some(below))
    }

    /// Also those in namespaces that go as a whole: the way back brings what they stood on, and must bring them.
    fn doom_dependents(&mut self) -> bool {
        let before = self.doomed.len();
        for (at, found) in links(self.observed) {
            let stands_on_doomed = found.kind.stands_on().is_some_and(|below| self.doomed.contains(below));
            let controller = found.controller.map(|controller| LinkRef::new(&at.netns, controller));
            let rebuilt = |at: &LinkRef| self.observed.link(at).is_some_and(|link| link.kind.rebuilds_ports());
            let loses_controller = controller.is_some_and(|at| rebuilt(&at) && self.doomed.contains(&at));
            if (stands_on_doomed || loses_controller) && self.is_ours(found) {
                self.doomed.insert(at);
            }
        }
        self.doomed.len() > before
    }

    fn is_ours(&self, link: &Link) -> bool {
        link.kind != LinkKind::Loopback && link.belongs_to(&self.desired.owner)
    }

    /// Takes ports of ours out of bridges of ours that go or that they are to leave. A bridge that goes lets its ports go
    /// by itself, but then the way back would not know them.
    fn release(&mut self) {
        let settings = |controller| Settings { controller: Some(controller), ..Settings::default() };
        let leaving = links(self.observed).filter_map(|(at, found)| {
            let controller = found.controller.filter(|_| self.standing(&at).is_some() && self.is_ours(found))?;
            let bridge = LinkRef::new(&at.netns, controller);
            let ours = self.observed.link(&bridge).is_some_and(|bridge| self.is_ours(bridge));
            let leaves = ours && self.desired.link(&at).is_some_and(|wanted| wanted.controller.is_none());
            let from = Settings { port: found.port.clone(), ..settings(Port::Of(controller)) };
            let to = settings(Port::Free);
            (leaves || self.doomed.contains(&bridge)).then_some(Step::SetLink { at, from, to })
        });
        leaving.collect::<Vec<_>>().into_iter().for_each(|step| self.push(step));
    }

    fn delete(&mut self) {
        let mut done = BTreeSet::new();
        let mut steps = Vec::new();
        for at in &self.doomed {
            let link = self.observed.link(at).expect("doomed links are observed");
            let peer = link.kind.peer().filter(|peer| self.observed.link(peer).is_some());
            if peer.is_some_and(|peer| done.contains(peer)) {
                continue;
            }
            done.insert(at.clone());
            let there = |at: &LinkRef, link: &Link| NewLink {
                at: at.clone(),
                link: released(self.observed, at, link),
                peer: None,
            };
            let peer = peer.and_then(|peer| Some(Box::new(there(peer, self.observed.link(peer)?))));
            steps.push(Step::DelLink(NewLink { peer, ..there(at, link) }));
        }
        let forgets: Vec<_> = self.doomed.iter().filter_map(|at| forgets_primary(self.observed, at)).collect();
        self.steps.entry(Phase::Removals).or_default().extend(forgets);
        for step in &steps {
            self.leave_bonds(step);
        }
        order::by_depth(self.observed, &mut steps);
        steps.into_iter().rev().for_each(|step| self.push(step));
    }

    /// Ports of bonds leave them before they go: the way back makes them down, and has them join again.
    fn leave_bonds(&mut self, step: &Step) {
        let Step::DelLink(gone) = step else { return };
        for at in [Some(&gone.at), gone.peer.as_ref().map(|peer| &peer.at)].into_iter().flatten() {
            let Some(link) = self.observed.link(at) else { continue };
            let Some(bond) = bond_of(self.observed, at, link) else { continue };
            let from = Settings { controller: Some(Port::Of(bond)), up: link.up, ..Settings::default() };
            let to = Settings { controller: Some(Port::Free), up: Some(false), ..Settings::default() };
            self.push(Step::SetLink { at: at.clone(), from, to });
        }
    }

    fn additions(&mut self) -> Vec<Step> {
        let mut made = BTreeSet::new();
        let mut steps = Vec::new();
        for (at, wanted) in links(self.desired) {
            if wanted.kind == LinkKind::Loopback || made.contains(&at) {
                continue;
            }
            match self.standing(&at) {
                Some(found) if !self.is_ours(found) => self.foreign(&at, found),
                Some(_) => {}
                None => {
                    let step = self.addition(&at, wanted);
                    // Both: which of the two ends comes first is not said by their names.
                    made.extend([Some(&step), step.peer.as_deref()].into_iter().flatten().map(|end| end.at.clone()));
                    let later = self.configured_later(&step);
                    steps.push(Step::AddLink(step));
                    later.into_iter().for_each(|step| self.push(step));
                }
            }
        }
        steps
    }

    /// A link with its other end. The end that is a port comes first: only that one can be put into its bridge at once.
    fn addition(&mut self, at: &LinkRef, wanted: &Link) -> NewLink {
        self.check_below(at, wanted);
        let mut new = NewLink { at: at.clone(), link: self.bare(wanted), peer: None };
        let peer = wanted.kind.peer().and_then(|peer| Some((peer.clone(), self.desired.link(peer)?)));
        let Some((peer_at, peer)) = peer else { return new };
        if let Some(found) = self.standing(&peer_at).filter(|found| !self.is_ours(found)) {
            self.foreign(&peer_at, found);
        }
        self.check_below(&peer_at, peer);
        let mut peer = NewLink { at: peer_at, link: self.bare(peer), peer: None };
        if peer.link.controller.is_some() && new.link.controller.is_none() {
            std::mem::swap(&mut new, &mut peer);
        }
        new.peer = Some(Box::new(peer));
        new
    }

    /// What a request to make the link cannot say.
    fn configured_later(&self, new: &NewLink) -> Option<Step> {
        let to = Settings { kind: Some(new.link.kind.clone()), ..Settings::default() };
        let later = new.link.kind.is_configured_later();
        later.then(|| Step::SetLink { at: new.at.clone(), from: Settings::default(), to })
    }

    /// Without what is added in steps of its own, and with a number.
    fn bare(&mut self, wanted: &Link) -> Link {
        let index = Some(self.take_index());
        Link { index, addresses: Vec::new(), qdisc: None, ..wanted.clone() }
    }

    fn check_below(&mut self, at: &LinkRef, wanted: &Link) {
        let there = |planner: &Self, at: &LinkRef| planner.desired.link(at).is_some() || planner.standing(at).is_some();
        if let Some(parent) = wanted.kind.parent().filter(|parent| !there(self, parent)) {
            self.conflicts.push(Conflict::MissingParent { at: at.clone(), parent: parent.clone() });
        }
        if let Some(controller) = wanted.controller.filter(|c| !there(self, &LinkRef::new(&at.netns, *c))) {
            self.conflicts.push(Conflict::MissingController { at: at.clone(), controller });
        }
    }

    /// In a namespace that is itself not ours by mistake, that one conflict says it all.
    fn foreign(&mut self, at: &LinkRef, found: &Link) {
        let netns = |c: &Conflict| matches!(c, Conflict::ForeignNetns { netns, .. } if *netns == at.netns);
        if self.conflicts.iter().any(netns) {
            return;
        }
        let (kind, owner) = (found.kind.name().to_owned(), found.mark().map(|Mark { owner, .. }| owner));
        let conflict = Conflict::ForeignLink { at: at.clone(), kind, owner };
        // The end of a pair is also looked at for the sake of the other one.
        if !self.conflicts.contains(&conflict) {
            self.conflicts.push(conflict);
        }
    }

    fn changes(&mut self) -> Vec<Step> {
        let pairs = links(self.desired).filter_map(|(at, wanted)| Some((self.standing(&at)?, at, wanted)));
        let changes = pairs.filter_map(|(found, at, wanted)| {
            let ours = self.is_ours(found) || wanted.kind == LinkKind::Loopback;
            let (from, to) = ours.then(|| self.difference(&at, wanted, found))?;
            (!to.is_empty()).then_some((at, from, to))
        });
        let changes: Vec<_> = changes.collect();
        for (at, from, to) in &changes {
            self.foresee(at, from, to);
        }
        changes.into_iter().map(|(at, from, to)| Step::SetLink { at, from, to }).collect()
    }

    /// A link that goes down loses its routes and its IPv6 addresses, one whose MTU goes below 1280 all of IPv6.
    fn foresee(&mut self, at: &LinkRef, from: &Settings, to: &Settings) {
        let down = from.up == Some(true) && to.up == Some(false);
        let small = from.mtu.is_some_and(|mtu| mtu >= IPV6_MTU) && to.mtu.is_some_and(|mtu| mtu < IPV6_MTU);
        if down || small {
            self.disturbed.insert(at.clone());
            self.erased.insert(at.clone());
        }
        if to.mac.is_some() {
            self.readdressed.insert(at.clone());
        }
    }

    /// What changes on a link that stays: how it is, and how it is to be.
    fn difference(&self, at: &LinkRef, wanted: &Link, found: &Link) -> (Settings, Settings) {
        fn differ<T: Clone + PartialEq>(found: &Option<T>, wanted: &Option<T>) -> (Option<T>, Option<T>) {
            match wanted {
                Some(_) if wanted != found => (found.clone(), wanted.clone()),
                _ => (None, None),
            }
        }
        let standing = found.controller.filter(|c| self.standing(&LinkRef::new(&at.netns, *c)).is_some());
        let port = |controller: Option<_>| controller.map_or(Port::Free, Port::Of);
        let controllers = match wanted.controller {
            Some(_) if wanted.controller != standing => (Some(port(standing)), Some(port(wanted.controller))),
            _ => (None, None),
        };
        let ports = match (controllers, wanted.controller) {
            ((Some(Port::Of(_)), _), _) => (found.port.clone(), ports(wanted, None).1),
            ((Some(Port::Free), _), _) => (None, ports(wanted, None).1),
            (_, Some(_)) => ports(wanted, found.port.as_deref()),
            _ => (None, None),
        };
        let wanted_kind = self.resolved(&wanted.kind);
        let kinds = match wanted_kind.change(&found.kind) {
            KindChange::Set => {
                let needed = wanted_kind.needed(&found.kind);
                (Some(needed.before(&found.kind)), Some(needed))
            }
            KindChange::Same | KindChange::Replace(_) => (None, None),
        };
        let (mac, mtu) = (differ(&found.mac, &wanted.mac), differ(&found.mtu, &wanted.mtu));
        let (up, alias) = (differ(&found.up, &wanted.up), differ(&found.alias, &wanted.alias));
        let group = differ(&found.group, &wanted.group);
        let side = |from: bool| Settings {
            kind: if from { kinds.0.clone() } else { kinds.1.clone() },
            mac: if from { mac.0 } else { mac.1 },
            mtu: if from { mtu.0 } else { mtu.1 },
            up: if from { up.0 } else { up.1 },
            controller: if from { controllers.0 } else { controllers.1 },
            port: if from { ports.0.clone() } else { ports.1.clone() },
            alias: if from { alias.0.clone().or(alias.1.as_ref().map(|_| String::new())) } else { alias.1.clone() },
            group: if from { group.0 } else { group.1 },
        };
        (side(true), side(false))
    }
}

impl Planner<'_> {
    /// With the keys of links that stay in place of the links.
    fn resolved<'k>(&self, kind: &'k LinkKind) -> Cow<'k, LinkKind> {
        let LinkKind::Wireguard(wireguard) = kind else { return Cow::Borrowed(kind) };
        let key_of = |at: &LinkRef| match &self.standing(at)?.kind {
            LinkKind::Wireguard(found) => found.public_key,
            _ => None,
        };
        Cow::Owned(LinkKind::Wireguard(Box::new(wireguard.resolved(&key_of))))
    }
}

/// A link as it is once it has left its bond; a bond, once its ports have.
fn released(observed: &State, at: &LinkRef, link: &Link) -> Link {
    let mut link = match bond_of(observed, at, link) {
        Some(_) => Link { controller: None, port: None, up: Some(false), ..link.clone() },
        None => link.clone(),
    };
    if let LinkKind::Bond(bond) = &mut link.kind {
        bond.primary = None;
    }
    link
}

/// A bond that goes: the way back tells it its primary port when that one is there again.
fn forgets_primary(observed: &State, at: &LinkRef) -> Option<Step> {
    let LinkKind::Bond(bond @ Bond { primary: Some(_), .. }) = &observed.link(at)?.kind else { return None };
    let settings = |bond| Settings { kind: Some(LinkKind::Bond(bond)), ..Settings::default() };
    let to = settings(Bond { primary: None, ..bond.clone() });
    Some(Step::SetLink { at: at.clone(), from: settings(bond.clone()), to })
}

/// The bond that a link is a port of.
fn bond_of(state: &State, at: &LinkRef, link: &Link) -> Option<crate::IfName> {
    let controller = link.controller?;
    let bond = state.link(&LinkRef::new(&at.netns, controller))?;
    matches!(bond.kind, LinkKind::Bond(_)).then_some(controller)
}

/// Whether it says something that can only be said once the ports are there.
fn tells_primary(step: &Step) -> bool {
    matches!(step, Step::SetLink { to: Settings { kind: Some(LinkKind::Bond(_)), .. }, .. })
}

/// New links become ports of bonds, when all links are there; then the bonds are told which comes first.
fn joins(desired: &State, steps: &[Step]) -> Vec<Step> {
    let mut joins = Vec::new();
    let mut primaries = Vec::new();
    for step in steps {
        let Step::AddLink(new) = step else { continue };
        for NewLink { at, link, .. } in [Some(new), new.peer.as_deref()].into_iter().flatten() {
            if let Some(bond) = bond_of(desired, at, link) {
                let from = Settings { controller: Some(Port::Free), ..Settings::default() };
                let to = Settings { controller: Some(Port::Of(bond)), up: link.up, ..Settings::default() };
                joins.push(Step::SetLink { at: at.clone(), from, to });
            }
            if let LinkKind::Bond(bond @ Bond { primary: Some(_), .. }) = &link.kind {
                let without = LinkKind::Bond(Bond { primary: None, ..bond.clone() });
                let from = Settings { kind: Some(without), ..Settings::default() };
                let to = Settings { kind: Some(link.kind.clone()), ..Settings::default() };
                primaries.push(Step::SetLink { at: at.clone(), from, to });
            }
        }
    }
    joins.into_iter().chain(primaries).collect()
}

/// How the settings of a port change, if they do.
fn ports(wanted: &Link, found: Option<&BridgePort>) -> (Option<Box<BridgePort>>, Option<Box<BridgePort>>) {
    let plain = BridgePort::default();
    let (wanted, found) = (wanted.port.as_deref().unwrap_or(&plain), found.unwrap_or(&plain));
    if wanted.is_met_by(found) {
        return (None, None);
    }
    (Some(Box::new(wanted.before(found))), Some(Box::new(wanted.clone())))
}

/// Why `found` cannot become `wanted` in place, if it cannot.
fn replacement(wanted: &Link, found: &Link) -> Option<String> {
    if let KindChange::Replace(reason) = wanted.kind.change(&found.kind) {
        return Some(reason);
    }
    match (wanted.queues, found.queues) {
        (Some(wanted), Some(found)) if wanted != found => Some(format!("queues {found} -> {wanted}")),
        _ => None,
    }
}

/// Every link of a state with its place.
pub(super) fn links<'a>(state: &'a State) -> impl Iterator<Item = (LinkRef, &'a Link)> {
    let of =
        |(label, netns): (&'a Label, &'a Namespace)| netns.links.iter().map(move |(n, l)| (LinkRef::new(label, *n), l));
    state.namespaces.iter().flat_map(of)
}
