//! Leaving namespaces out of a plan: one that something is wrong with holds no other up. What goes on in them stays
//! undone, and so does what cannot be without that: a link whose other end is there, and what stands on such a link.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{NewLink, Plan, Port, Step};
use crate::{Label, LinkRef, setting};

impl Plan {
    /// What is left of it without these namespaces.
    pub(super) fn leaving(mut self, held: &BTreeSet<Label>) -> Plan {
        if !held.is_empty() {
            let mut left = LeftOut { held, links: BTreeSet::new(), subnets: Vec::new() };
            self.steps.retain(|step| left.stays(step));
        }
        self
    }
}

/// What is left out, as far as the steps have been looked at.
struct LeftOut<'a> {
    held: &'a BTreeSet<Label>,
    /// Links that are not made, or stay although they should go.
    links: BTreeSet<LinkRef>,
    /// Networks that are not reached, because the address in them is not added.
    subnets: Vec<(Label, IpNet)>,
}

impl LeftOut<'_> {
    /// In the plan's order: what a step needs has been looked at before it.
    fn stays(&mut self, step: &Step) -> bool {
        let links = links_of(step);
        let held = self.held.contains(step.netns()) || links.iter().any(|at| self.held.contains(&at.netns));
        let lost = links.iter().any(|at| self.links.contains(at)) || self.is_cut_off(step);
        if held || lost {
            self.leave(step);
        }
        !held && !lost
    }

    fn leave(&mut self, step: &Step) {
        match step {
            Step::AddLink(new) | Step::DelLink(new) => self.links.extend(ends(new).cloned()),
            Step::AddAddress { at, address } => self.subnets.push((at.netns.clone(), address.net.trunc())),
            _ => {}
        }
    }

    /// A route whose link the kernel finds by its gateway, and would not find.
    fn is_cut_off(&self, step: &Step) -> bool {
        let Step::Add { netns, object } = step else { return false };
        object
            .held()
            .gateways()
            .into_iter()
            .any(|via| self.subnets.iter().any(|(label, net)| label == netns && net.contains(&via)))
    }
}

/// The links that must be there for a step, or are made or removed by it.
fn links_of(step: &Step) -> Vec<LinkRef> {
    match step {
        Step::AddLink(new) | Step::DelLink(new) => {
            let (parent, peer) = (new.link.kind.parent(), new.link.kind.peer());
            let bridges = [Some(new), new.peer.as_deref()].into_iter().flatten();
            let bridges = bridges.filter_map(|end| Some(LinkRef::new(&end.at.netns, end.link.controller?)));
            ends(new).chain(parent).chain(peer).cloned().chain(bridges).collect()
        }
        Step::SetLink { at, to, .. } => match to.controller {
            Some(Port::Of(bridge)) => vec![at.clone(), LinkRef::new(&at.netns, bridge)],
            _ => vec![at.clone()],
        },
        Step::AddAddress { at, .. } | Step::DelAddress { at, .. } | Step::SetQdisc { at, .. } => vec![at.clone()],
        Step::Add { netns, object } | Step::Del { netns, object } => {
            object.held().devs().into_iter().map(|dev| LinkRef::new(netns, dev)).collect()
        }
        Step::SetSysctl { netns, key, .. } => {
            let link = setting::link_of(key).and_then(|name| name.parse().ok());
            link.map(|ifname| LinkRef::new(netns, ifname)).into_iter().collect()
        }
        // Rules name interfaces that need not be there.
        Step::AddNetns { .. } | Step::DelNetns { .. } | Step::SetFirewall { .. } => Vec::new(),
    }
}

fn ends(new: &NewLink) -> impl Iterator<Item = &LinkRef> {
    [Some(&new.at), new.peer.as_ref().map(|peer| &peer.at)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Address, Dummy, Link, LinkKind, Object, Route, Veth, Vlan, VlanProtocol};

    fn at(text: &str) -> LinkRef {
        text.parse().unwrap()
    }

    fn pair(one: &str, other: &str) -> Step {
        let end = |here: &str, there: &str| {
            let link = Link::new(LinkKind::Veth(Veth { peer: Some(at(there)) }));
            NewLink { at: at(here), link, peer: None }
        };
        Step::AddLink(NewLink { peer: Some(Box::new(end(other, one))), ..end(one, other) })
    }

    fn address(link: &str, net: &str) -> Step {
        Step::AddAddress { at: at(link), address: Address::new(net.parse().unwrap(), true) }
    }

    fn route(netns: &str, via: &str, dev: Option<&str>) -> Step {
        let dev = dev.map(|dev| dev.parse().unwrap());
        let route = Route::new("10.9.0.0/16".parse().unwrap(), Some(via.parse().unwrap()), dev);
        Step::Add { netns: netns.parse().unwrap(), object: Object::Route(route) }
    }

    fn leaving(steps: Vec<Step>, held: &[&str]) -> Vec<String> {
        let owner = "lab".parse().unwrap();
        let (sources, replaced) = (BTreeMap::new(), BTreeMap::new());
        let plan = Plan { owner, sources, steps, replaced, also_gone: Vec::new(), left_alone: Vec::new() };
        let held = held.iter().map(|label| label.parse().unwrap()).collect();
        plan.leaving(&held).steps.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_namespace_takes_its_links_and_all_that_stands_on_them_and_nothing_else() {
        let parent = Some(at("r1:a"));
        let vlan = Link::new(LinkKind::Vlan(Vlan { parent, vid: 7, protocol: VlanProtocol::Dot1q }));
        let dummy = Link::new(LinkKind::Dummy(Dummy {}));
        let steps = vec![
            pair("r1:a", "r2:a"),
            pair("r1:b", "r3:b"),
            Step::AddLink(NewLink { at: at("r1:a.7"), link: vlan, peer: None }),
            Step::AddLink(NewLink { at: at("r2:d"), link: dummy, peer: None }),
            address("r1:a.7", "10.7.0.1/24"),
            address("r1:a", "10.0.0.1/24"),
            address("r1:b", "10.1.0.1/24"),
            route("r1", "10.0.0.2", None),
            route("r1", "10.1.0.3", None),
            route("r1", "10.0.0.2", Some("a")),
        ];
        let kept =
            ["+ link r1:b <-> r3:b veth", "+ address 10.1.0.1/24 on r1:b", "+ route 10.9.0.0/16 via 10.1.0.3 in r1"];
        assert_eq!(leaving(steps.clone(), &["r2"]), kept);
        assert_eq!(leaving(steps.clone(), &[]).len(), steps.len());
    }

    #[test]
    fn a_link_that_stays_is_not_made_again_elsewhere() {
        let Step::AddLink(old) = pair("r1:a", "r2:a") else { unreachable!() };
        let steps = vec![Step::DelLink(old), pair("r1:a", "r3:z"), address("r1:a", "10.0.0.1/24")];
        assert_eq!(leaving(steps, &["r2"]), Vec::<String>::new());
    }
}
