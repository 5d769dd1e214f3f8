//! ipvtap: an ipvlan whose packets a program takes from /dev/tapN. Makes no device node.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoIpVlan, InfoIpVtap, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Ipvlan, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME link PARENT type ipvtap mode MODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ipvtap(pub Ipvlan);

impl Kind for Ipvtap {
    fn name(&self) -> &'static str {
        "ipvtap"
    }

    fn has_mac(&self) -> bool {
        self.0.has_mac()
    }

    /// Its parent may be in another namespace: the kernel tells that of an ipvlan, but not of an ipvtap (no get_link_net).
    fn can_be_restored(&self) -> bool {
        self.0.parent.is_some()
    }

    fn change(&self, found: &Ipvtap) -> KindChange {
        let parent = found.0.parent.clone().or_else(|| self.0.parent.clone());
        self.0.change(&Ipvlan { parent, ..found.0.clone() })
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let (mode, flags) = self.0.settings();
        let data = Some(InfoData::IpVtap(vec![InfoIpVtap::Mode(mode), InfoIpVtap::Flags(flags)]));
        Encoded { kind: InfoKind::IpVtap, data, below: self.0.parent.clone() }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Ipvtap> {
        let Some(InfoData::IpVtap(data)) = data else { return None };
        let alike = data.iter().filter_map(|attribute| match attribute {
            InfoIpVtap::Mode(mode) => Some(InfoIpVlan::Mode(*mode)),
            InfoIpVtap::Flags(flags) => Some(InfoIpVlan::Flags(*flags)),
            _ => None,
        });
        Ipvlan::read(&alike.collect::<Vec<_>>(), around).map(Ipvtap)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.0.parent()
    }
}

impl fmt::Display for Ipvtap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ipvtap mode {} {}", self.0.mode, self.0.flag)?;
        self.0.parent.as_ref().map_or(Ok(()), |parent| write!(f, " over {parent}"))
    }
}
