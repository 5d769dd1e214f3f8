//! Links: what every kind has, and one file for each kind with its type, comparison, encoder and decoder.

mod bridge;
mod dummy;
mod macvlan;
mod veth;
mod vlan;
mod vxlan;

use serde::{Deserialize, Serialize};

pub use self::{
    bridge::Bridge,
    dummy::Dummy,
    macvlan::{Macvlan, MacvlanMode},
    veth::Veth,
    vlan::{Vlan, VlanProtocol},
    vxlan::Vxlan,
};
use crate::{Address, IfName, Mac, Qdisc};

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
    Vxlan(Vxlan),
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
