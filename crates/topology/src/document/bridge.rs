//! A bridge and its options.

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::Mac;

use crate::{
    document::{
        address::{HostAddress, Subnet},
        keys::keys,
        text::{Text, Word},
        units::{MtuNumber, Whole},
    },
    expand::Pattern,
    read::OneOrMany,
};

keys! {
    /// A bridge.
    pub(crate) struct BridgeSpec {
        /// Its name; a range like `s[1-4]` stands for several, and `{n}` in other texts for its number.
        bridge: Word<Pattern>,
        /// What it is made of.
        mode: BridgeMode,
        /// The node whose namespace it lives in. Without it, a namespace that the topology keeps for its bridges.
        node: Text<String>,
        /// Largest packet, for its ports too unless they say otherwise. Without it, the smallest of its ports.
        mtu: MtuNumber,
        /// Its MAC address; without it, one that stays the same.
        mac: Text<Mac>,
        /// Addresses of the bridge itself.
        ip: OneOrMany<Text<HostAddress>>,
        /// Networks to hand out addresses from, to its ports in the order of the document.
        subnet: OneOrMany<Text<Subnet>>,
        /// Whether the spanning tree protocol runs.
        stp: bool,
        /// Seconds that an address which is not seen stays known; 300 without it.
        ageing: Whole<0, 1_000_000>,
        /// Whether ports have VLANs. Without it: if a port has any.
        vlan_filtering: bool,
        /// The VLAN of ports without one of their own, 1 without it; 0 for none.
        default_pvid: Whole<0, 4094>,
        /// Which of the addresses 01:80:c2:00:00:00 to 0f pass, a bit each; 16384 lets LLDP through, 8 802.1X. Never the
        /// first three: those of the spanning tree, of pauses and of LACP.
        group_fwd_mask: Whole<0, 0xffff>,
        /// Who becomes the root of the spanning tree: the lowest; 32768 without it.
        priority: Whole<0, 65_535>,
        /// Seconds in each of the states listening and learning; 15 without it.
        forward_delay: Whole<2, 30>,
        /// Seconds between two hellos of the spanning tree; 2 without it.
        hello_time: Whole<1, 10>,
        /// Seconds until a root that is not heard is given up; 20 without it.
        max_age: Whole<6, 40>,
        /// Whether multicast goes only where somebody has joined; true without it.
        multicast_snooping: bool,
    }
}

/// What a bridge is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BridgeMode {
    /// Linux bridge.
    #[default]
    Auto,
    /// A bridge of the kernel.
    Linux,
    /// No bridge: its two ends are the ends of one veth pair.
    Patch,
    /// Not yet: Open vSwitch.
    Ovs,
}
