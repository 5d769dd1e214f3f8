//! One step of a plan: the smallest change that can be made and taken back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Address, BridgePort, Firewall, IfName, Label, Link, LinkKind, LinkRef, Mac, Object, Qdisc, setting};

/// A change of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// `ip route del`, and the like
    Del {
        /// Where.
        netns: Label,
        /// What was there.
        object: Object,
    },
    /// `ip link del`
    DelLink(NewLink),
    /// `ip netns add`, `ip link set lo up alias MARK`
    AddNetns {
        /// What it is called in the state.
        netns: Label,
        /// The mark on its `lo`.
        alias: String,
    },
    /// `ip link add`
    AddLink(NewLink),
    /// `ip link set`
    SetLink {
        /// Which link.
        at: LinkRef,
        /// What it was, as far as it changes.
        from: Settings,
        /// What it becomes.
        to: Settings,
    },
    /// `sysctl -w`, `ethtool -K` and its like
    SetSysctl {
        /// Where.
        netns: Label,
        /// Like `net.ipv4.ip_forward`.
        key: String,
        /// The value before; absent where it has not been read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The value after.
        to: String,
        /// Whether this puts back what was there before us.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        back: bool,
    },
    /// `ip address add`
    AddAddress {
        /// Which link.
        at: LinkRef,
        /// What.
        address: Address,
    },
    /// `ip address del`
    DelAddress {
        /// Which link.
        at: LinkRef,
        /// What was there.
        address: Address,
    },
    /// `ip route add`, and the like
    Add {
        /// Where.
        netns: Label,
        /// What.
        object: Object,
    },
    /// `nft -f`: the owner's table, and its rule in Docker's chain.
    SetFirewall {
        /// Where.
        netns: Label,
        /// What it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Firewall>,
        /// What it becomes; absent: no table.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Firewall>,
    },
    /// `tc qdisc replace dev LINK root`, `tc qdisc del dev LINK root`
    SetQdisc {
        /// Which link.
        at: LinkRef,
        /// What it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Qdisc>,
        /// What it becomes; absent: the kernel's default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Qdisc>,
    },
    /// `ip netns del`
    DelNetns {
        /// What it is called in the state.
        netns: Label,
    },
}

/// A link to be made, or one that was there; veths come with their other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// Where.
    pub at: LinkRef,
    /// What. Addresses and qdisc are steps of their own when it is made.
    pub link: Link,
    /// The other end of a veth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Box<NewLink>>,
}

/// Settings of a link that a step changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Settings of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<LinkKind>,
    /// Link-layer address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// MTU in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Administratively up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// Membership in a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<Port>,
    /// Settings as a port of a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Box<BridgePort>>,
    /// IFLA_IFALIAS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// IFLA_GROUP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

/// Whether a link is a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Port {
    /// Of no bridge.
    Free,
    /// Of this bridge.
    Of(IfName),
}

/// The parts of a plan, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Routes and links that go, and ports that leave.
    Removals,
    /// Namespaces that come.
    Namespaces,
    /// Settings under /proc/sys that new links take over (`conf.default`), or that are no link's.
    Sysctls,
    /// Links that come or change.
    Links,
    /// Settings of single links that a request for links cannot say: under /proc/sys, of ethtool, keys and peers.
    LinkSettings,
    /// Addresses that come and go.
    Addresses,
    /// Routes and the like that come.
    Routes,
    /// Tables of nftables.
    Firewalls,
    /// Impairments and rates.
    Qdiscs,
    /// Namespaces that go.
    Drops,
}

impl Phase {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Removals => "removals",
            Phase::Namespaces => "namespaces",
            Phase::Links => "links",
            Phase::Sysctls => "sysctls",
            Phase::LinkSettings => "link-settings",
            Phase::Addresses => "addresses",
            Phase::Routes => "routes",
            Phase::Firewalls => "firewalls",
            Phase::Qdiscs => "qdiscs",
            Phase::Drops => "drops",
        }
    }
}

impl Step {
    /// The part of a plan that it belongs to.
    pub fn phase(&self) -> Phase {
        match self {
            Step::Del { .. } | Step::DelLink(_) => Phase::Removals,
            Step::SetLink { to, .. } if to.controller == Some(Port::Free) => Phase::Removals,
            Step::SetLink { to, .. } if to.kind.as_ref().is_some_and(LinkKind::is_configured_later) => {
                Phase::LinkSettings
            }
            Step::AddNetns { .. } => Phase::Namespaces,
            Step::AddLink(_) | Step::SetLink { .. } => Phase::Links,
            Step::SetSysctl { key, .. } if setting::is_of_link(key) => Phase::LinkSettings,
            Step::SetSysctl { .. } => Phase::Sysctls,
            Step::AddAddress { .. } | Step::DelAddress { .. } => Phase::Addresses,
            Step::Add { .. } => Phase::Routes,
            Step::SetFirewall { .. } => Phase::Firewalls,
            Step::SetQdisc { .. } => Phase::Qdiscs,
            Step::DelNetns { .. } => Phase::Drops,
        }
    }

