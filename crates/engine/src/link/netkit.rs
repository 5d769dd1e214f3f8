//! netkit: a pair like veth, made for programs (BPF) at both ends; without any it passes packets on, and in mode l3 without
//! Ethernet headers.

use std::fmt;

use netlink_packet_route::link::{
    InfoData, InfoKind, InfoNetkit, LinkMessage, NetkitMode as KernelMode, NetkitPolicy as KernelPolicy,
};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::{LinkKind, LinkRef};

/// One end of a pair, like `ip link add NAME type netkit mode MODE POLICY peer POLICY name PEER netns PEERNS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Netkit {
    /// The other end; in an observed state absent where it lies outside of what was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<LinkRef>,
    /// Of both ends.
    #[serde(default)]
    pub mode: NetkitMode,
    /// What becomes of packets that this end sends, where no program decides.
    #[serde(default)]
    pub policy: NetkitPolicy,
}

/// NETKIT_L2, NETKIT_L3 of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetkitMode {
    /// With Ethernet headers.
    L2,
    /// Without.
    #[default]
    L3,
}

/// NETKIT_PASS, NETKIT_DROP of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetkitPolicy {
    /// They reach the other end.
    #[default]
    Forward,
    /// They are dropped.
    Blackhole,
}

impl NetkitPolicy {
    fn kernel(self) -> KernelPolicy {
        match self {
            NetkitPolicy::Forward => KernelPolicy::Pass,
            NetkitPolicy::Blackhole => KernelPolicy::Drop,
        }
    }
}

impl Kind for Netkit {
    fn name(&self) -> &'static str {
        "netkit"
    }

    fn since(&self) -> Option<&'static str> {
        Some("netkit needs Linux 6.7")
    }

    /// "Setting Ethernet address is not supported" of netkit_validate, for a request that makes one.
    fn has_mac(&self) -> bool {
        false
    }

    /// A policy could be changed, but only by way of the end that was made first, and nobody knows which that was.
    fn change(&self, found: &Netkit) -> KindChange {
        KindChange::moved("peer", found.peer.as_ref(), self.peer.as_ref())
            .or_else(|| KindChange::fixed("mode", &found.mode, &self.mode))
            .or_else(|| KindChange::fixed("policy", &found.policy, &self.policy))
            .unwrap_or(KindChange::Same)
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Netkit, data: None, below: None }
    }

    fn encode_pair(&self, other: &LinkKind, message: LinkMessage) -> Option<InfoData> {
        let LinkKind::Netkit(other) = other else { return None };
        let mode = match self.mode {
            NetkitMode::L2 => KernelMode::L2,
            NetkitMode::L3 => KernelMode::L3,
        };
        Some(InfoData::Netkit(vec![
            InfoNetkit::Mode(mode),
            InfoNetkit::Policy(self.policy.kernel()),
            InfoNetkit::PeerPolicy(other.policy.kernel()),
            InfoNetkit::Peer(message),
        ]))
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Netkit> {
        let Some(InfoData::Netkit(data)) = data else { return None };
        let mode = if data.contains(&InfoNetkit::Mode(KernelMode::L2)) { NetkitMode::L2 } else { NetkitMode::L3 };
        let dropped = data.contains(&InfoNetkit::Policy(KernelPolicy::Drop));
        let policy = if dropped { NetkitPolicy::Blackhole } else { NetkitPolicy::Forward };
        Some(Netkit { peer: around.peer(), mode, policy })
    }

    fn peer(&self) -> Option<&LinkRef> {
        self.peer.as_ref()
    }
}

impl fmt::Display for NetkitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NetkitMode::L2 => "l2",
            NetkitMode::L3 => "l3",
        })
    }
}

impl fmt::Display for NetkitPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NetkitPolicy::Forward => "forward",
            NetkitPolicy::Blackhole => "blackhole",
        })
    }
}

impl fmt::Display for Netkit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "netkit mode {} {}", self.mode, self.policy)
    }
}
