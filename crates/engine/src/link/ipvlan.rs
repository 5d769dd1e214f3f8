//! ipvlan: a further interface on a parent, with the parent's MAC address. Packets are told apart by their IP addresses.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoIpVlan, InfoKind, IpVlanFlags, IpVlanMode};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME link PARENT type ipvlan mode MODE [private | vepa]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ipvlan {
    /// The interface below; it may lie in another namespace. Absent in an observed state where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LinkRef>,
    /// How far the kernel of the link's own namespace goes; one for all links of a parent.
    #[serde(default)]
    pub mode: IpvlanMode,
    /// Who may talk to whom; one for all links of a parent.
    #[serde(default)]
    pub flag: IpvlanFlag,
}

/// IPVLAN_MODE_* of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpvlanMode {
    /// Ethernet: neighbours are asked for, multicast passes.
    #[default]
    L2,
    /// Packets are routed by the parent's namespace on the way out.
    L3,
    /// Also on the way in: netfilter there sees them.
    L3s,
}

/// IPVLAN_F_* of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpvlanFlag {
    /// Siblings talk directly.
    #[default]
    Bridge,
    /// Siblings do not talk.
    Private,
    /// Siblings talk by way of the switch outside.
    Vepa,
}

impl Ipvlan {
    /// Reads IFLA_INFO_DATA, which ipvtap has too.
    pub(super) fn read(data: &[InfoIpVlan], around: &dyn Surroundings) -> Option<Ipvlan> {
        let mode = data.iter().find_map(|attribute| match attribute {
            InfoIpVlan::Mode(IpVlanMode::L2) => Some(IpvlanMode::L2),
            InfoIpVlan::Mode(IpVlanMode::L3) => Some(IpvlanMode::L3),
            InfoIpVlan::Mode(IpVlanMode::L3S) => Some(IpvlanMode::L3s),
            _ => None,
        });
        let has = |flag: IpVlanFlags| {
            data.iter().any(|attribute| matches!(attribute, InfoIpVlan::Flags(flags) if flags.contains(flag)))
        };
        let flag = match (has(IpVlanFlags::Private), has(IpVlanFlags::Vepa)) {
            (true, _) => IpvlanFlag::Private,
            (_, true) => IpvlanFlag::Vepa,
            _ => IpvlanFlag::Bridge,
        };
        Some(Ipvlan { parent: around.below(), mode: mode?, flag })
    }

    /// IFLA_IPVLAN_MODE and IFLA_IPVLAN_FLAGS.
    pub(super) fn settings(&self) -> (IpVlanMode, IpVlanFlags) {
        let mode = match self.mode {
            IpvlanMode::L2 => IpVlanMode::L2,
            IpvlanMode::L3 => IpVlanMode::L3,
            IpvlanMode::L3s => IpVlanMode::L3S,
        };
        let flags = match self.flag {
            IpvlanFlag::Bridge => IpVlanFlags::empty(),
            IpvlanFlag::Private => IpVlanFlags::Private,
            IpvlanFlag::Vepa => IpVlanFlags::Vepa,
        };
        (mode, flags)
    }
}

impl Kind for Ipvlan {
    fn name(&self) -> &'static str {
        "ipvlan"
    }

    fn has_mac(&self) -> bool {
        false
    }

    fn change(&self, found: &Ipvlan) -> KindChange {
        let same = (found.mode, found.flag) == (self.mode, self.flag);
        let moved = KindChange::moved("parent", found.parent.as_ref(), self.parent.as_ref());
        moved.unwrap_or(if same { KindChange::Same } else { KindChange::Set })
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let (mode, flags) = self.settings();
        let data = Some(InfoData::IpVlan(vec![InfoIpVlan::Mode(mode), InfoIpVlan::Flags(flags)]));
        Encoded { kind: InfoKind::IpVlan, data, below: self.parent.clone() }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Ipvlan> {
        let Some(InfoData::IpVlan(data)) = data else { return None };
        Ipvlan::read(data, around)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.parent.as_ref()
    }
}

impl fmt::Display for IpvlanMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IpvlanMode::L2 => "l2",
            IpvlanMode::L3 => "l3",
            IpvlanMode::L3s => "l3s",
        })
    }
}

impl fmt::Display for IpvlanFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IpvlanFlag::Bridge => "bridge",
            IpvlanFlag::Private => "private",
            IpvlanFlag::Vepa => "vepa",
        })
    }
}

impl fmt::Display for Ipvlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ipvlan mode {} {}", self.mode, self.flag)?;
        self.parent.as_ref().map_or(Ok(()), |parent| write!(f, " over {parent}"))
    }
}
