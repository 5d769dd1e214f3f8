//! Checks for documents that name none: every node pings every other. Does not run them.

use std::net::IpAddr;

use ipnet::IpNet;
use wireloom_engine::{IfName, Label, State};
use wireloom_topology::{Check, Target};

use crate::nodes;

/// How long an answer may take.
const TIMEOUT_MS: u32 = 1000;

/// Up to how many nodes every pair is tried without being asked for: 992 pings, done in a moment.
const MOST: usize = 32;

/// An address of a node, and where it is.
pub(crate) struct Home {
    pub(crate) net: IpNet,
    ifname: IfName,
}

/// Every node that has an address to every other. The second answer is the nodes that have none.
pub(crate) fn all(state: &State) -> (Vec<Check>, Vec<Label>) {
    let homes = |label: &Label| homes(state, label);
    let (having, lacking): (Vec<_>, Vec<_>) =
        nodes::names(state).map(|label| (label, homes(label))).partition(|(_, homes)| !homes.is_empty());
    let pairs = having.iter().flat_map(|from| having.iter().map(move |to| (from, to)));
    let checks = pairs.filter(|(from, to)| from.0 != to.0).filter_map(|(from, to)| ping(from.0, &from.1, to.0, &to.1));
    (checks.collect(), lacking.into_iter().map(|(label, _)| label.clone()).collect())
}

/// Whether there are more pairs than anybody expects who did not ask for them.
pub(crate) fn are_many(state: &State) -> Option<usize> {
    Some(nodes::names(state).count()).filter(|nodes| *nodes > MOST)
}

/// Where it is at home, on `lo` first.
pub(crate) fn homes(state: &State, label: &Label) -> Vec<Home> {
    let links = state.namespaces.get(label).into_iter().flat_map(|netns| &netns.links);
    // A loopback address is where a router is at home: it is reached on any of its links.
    let (lo, others): (Vec<_>, Vec<_>) = links.partition(|(name, _)| **name == IfName::lo());
    let of = |(name, link): (&IfName, &wireloom_engine::Link)| {
        let usable = link.addresses.iter().filter(|address| !address.net.addr().is_loopback());
        usable.map(|address| Home { net: address.net, ifname: *name }).collect::<Vec<_>>()
    };
    lo.into_iter().chain(others).flat_map(of).collect()
}

fn ping(from: &Label, own: &[Home], to: &Label, theirs: &[Home]) -> Option<Check> {
    let is_near = |home: &&Home| own.iter().any(|own| own.net.contains(&home.net.addr()));
    let speaks = |home: &&Home| own.iter().any(|own| same_family(own.net.addr(), home.net.addr()));
    let home = theirs.iter().find(is_near).or_else(|| theirs.iter().find(speaks))?;
    let to = Target { text: to.to_string(), node: Some(to.clone()), ifname: Some(home.ifname) };
    let address = home.net.addr();
    Some(Check::Ping { from: from.clone(), to, address, count: 1, timeout_ms: TIMEOUT_MS, expect_fail: false })
}

fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

#[cfg(test)]
mod tests {
    use wireloom_engine::{Address, Link, LinkKind, Namespace, Source, Veth};

    use super::*;

    fn state(addresses: &[(&str, &str, &str)]) -> State {
        let mut state = State::empty("lab".parse().unwrap());
        for (node, name, net) in addresses {
            let label: Label = node.parse().unwrap();
            let source = Source::Named(format!("lab.{node}"));
            let netns = state.namespaces.entry(label).or_insert_with(|| Namespace::new(source, true));
            let kind = if *name == "lo" { LinkKind::Loopback } else { LinkKind::Veth(Veth { peer: None }) };
            let link = netns.links.entry(name.parse().unwrap()).or_insert_with(|| Link::new(kind));
            link.addresses.extend(net.parse().ok().map(|net| Address::new(net, false)));
        }
        state
    }

    fn asked(state: &State, from: &str, to: &str) -> Option<String> {
        all(state).0.into_iter().find_map(|check| match check {
            Check::Ping { from: f, to: t, address, .. } if f.as_str() == from && t.text == to => {
                Some(address.to_string())
            }
            _ => None,
        })
    }

    #[test]
    fn the_address_on_a_common_segment_is_asked_first() {
        let state = state(&[
            ("r1", "eth1", "12.12.12.1/24"),
            ("r2", "eth1", "12.12.12.2/24"),
            ("r2", "eth2", "23.23.23.2/24"),
            ("r3", "eth1", "23.23.23.3/24"),
            ("s1", "eth1", ""),
        ]);
        assert_eq!(asked(&state, "r1", "r2").as_deref(), Some("12.12.12.2"));
        assert_eq!(asked(&state, "r3", "r2").as_deref(), Some("23.23.23.2"));
        assert_eq!(asked(&state, "r1", "r3").as_deref(), Some("23.23.23.3"));
        assert_eq!(all(&state).1, ["s1".parse().unwrap()]);
        assert_eq!(all(&state).0.len(), 6);
    }

    #[test]
    fn a_router_far_away_is_asked_at_home() {
        let state = state(&[
            ("a", "eth1", "10.0.0.1/31"),
            ("b", "eth1", "10.0.0.2/31"),
            ("b", "lo", "192.0.2.2/32"),
            ("c", "eth1", "2001:db8::1/64"),
        ]);
        assert_eq!(asked(&state, "a", "b").as_deref(), Some("192.0.2.2"));
        assert_eq!(asked(&state, "a", "c"), None);
    }
}
