//! vlan: a tag (IEEE 802.1Q, 802.1ad) on a parent interface.

use serde::{Deserialize, Serialize};

use crate::LinkRef;

/// Like `ip link add NAME link PARENT type vlan id VID [protocol 802.1ad]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// The interface below; it may lie in another namespace. Absent in an observed state where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LinkRef>,
    /// The tag, 1 to 4094.
    pub vid: u16,
    /// The tag's protocol.
    #[serde(default)]
    pub protocol: VlanProtocol,
}

/// Which tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VlanProtocol {
    /// Customer tag, 0x8100.
    #[default]
    #[serde(rename = "802.1q")]
    Dot1q,
    /// Service tag, 0x88a8.
    #[serde(rename = "802.1ad")]
    Dot1ad,
}
