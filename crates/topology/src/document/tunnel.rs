//! A tunnel that is a port of a bridge.

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::IfName;

use crate::{
    document::{
        address::Bare,
        keys::keys,
        netem::NetemSpec,
        text::{Number, Text, Word},
        units::{MtuNumber, Rate, Whole},
    },
    expand::Pattern,
};

keys! {
    /// A tunnel between a bridge and one elsewhere.
    pub(crate) struct TunnelSpec {
        /// `vxlan` or `geneve`.
        r#type: TunnelKind,
        /// The bridge, or `NODE:BRIDGE`; a range stands for several, and `{n}` in other texts for its number.
        bridge: Word<Pattern>,
        /// Address of the other end.
        remote: Text<Bare>,
        /// Source address of the outer packets (vxlan).
        local: Text<Bare>,
        /// Network identifier, 1 to 16777215.
        vni: Number,
        /// UDP port; without it 4789 for vxlan, 6081 for geneve.
        port: Whole<1, 65_535>,
        /// The interface that the outer packets leave by, where it is not left to the routes.
        outer_dev: Text<IfName>,
        /// Name of the tunnel's interface; without it `vx` or `gnv` and the network identifier.
        dev: Text<IfName>,
        /// Largest packet; without it what fits into the interface below.
        mtu: MtuNumber,
        /// Impairment of what is sent into the tunnel.
        netem: NetemSpec,
        /// Rate of what is sent into the tunnel.
        rate: Word<Rate>,
    }
}

/// The kinds of tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TunnelKind {
    /// Ethernet over UDP.
    Vxlan,
    /// The same with room for options.
    Geneve,
}