    /// `+` comes, `-` goes, `~` changes.
    pub fn sign(&self) -> char {
        match self {
            Step::AddNetns { .. } | Step::AddLink(_) | Step::AddAddress { .. } | Step::Add { .. } => '+',
            Step::Del { .. } | Step::DelLink(_) | Step::DelAddress { .. } | Step::DelNetns { .. } => '-',
            Step::SetLink { .. } | Step::SetSysctl { .. } => '~',
            Step::SetQdisc { from: None, .. } | Step::SetFirewall { from: None, .. } => '+',
            Step::SetQdisc { to: None, .. } | Step::SetFirewall { to: None, .. } => '-',
            Step::SetQdisc { .. } | Step::SetFirewall { .. } => '~',
        }
    }
}

impl Step {
    /// The namespace in which it happens; of a pair of veths, that of one end.
    pub fn netns(&self) -> &Label {
        match self {
            Step::AddNetns { netns, .. }
            | Step::DelNetns { netns }
            | Step::SetSysctl { netns, .. }
            | Step::SetFirewall { netns, .. }
            | Step::Add { netns, .. }
            | Step::Del { netns, .. } => netns,
            Step::AddLink(new) | Step::DelLink(new) => &new.at.netns,
            Step::SetLink { at, .. }
            | Step::AddAddress { at, .. }
            | Step::DelAddress { at, .. }
            | Step::SetQdisc { at, .. } => &at.netns,
        }
    }

    /// As part of a sentence: `add link r1:eth1 ...`, where a list has `+ link r1:eth1 ...`.
    pub fn in_words(&self) -> String {
        let verb = match self.sign() {
            '+' => "add",
            '-' => "delete",
            _ => "change",
        };
        format!("{verb} {}", Subject(self))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign(), Subject(self))
    }
}

/// What a step is about, without what it does.
struct Subject<'a>(&'a Step);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Step::AddNetns { netns, .. } | Step::DelNetns { netns } => write!(f, "namespace {netns}"),
            Step::AddLink(link) | Step::DelLink(link) => write!(f, "link {link}"),
            Step::SetLink { at, from, to } => write!(f, "link {at}: {}", to.differences(from)),
            Step::SetSysctl { netns, key, from: Some(from), to, .. } => {
                write!(f, "{} {netns} {}: {from} -> {to}", setting::object(key), setting::name(key))
            }
            Step::SetSysctl { netns, key, to, .. } => {
                write!(f, "{} {netns} {} = {to}", setting::object(key), setting::name(key))
            }
            Step::AddAddress { at, address } | Step::DelAddress { at, address } => {
                write!(f, "address {} on {at}", address.net)
            }
            Step::Add { netns, object } | Step::Del { netns, object } => {
                write!(f, "{} {object} in {netns}", object.name())
            }
            Step::SetFirewall { netns, from: Some(from), to: Some(to) } if from.to_string() != to.to_string() => {
                write!(f, "firewall in {netns}: {from} -> {to}")
            }
            Step::SetFirewall { netns, from, to } => {
                write!(f, "firewall in {netns}: ")?;
                to.as_ref().or(from.as_ref()).map_or(Ok(()), |firewall| write!(f, "{firewall}"))
            }
            Step::SetQdisc { at, from: Some(from), to: Some(to) } => write!(f, "qdisc on {at}: {from} -> {to}"),
            Step::SetQdisc { at, from: None, to: Some(qdisc) } | Step::SetQdisc { at, from: Some(qdisc), to: None } => {
                write!(f, "qdisc {qdisc} on {at}")
            }
            Step::SetQdisc { at, from: None, to: None } => write!(f, "qdisc on {at}: unchanged"),
        }
    }
}

impl fmt::Display for NewLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        if let Some(peer) = &self.peer {
            write!(f, " <-> {}", peer.at)?;
        }
        write!(f, " {}", self.link.kind)?;
        if let Some(controller) = self.link.controller {
            write!(f, " on bridge {controller}")?;
        }
        self.link.mtu.map_or(Ok(()), |mtu| write!(f, " mtu {mtu}"))
    }
}

impl Settings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Settings::default()
    }

    /// `mtu 1500 -> 9000, ...`
    fn differences(&self, from: &Settings) -> String {
        fn word<T: fmt::Display>(name: &str, from: Option<&T>, to: Option<&T>) -> Option<String> {
            match (from, to) {
                (Some(from), Some(to)) => Some(format!("{name} {from} -> {to}")),
                (None, Some(to)) => Some(format!("{name} {to}")),
                _ => None,
            }
        }
        let updown = |up: &bool| if *up { "up" } else { "down" };
        let words = [
            word("", from.kind.as_ref(), self.kind.as_ref()).map(|w| w.trim_start().to_owned()),
            word("mac", from.mac.as_ref(), self.mac.as_ref()),
            word("mtu", from.mtu.as_ref(), self.mtu.as_ref()),
            self.up.as_ref().map(|up| updown(up).to_owned()),
            word("bridge", from.controller.as_ref(), self.controller.as_ref()),
            word("port", from.port.as_ref(), self.port.as_ref()),
            word("alias", from.alias.as_ref(), self.alias.as_ref()),
            word("group", from.group.as_ref(), self.group.as_ref()),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Free => f.write_str("none"),
            Port::Of(bridge) => write!(f, "{bridge}"),
        }
    }
}
