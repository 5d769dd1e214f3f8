//! Links: what every kind has, and one file for each kind with its type, comparison, encoder and decoder.

mod bridge;
mod dummy;
mod macvlan;
mod veth;
mod vlan;
mod vxlan;

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind};
use serde::{Deserialize, Serialize};

pub use self::{
    bridge::Bridge,
    dummy::Dummy,
    macvlan::{Macvlan, MacvlanMode},
    veth::Veth,
    vlan::{Vlan, VlanProtocol},
    vxlan::Vxlan,
};
use crate::{Address, IfName, Label, LinkRef, Mac, Qdisc};

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is, with the settings of that kind.
    pub kind: LinkKind,
    /// Its number in its namespace. Desired states leave it out: the plan chooses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Link-layer address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Largest packet, bytes without the link-layer header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Whether it is administratively up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// The bridge that it is a port of, in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<IfName>,
    /// IFLA_IFALIAS, up to 255 bytes; begins with our [`Mark`](crate::Mark) on links of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// IFLA_GROUP; [`Owner::group`](crate::Owner::group) on links of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// Transmit and receive queues, each; fixed when the link is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32>,
    /// Its addresses, in the order in which they are added (the first of a subnet is the primary one).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Its root qdisc, where it is not the kernel's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qdisc: Option<Qdisc>,
    /// Observed: the mark is missing, but the ledger says that we were making this link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub claimed: bool,
}

/// The kinds of link, named as `ip link add type` names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// `lo`, which every namespace has.
    Loopback,
    /// One end of a virtual cable.
    Veth(Veth),
    /// A switch.
    Bridge(Bridge),
    /// A tunnel over UDP.
    // Boxed: it is three times the size of the others, and there are tens of thousands of links.
    Vxlan(Box<Vxlan>),
    /// A further MAC address on a parent.
    Macvlan(Macvlan),
    /// A tag on a parent.
    Vlan(Vlan),
    /// An interface without another end.
    Dummy(Dummy),
    /// Observed: a kind that a desired state does not ask for, by the kernel's name (empty: a device of hardware).
    Other(String),
}

impl Link {
    /// A link of that kind that nothing else is said about.
    pub fn new(kind: LinkKind) -> Link {
        Link {
            kind,
            index: None,
            mac: None,
            mtu: None,
            up: None,
            controller: None,
            alias: None,
            group: None,
            queues: None,
            addresses: Vec::new(),
            qdisc: None,
            claimed: false,
        }
    }
}

/// Whether a link can become another one in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KindChange {
    /// They are the same, as far as is asked for.
    Same,
    /// By changing settings.
    Set,
    /// Only by being made anew; why, in words.
    Replace(String),
}

impl KindChange {
    /// Replace, for a setting that is fixed when the link is made.
    fn fixed<T: PartialEq + fmt::Display>(what: &str, found: &T, wanted: &T) -> Option<KindChange> {
        (found != wanted).then(|| KindChange::Replace(format!("{what} {found} -> {wanted}")))
    }

    /// Replace, for what lies below or at the other end.
    fn moved(what: &str, found: Option<&LinkRef>, wanted: Option<&LinkRef>) -> Option<KindChange> {
        let word = |at: Option<&LinkRef>| at.map_or_else(|| "none".to_owned(), |at| at.to_string());
        KindChange::fixed(what, &word(found), &word(wanted))
    }
}

/// What an observed link's message says about other links, resolved.
pub(crate) trait Surroundings {
    /// The other end of a veth.
    fn peer(&self) -> Option<LinkRef>;
    /// The link that IFLA_LINK names.
    fn below(&self) -> Option<LinkRef>;
    /// The namespace that IFLA_LINK_NETNSID names: the link's own one where it is absent.
    fn netns_below(&self) -> Option<Label>;
    /// The link with this number in that namespace.
    fn in_netns(&self, netns: &Label, index: u32) -> Option<LinkRef>;
}

/// What a request to make or change a link says about its kind.
pub(crate) struct Encoded {
    /// IFLA_INFO_KIND.
    pub(crate) kind: InfoKind,
    /// IFLA_INFO_DATA.
    pub(crate) data: Option<InfoData>,
    /// Whose number goes into IFLA_LINK.
    pub(crate) below: Option<LinkRef>,
}

impl LinkKind {
    /// The kernel's name of the kind, as in `ip link add type NAME`.
    pub fn name(&self) -> &str {
        match self {
            LinkKind::Loopback => "loopback",
            LinkKind::Veth(_) => "veth",
            LinkKind::Bridge(_) => "bridge",
            LinkKind::Vxlan(_) => "vxlan",
            LinkKind::Macvlan(_) => "macvlan",
            LinkKind::Vlan(_) => "vlan",
            LinkKind::Dummy(_) => "dummy",
            LinkKind::Other(name) if name.is_empty() => "device",
            LinkKind::Other(name) => name,
        }
    }

