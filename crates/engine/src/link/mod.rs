//! Links: what every kind has, and one file for each kind with its type, comparison, encoder and decoder.

mod bond;
mod bridge;
mod bridge_port;
mod dummy;
mod geneve;
mod ip_tunnel;
mod ipvlan;
mod ipvtap;
mod kind;
mod macvlan;
mod macvtap;
mod netkit;
mod tap;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, LinkMessage};
use serde::{Deserialize, Serialize};

pub use self::{
    bond::{Bond, BondMode},
    bridge::Bridge,
    bridge_port::{BadVids, BridgePort, PortVlans, Vids},
    dummy::Dummy,
    geneve::Geneve,
    ip_tunnel::{IpTunnel, TunnelForm},
    ipvlan::{Ipvlan, IpvlanFlag, IpvlanMode},
    ipvtap::Ipvtap,
    macvlan::{Macvlan, MacvlanMode},
    macvtap::Macvtap,
    netkit::{Netkit, NetkitMode, NetkitPolicy},
    tap::Tap,
    veth::Veth,
    vlan::{Vlan, VlanProtocol},
    vrf::Vrf,
    vxlan::Vxlan,
    wireguard::{PeerKey, Wireguard, WireguardPeer},
};
use crate::{Address, IfName, Label, LinkRef, Mac, Qdisc};
pub(crate) use kind::{Encoded, Kind, KindChange, Surroundings};

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
    /// Its settings as a port of a bridge. Desired: without it, the defaults.
    // Boxed: few links have any, and there are tens of thousands of links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Box<BridgePort>>,
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

/// Every kind of link: a line here, and a file beside this one that implements [`Kind`].
macro_rules! kinds {
    ($($(#[$about:meta])* $variant:ident($kind:ty),)*) => {
        /// The kinds of link, named as `ip link add type` names them.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum LinkKind {
            /// `lo`, which every namespace has.
            Loopback,
            $($(#[$about])* $variant($kind),)*
            /// Observed: a kind that a desired state does not ask for, by the kernel's name (empty: a device of hardware).
            Other(String),
        }

        impl LinkKind {
            /// What it is; nothing for what cannot be made: loopback, and kinds that we do not know.
            fn kind(&self) -> Option<&dyn Kind> {
                match self {
                    LinkKind::Loopback | LinkKind::Other(_) => None,
                    $(LinkKind::$variant(kind) => Some(kind),)*
                }
            }

            /// What it takes to make `found` like this one.
            pub(crate) fn change(&self, found: &LinkKind) -> KindChange {
                match (self, found) {
                    (LinkKind::Loopback, LinkKind::Loopback) => KindChange::Same,
                    $((LinkKind::$variant(wanted), LinkKind::$variant(found)) => wanted.change(found),)*
                    (wanted, found) => KindChange::Replace(format!("{} -> {}", found.name(), wanted.name())),
                }
            }

            /// The settings that a change of `found` must speak of.
            pub(crate) fn needed(&self, found: &LinkKind) -> LinkKind {
                match (self, found) {
                    $((LinkKind::$variant(wanted), LinkKind::$variant(found)) => LinkKind::$variant(wanted.needed(found)),)*
                    (wanted, _) => wanted.clone(),
                }
            }

            /// Those settings of `found` that this one speaks of: what a change of it must put back.
            pub(crate) fn before(&self, found: &LinkKind) -> LinkKind {
                match (self, found) {
                    $((LinkKind::$variant(wanted), LinkKind::$variant(found)) => LinkKind::$variant(wanted.before(found)),)*
                    (_, found) => found.clone(),
                }
            }

            /// Reads the kind of an observed link; one whose data cannot be read is one that we do not know.
            pub(crate) fn decode(kind: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> LinkKind {
                $(if let Some(known) = <$kind as Kind>::decode(kind, data, around) {
                    return LinkKind::$variant(known);
                })*
                LinkKind::Other(kind.to_string())
            }
        }
    };
}

kinds! {
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
    /// Several links as one.
    Bond(Bond),
    /// A routing table for its ports.
    Vrf(Vrf),
    /// An interface without another end.
    Dummy(Dummy),
    /// An interface of a program.
    Tap(Tap),
    /// An encrypted tunnel.
    Wireguard(Box<Wireguard>),
    /// A further interface on a parent, with the same MAC address.
    Ipvlan(Ipvlan),
    /// The same, for a program.
    Ipvtap(Ipvtap),
    /// A macvlan for a program.
    Macvtap(Macvtap),
    /// A tunnel over UDP.
    Geneve(Box<Geneve>),
    /// A tunnel over IP.
    IpTunnel(Box<IpTunnel>),
    /// One end of a pair for programs of the kernel.
    Netkit(Netkit),
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
            port: None,
            alias: None,
            group: None,
            queues: None,
            addresses: Vec::new(),
            qdisc: None,
            claimed: false,
        }
    }
}

impl LinkKind {
    /// The kernel's name of the kind, as in `ip link add type NAME`.
    pub fn name(&self) -> &str {
        match self {
            LinkKind::Loopback => "loopback",
            LinkKind::Other(name) if name.is_empty() => "device",
            LinkKind::Other(name) => name,
            known => known.kind().map_or("", Kind::name),
        }
    }

    /// Whether it has a MAC address of its own, which can be chosen when it is made.
    pub fn has_mac(&self) -> bool {
        self.kind().is_none_or(Kind::has_mac)
    }

    /// The first kernel that has it, where people still run older ones.
    pub(crate) fn since(&self) -> Option<&'static str> {
        self.kind()?.since()
    }

    /// Whether an observed one tells enough to be made again.
    pub(crate) fn can_be_restored(&self) -> bool {
        self.kind().is_none_or(Kind::can_be_restored)
    }

    /// What [`Kind::encode_pair`] says.
    pub(crate) fn encode_pair(&self, other: &LinkKind, message: LinkMessage) -> Option<InfoData> {
        self.kind()?.encode_pair(other, message)
    }

    /// The other end of a pair.
    pub fn peer(&self) -> Option<&LinkRef> {
        self.kind()?.peer()
    }

    /// The link below, which must be there first, and whose end is the end of this one.
    pub fn parent(&self) -> Option<&LinkRef> {
        self.kind()?.parent()
    }

    /// Whether links that join or leave it must be made anew. One of a bond has to be down when it joins; one of a vrf is
    /// taken down by the kernel (cycle_netdev of drivers/net/vrf.c), and loses its addresses and routes.
    pub(crate) fn rebuilds_ports(&self) -> bool {
        matches!(self, LinkKind::Bond(_) | LinkKind::Vrf(_))
    }

    /// The link that takes this one along when it goes.
    pub(crate) fn stands_on(&self) -> Option<&LinkRef> {
        self.parent().or(self.peer())
    }

    /// Whether more is to be said in a step of its own, once all links are there.
    pub(crate) fn is_configured_later(&self) -> bool {
        self.kind().is_some_and(Kind::is_configured_later)
    }

    /// The namespace that the request to make this link is sent in, where that is not the one it is to lie in.
    pub(crate) fn made_from(&self) -> Option<&Label> {
        self.kind()?.made_from()
    }

    /// What a request to make it says. `None` for what cannot be made: loopback, and kinds that we do not know.
    pub(crate) fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Option<Encoded> {
        self.kind().map(|kind| kind.encode(index))
    }

    /// The same for a change of a link that is there.
    pub(crate) fn encode_change(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Option<Encoded> {
        self.kind().map(|kind| kind.encode_change(index))
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => write!(f, "{kind}"),
            None => f.write_str(self.name()),
        }
    }
}
