//! A bridge and its options.

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::Mac;

use crate::{
    document::{
        address::{HostAddress, Subnet},
        keys::{Internet, keys},
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
        /// Not yet: an uplink through the host.
        internet: Internet,
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