    /// The other end of a veth.
    pub fn peer(&self) -> Option<&LinkRef> {
        match self {
            LinkKind::Veth(veth) => veth.peer.as_ref(),
            _ => None,
        }
    }

    /// The link below, which must be there first, and whose end is the end of this one.
    pub fn parent(&self) -> Option<&LinkRef> {
        match self {
            LinkKind::Macvlan(macvlan) => macvlan.parent.as_ref(),
            LinkKind::Vlan(vlan) => vlan.parent.as_ref(),
            LinkKind::Vxlan(vxlan) => vxlan.dev.as_ref(),
            _ => None,
        }
    }

    /// The link that takes this one along when it goes.
    pub(crate) fn stands_on(&self) -> Option<&LinkRef> {
        self.parent().or(self.peer())
    }

    /// The namespace that the request to make this link is sent in, where that is not the one it is to lie in.
    pub(crate) fn made_from(&self) -> Option<&Label> {
        match self {
            LinkKind::Macvlan(macvlan) => macvlan.parent.as_ref().map(|parent| &parent.netns),
            LinkKind::Vlan(vlan) => vlan.parent.as_ref().map(|parent| &parent.netns),
            LinkKind::Vxlan(vxlan) => Some(&vxlan.underlay),
            _ => None,
        }
    }

    /// What it takes to make `found` like this one.
    pub(crate) fn change(&self, found: &LinkKind) -> KindChange {
        match (self, found) {
            (LinkKind::Loopback, LinkKind::Loopback) | (LinkKind::Dummy(_), LinkKind::Dummy(_)) => KindChange::Same,
            (LinkKind::Veth(wanted), LinkKind::Veth(found)) => wanted.change(found),
            (LinkKind::Bridge(wanted), LinkKind::Bridge(found)) => wanted.change(found),
            (LinkKind::Vxlan(wanted), LinkKind::Vxlan(found)) => wanted.change(found),
            (LinkKind::Macvlan(wanted), LinkKind::Macvlan(found)) => wanted.change(found),
            (LinkKind::Vlan(wanted), LinkKind::Vlan(found)) => wanted.change(found),
            (wanted, found) => KindChange::Replace(format!("{} -> {}", found.name(), wanted.name())),
        }
    }

    /// `None` for what cannot be made: loopback, and kinds that we do not know. A veth's other end is added by apply.
    pub(crate) fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Option<Encoded> {
        match self {
            LinkKind::Loopback | LinkKind::Other(_) => None,
            LinkKind::Veth(_) => Some(Encoded { kind: InfoKind::Veth, data: None, below: None }),
            LinkKind::Bridge(bridge) => Some(bridge.encode()),
            LinkKind::Vxlan(vxlan) => Some(vxlan.encode(index)),
            LinkKind::Macvlan(macvlan) => Some(macvlan.encode()),
            LinkKind::Vlan(vlan) => Some(vlan.encode()),
            LinkKind::Dummy(_) => Some(Encoded { kind: InfoKind::Dummy, data: None, below: None }),
        }
    }

    /// The same for a change of a link that is there.
    pub(crate) fn encode_change(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Option<Encoded> {
        match self {
            LinkKind::Vxlan(vxlan) => Some(vxlan.encode_change()),
            other => other.encode(index),
        }
    }

    /// Reads the kind of an observed link. `None` for the data of a kind that cannot be read.
    pub(crate) fn decode(kind: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> LinkKind {
        let known = match (kind, data) {
            (InfoKind::Veth, _) => Some(LinkKind::Veth(Veth { peer: around.peer() })),
            (InfoKind::Dummy, _) => Some(LinkKind::Dummy(Dummy {})),
            (InfoKind::Bridge, Some(InfoData::Bridge(data))) => Some(LinkKind::Bridge(Bridge::decode(data))),
            (InfoKind::Vxlan, Some(InfoData::Vxlan(data))) => {
                Vxlan::decode(data, around).map(Box::new).map(LinkKind::Vxlan)
            }
            (InfoKind::MacVlan, Some(InfoData::MacVlan(data))) => Macvlan::decode(data, around).map(LinkKind::Macvlan),
            (InfoKind::Vlan, Some(InfoData::Vlan(data))) => Vlan::decode(data, around).map(LinkKind::Vlan),
            _ => None,
        };
        known.unwrap_or_else(|| LinkKind::Other(kind.to_string()))
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkKind::Vxlan(vxlan) => write!(f, "{vxlan}"),
            LinkKind::Macvlan(macvlan) => write!(f, "{macvlan}"),
            LinkKind::Vlan(vlan) => write!(f, "{vlan}"),
            LinkKind::Bridge(bridge) => write!(f, "{bridge}"),
            plain => f.write_str(plain.name()),
        }
    }
}
