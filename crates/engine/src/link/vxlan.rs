//! vxlan: Ethernet over UDP (RFC 7348).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::LinkRef;

/// A tunnel, like `ip link add NAME type vxlan id VNI remote A [local A] dstport P [dev DEV]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vxlan {
    /// Network identifier, 24 bits.
    pub vni: u32,
    /// The other end, or a multicast group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Source address of the outer packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// UDP port; IANA's is 4789.
    #[serde(default = "Vxlan::default_port")]
    pub port: u16,
    /// The namespace whose routes the outer packets take. The link itself may lie in another one.
    pub underlay: crate::Label,
    /// The link of the underlay that the outer packets leave by, where it is not left to the routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<LinkRef>,
}

impl Vxlan {
    fn default_port() -> u16 {
        4789
    }
}
