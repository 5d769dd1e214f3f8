//! Why an address was not reached, as far as links and addresses tell: more than a timeout says. Sends nothing.

use std::net::IpAddr;

use wireloom_engine::{IfName, Label, LinkRef, State};

use crate::nodes;

/// The nearest thing that is wrong between the two ends, in words.
pub(crate) fn explain(
    from: &Label,
    to: Option<(&Label, IfName)>,
    address: IpAddr,
    desired: &State,
    observed: &State,
) -> Option<String> {
    let near = || near_end(from, address, desired, observed);
    let far = || to.and_then(|(node, ifname)| far_end(&LinkRef::new(node, ifname), address, observed));
    near().or_else(far)
}

/// What is wrong with the sender, and with the link that the address should be behind.
fn near_end(from: &Label, address: IpAddr, desired: &State, observed: &State) -> Option<String> {
    if !observed.namespaces.contains_key(from) {
        return Some(format!("node {from} has no namespace"));
    }
    let links = desired.namespaces.get(from)?.links.iter();
    let mut towards = links.filter_map(|(name, link)| {
        let own = link.addresses.iter().find(|own| own.net.contains(&address))?;
        Some((LinkRef::new(from, *name), own.net.addr()))
    });
    towards.find_map(|(at, own)| broken(&at, own, observed))
}

/// What is wrong with the link that has the address.
fn far_end(at: &LinkRef, address: IpAddr, observed: &State) -> Option<String> {
    match observed.namespaces.contains_key(&at.netns) {
        false => Some(format!("node {} has no namespace", at.netns)),
        true => broken(at, address, observed),
    }
}

fn broken(at: &LinkRef, address: IpAddr, observed: &State) -> Option<String> {
    let Some(link) = observed.link(at) else { return Some(format!("link {at} is missing")) };
    match nodes::state(link, observed) {
        "down" => return Some(format!("link {at} is down")),
        "no-carrier" => {
            let peer = link.kind.peer().map(|peer| format!(": its other end {peer} is down")).unwrap_or_default();
            return Some(format!("link {at} has no carrier{peer}"));
        }
        _ => {}
    }
    let found = link.addresses.iter().find(|found| found.net.addr() == address);
    match found {
        None => Some(format!("link {at} has lost its address {address}")),
        Some(found) if found.dadfailed => Some(format!("somebody else on the segment of {at} has {address} too")),
        Some(found) if found.tentative => Some(format!("address {address} on {at} is not usable yet")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use wireloom_engine::{Address, Link, LinkKind, Namespace, Source, Veth};

    use super::*;

    fn pair() -> State {
        let mut state = State::empty("lab".parse().unwrap());
        for (node, peer, net) in [("a", "b", "10.0.0.1/24"), ("b", "a", "10.0.0.2/24")] {
            let peer = Some(LinkRef::new(&peer.parse().unwrap(), "eth1".parse().unwrap()));
            let mut link = Link::new(LinkKind::Veth(Veth { peer }));
            link.up = Some(true);
            link.addresses.push(Address::new(net.parse().unwrap(), false));
            let mut netns = Namespace::new(Source::Named(format!("lab.{node}")), true);
            netns.links.insert("eth1".parse().unwrap(), link);
            state.namespaces.insert(node.parse().unwrap(), netns);
        }
        state
    }

    fn why(change: impl FnOnce(&mut State)) -> Option<String> {
        let (a, b): (Label, Label) = ("a".parse().unwrap(), "b".parse().unwrap());
        let mut observed = pair();
        change(&mut observed);
        explain(&a, Some((&b, "eth1".parse().unwrap())), "10.0.0.2".parse().unwrap(), &pair(), &observed)
    }

    fn link<'a>(state: &'a mut State, node: &str) -> &'a mut Link {
        state.namespaces.get_mut(node).unwrap().links.get_mut(&"eth1".parse::<IfName>().unwrap()).unwrap()
    }

    #[test]
    fn the_nearest_fault_is_told() {
        assert_eq!(why(|_| {}), None);
        assert_eq!(why(|s| link(s, "a").up = Some(false)).unwrap(), "link a:eth1 is down");
        let text = why(|s| link(s, "b").up = Some(false)).unwrap();
        assert_eq!(text, "link a:eth1 has no carrier: its other end b:eth1 is down");
        assert_eq!(why(|s| link(s, "b").addresses.clear()).unwrap(), "link b:eth1 has lost its address 10.0.0.2");
        assert_eq!(why(|s| drop(s.namespaces.remove("b"))).unwrap(), "node b has no namespace");
        assert_eq!(why(|s| s.namespaces.get_mut("a").unwrap().links.clear()).unwrap(), "link a:eth1 is missing");
    }
}
