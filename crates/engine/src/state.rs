//! [`State`]: what networking is, or should be. One type for both, so that verifying is comparing. What a desired state
//! leaves out (`None`, an interface that it does not name) is not cared about; an observed state has everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{Firewall, IfName, IpFamily, Label, Link, LinkRef, Neighbour, Nexthop, Owner, Route, Rule};

/// The networking of some namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Whose objects these are; marks on links say so.
    pub owner: Owner,
    /// The namespaces. In an observed state one that does not exist is absent.
    #[serde(default)]
    pub namespaces: BTreeMap<Label, Namespace>,
}

/// A namespace and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Where it is found.
    pub source: Source,
    /// Whether it is ours: made by `up`, gone after `down`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Its interfaces.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<IfName, Link>,
    /// Its routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Its rules. Observed where the ledger or the desired state has some, as are neighbours and nexthops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Its neighbours that are told, not those that are found out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Its nexthop objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nexthops: Vec<Nexthop>,
    /// Its settings under /proc/sys, written like `net.ipv4.ip_forward`, and those of its devices
    /// ([`DeviceSetting`](crate::DeviceSetting)), written like `ethtool.eth0.features.tso`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    /// What its packets meet beside routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// Observed: families for which Docker drops what is forwarded, but for what its chain for others lets through.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub docker: BTreeSet<IpFamily>,
    /// Observed: settings that we have changed, with the values that were there before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, String>,
}

/// Where a namespace is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The one that we run in.
    Current,
    /// By name, under [`wireloom_netns::DIRECTORY`], as `ip netns` has it.
    Named(String),
    /// By path, like `/proc/4711/ns/net`.
    Path(PathBuf),
}

impl Source {
    /// Opens the namespace that is found there now.
    ///
    /// # Errors
    /// There is none, or it may not be opened.
    pub fn open(&self) -> wireloom_netns::Result<wireloom_netns::Netns> {
        match self {
            Source::Current => wireloom_netns::Netns::current(),
            Source::Named(name) => wireloom_netns::Netns::named(name),
            Source::Path(path) => wireloom_netns::Netns::open(path),
        }
    }
}

impl State {
    /// A state without anything: what `down` asks for.
    pub fn empty(owner: Owner) -> State {
        State { owner, namespaces: BTreeMap::new() }
    }

    /// The link of that name, if there is one.
    pub fn link(&self, at: &LinkRef) -> Option<&Link> {
        self.namespaces.get(&at.netns)?.links.get(&at.ifname)
    }

    /// Wants a link down, like `ip link set LINK down`. The kernel drops the routes that leave by it, so that they are not
    /// wanted either.
    pub fn take_down(&mut self, at: &LinkRef) {
        let Some(netns) = self.namespaces.get_mut(&at.netns) else { return };
        let Some(link) = netns.links.get_mut(&at.ifname) else { return };
        link.up = Some(false);
        let subnets: Vec<_> = link.addresses.iter().map(|address| address.net).collect();
        let leaves_by_it = |hop: &crate::Hop| match (hop.dev, hop.via) {
            (Some(dev), _) => dev == at.ifname,
            (None, Some(via)) => subnets.iter().any(|subnet| subnet.contains(&via)),
            (None, None) => false,
        };
        netns.routes.retain(|route| route.hops.is_empty() || !route.hops.iter().all(leaves_by_it));
    }

    /// How many links there are, loopback not counted.
    pub fn count_links(&self) -> usize {
        let kinds = self.namespaces.values().flat_map(|n| n.links.values()).map(|l| &l.kind);
        kinds.filter(|kind| !matches!(kind, crate::LinkKind::Loopback)).count()
    }
}

impl Namespace {
    /// A namespace with nothing in it.
    pub fn new(source: Source, own: bool) -> Namespace {
        let (links, sysctls, before) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (firewall, docker) = (None, BTreeSet::new());
        let (routes, rules, neighbours, nexthops) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Namespace { source, own, links, routes, rules, neighbours, nexthops, sysctls, firewall, docker, before }
    }
}
