//! States of nodes and cables in a few words. Does not know what runs over them.

use std::collections::BTreeMap;

use wireloom_engine::{Address, Label, Link, LinkKind, LinkRef, Mark, Namespace, Owner, State, Veth};

/// A cable: two ends as `node:interface ADDRESS ...`.
pub(crate) type Cable<'a> = (&'a str, &'a str);

/// Nodes in namespaces of their own (`OWNER.NODE`) with cables in between. `more` is what a node holds besides, as YAML of
/// a namespace.
pub(crate) fn network(owner: &str, cables: &[Cable<'_>], more: &[(&str, &str)]) -> State {
    let owner: Owner = owner.parse().expect("an owner");
    let mut state = State { owner: owner.clone(), namespaces: BTreeMap::new() };
    for (one, other) in cables {
        for (end, far) in [(one, other), (other, one)] {
            let (at, link) = end_of_cable(&owner, end, far);
            let netns = state.namespaces.entry(at.netns.clone()).or_insert_with(|| node(&owner, &at.netns, more));
            netns.links.insert(at.ifname, link);
        }
    }
    state
}

/// A link of that state, to change it.
pub(crate) fn link_of<'a>(state: &'a mut State, node: &str, ifname: &str) -> &'a mut Link {
    let netns = state.namespaces.get_mut(node).expect("a node of the network");
    netns.links.get_mut(&ifname.parse().expect("a name")).expect("a link of the node")
}

fn node(owner: &Owner, label: &Label, more: &[(&str, &str)]) -> Namespace {
    let more = more.iter().filter(|(node, _)| *node == label.as_str()).map(|(_, more)| *more);
    let yaml =
        format!("source: {{named: {}}}\nown: true\n{}", owner.netns_of(label.as_str()), more.collect::<String>());
    let mut netns: Namespace = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    let mut lo = Link::new(LinkKind::Loopback);
    (lo.up, lo.alias) = (Some(true), Some(Mark::netns(owner, label).to_string()));
    netns.links.insert("lo".parse().expect("a name"), lo);
    netns
}

fn end_of_cable(owner: &Owner, end: &str, far: &str) -> (LinkRef, Link) {
    let mut words = end.split_whitespace();
    let at: LinkRef = words.next().and_then(|word| word.parse().ok()).expect("node:interface");
    let peer = far.split_whitespace().next().and_then(|word| word.parse().ok());
    let mut link = Link::new(LinkKind::Veth(Veth { peer }));
    (link.up, link.group, link.alias) =
        (Some(true), Some(owner.group()), Some(Mark::link(owner, &at, None).to_string()));
    link.addresses = words.map(|word| Address::new(word.parse().expect("an address"), true)).collect();
    (at, link)
}
