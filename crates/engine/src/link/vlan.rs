//! vlan: a tag (IEEE 802.1Q, 802.1ad) on a parent interface.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, InfoVlan, VlanProtocol as KernelProtocol};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
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

impl Kind for Vlan {
    fn name(&self) -> &'static str {
        "vlan"
    }

    fn change(&self, found: &Vlan) -> KindChange {
        KindChange::moved("parent", found.parent.as_ref(), self.parent.as_ref())
            .or_else(|| KindChange::fixed("id", &found.vid, &self.vid))
            .or_else(|| KindChange::fixed("protocol", &found.protocol, &self.protocol))
            .unwrap_or(KindChange::Same)
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let protocol = match self.protocol {
            VlanProtocol::Dot1q => KernelProtocol::Ieee8021Q,
            VlanProtocol::Dot1ad => KernelProtocol::Ieee8021Ad,
        };
        let data = Some(InfoData::Vlan(vec![InfoVlan::Id(self.vid), InfoVlan::Protocol(protocol)]));
        Encoded { kind: InfoKind::Vlan, data, below: self.parent.clone() }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Vlan> {
        let Some(InfoData::Vlan(data)) = data else { return None };
        let vid = data.iter().find_map(|attribute| match attribute {
            InfoVlan::Id(vid) => Some(*vid),
            _ => None,
        });
        let service = data.contains(&InfoVlan::Protocol(KernelProtocol::Ieee8021Ad));
        let protocol = if service { VlanProtocol::Dot1ad } else { VlanProtocol::Dot1q };
        Some(Vlan { parent: around.below(), vid: vid?, protocol })
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.parent.as_ref()
    }
}

impl fmt::Display for VlanProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VlanProtocol::Dot1q => "802.1q",
            VlanProtocol::Dot1ad => "802.1ad",
        })
    }
}

impl fmt::Display for Vlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vlan {} ({})", self.vid, self.protocol)?;
        self.parent.as_ref().map_or(Ok(()), |parent| write!(f, " over {parent}"))
    }
}
