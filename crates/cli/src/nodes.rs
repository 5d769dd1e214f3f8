//! Nodes and their links as they are, for people and for programs. Does not judge them.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::IpAddr,
    path::PathBuf,
};

use serde::Serialize;
use wireloom_engine::{Address, IfName, Label, Link, LinkKind, LinkRef, Mac, Namespace, Origin, Owner, Source, State};

use crate::{paint::Paint, place};

/// The state of a link that is not there.
const MISSING: &str = "missing";

/// One node.
#[derive(Debug, Serialize)]
pub(crate) struct Node<'a> {
    /// Where its namespace is; its inode is absent when there is none.
    namespace: Place<'a>,
    /// Whether `up` makes the namespace.
    own: bool,
    links: Vec<Interface<'a>>,
    routes: Vec<String>,
}

/// Where a namespace is.
#[derive(Debug, Serialize)]
struct Place<'a> {
    name: Option<&'a str>,
    path: PathBuf,
    inode: Option<u64>,
}

/// One link of a node.
#[derive(Debug, Serialize)]
struct Interface<'a> {
    name: IfName,
    kind: &'a str,
    /// The kind with its options.
    #[serde(skip)]
    told: String,
    /// `up`, `no-carrier`, `down` or `missing`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<Mac>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bridge: Option<IfName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a LinkRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qdisc: Option<String>,
    addresses: Vec<String>,
    /// Without those that the kernel makes by itself: people look for theirs.
    #[serde(skip)]
    shown: Vec<String>,
    /// Whether the link carries our mark.
    ours: bool,
}

/// The nodes of a desired state, and all their links: wanted ones that are missing, and in namespaces of ours also
/// those of others. In namespaces that exist anyway only ours, and none of them where they have nothing of ours.
pub(crate) fn of<'a>(desired: &'a State, observed: &'a State) -> BTreeMap<&'a Label, Node<'a>> {
    let node = |(label, wanted): (&'a Label, &'a Namespace)| {
        let found = observed.namespaces.get(label);
        let routes = found.iter().flat_map(|found| &found.routes).filter(|route| route.origin != Origin::Kernel);
        let routes = routes.filter(|route| wanted.own || route.origin == Origin::Ours).map(ToString::to_string);
        let links = links(wanted, found, &desired.owner, observed);
        (label, Node { namespace: location(&wanted.source), own: wanted.own, links, routes: routes.collect() })
    };
    let nodes = desired.namespaces.iter().map(node);
    let has_ours = |node: &Node<'_>| node.links.iter().any(|link| link.ours || link.state == MISSING);
    nodes.filter(|(label, node)| label.as_str() != Label::HOST || has_ours(node)).collect()
}

fn links<'a>(
    wanted: &'a Namespace,
    found: Option<&'a Namespace>,
    owner: &Owner,
    observed: &State,
) -> Vec<Interface<'a>> {
    let mut links = BTreeMap::new();
    for (name, link) in wanted.links.iter().filter(|(_, link)| link.kind != LinkKind::Loopback) {
        links.insert(name, interface(*name, link, MISSING, false));
    }
    for (name, link) in found.iter().flat_map(|found| &found.links) {
        let ours = link.belongs_to(owner);
        let bare = link.kind == LinkKind::Loopback && link.addresses.iter().all(|a| a.net.addr().is_loopback());
        if (ours || wanted.own || links.contains_key(name)) && !bare {
            links.insert(name, interface(*name, link, state(link, observed), ours));
        }
    }
    links.into_values().collect()
}

/// The nodes of a state: neither the namespace for bridges nor the host.
pub(crate) fn names(state: &State) -> impl Iterator<Item = &Label> {
    let hub = state.owner.hub();
    state.namespaces.keys().filter(move |label| label.as_str() != hub && label.as_str() != Label::HOST)
}

/// How many links a state has; a pair of veths is one.
pub(crate) fn count_links(state: &State) -> usize {
    let links = state.namespaces.values().flat_map(|netns| netns.links.values());
    let ends = links.filter(|link| link.kind.peer().is_some()).count();
    state.count_links() - ends / 2
}

/// `up`, `no-carrier` or `down`. A veth has carrier while its other end is up.
pub(crate) fn state(link: &Link, observed: &State) -> &'static str {
    let peer = link.kind.peer().and_then(|peer| observed.link(peer));
    match (link.up, peer.map(|peer| peer.up)) {
        (Some(false), _) => "down",
        (_, Some(Some(false))) => "no-carrier",
        _ => "up",
    }
}

fn interface<'a>(name: IfName, link: &'a Link, state: &'static str, ours: bool) -> Interface<'a> {
    let texts = |is_told: &dyn Fn(&Address) -> bool| {
        let there = link.addresses.iter().filter(|_| state != MISSING);
        there.filter(|address| is_told(address)).map(|address| address.net.to_string()).collect()
    };
    Interface {
        name,
        kind: link.kind.name(),
        told: link.kind.to_string(),
        state,
        mac: link.mac,
        mtu: link.mtu,
        bridge: link.controller,
        peer: link.kind.peer(),
        qdisc: link.qdisc.as_ref().map(ToString::to_string),
        addresses: texts(&|address| !address.net.addr().is_loopback()),
        shown: texts(&|address| !address.net.addr().is_loopback() && !is_by_itself(address)),
        ours,
    }
}

/// Made by the kernel: it does not say so of the link-local ones that interfaces get when they go up.
fn is_by_itself(address: &Address) -> bool {
    let local = matches!(address.net.addr(), IpAddr::V6(v6) if v6.is_unicast_link_local());
    address.origin == Origin::Kernel || (local && address.origin != Origin::Ours)
}

fn location(source: &Source) -> Place<'_> {
    let inode = source.open().ok().and_then(|netns| netns.inode().ok());
    Place { name: place::name(source), path: place::path(source), inode }
}

impl Node<'_> {
    /// A line for the node and one for each link.
    pub(crate) fn text(&self, label: &Label, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let place = match (&self.namespace.name, self.namespace.inode) {
            (_, None) => paint.bad("no namespace"),
            (Some(name), Some(_)) => paint.faint(&format!("namespace {name}")),
            (None, Some(_)) => paint.faint(&self.namespace.path.display().to_string()),
        };
        writeln!(out, "{} {place}", paint.strong(label.as_str()))?;
        for link in &self.links {
            let state = match link.state {
                "up" => paint.good("up"),
                "down" | "no-carrier" => paint.odd(link.state),
                other => paint.bad(other),
            };
            let mut line = format!("  {:<15} {state} {}", link.name, link.told);
            if let Some(bridge) = link.bridge {
                line += &format!(" on bridge {bridge}");
            }
            if let Some(peer) = link.peer {
                line += &format!(" to {peer}");
            }
            line += &link.mtu.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
            line.extend(link.shown.iter().map(|address| format!(" {address}")));
            line += &link.qdisc.as_ref().map(|qdisc| format!(" {qdisc}")).unwrap_or_default();
            writeln!(out, "{line}")?;
        }
        self.routes.iter().try_for_each(|route| writeln!(out, "  route {route}"))
    }
}
