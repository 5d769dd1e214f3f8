//! bridge: a switch of the kernel. Does not know its ports.

use std::fmt;

use netlink_packet_route::link::{BridgeStpState, InfoBridge, InfoData, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// A bridge, like `ip link add NAME type bridge [stp_state B] [ageing_time T] [vlan_filtering B]` and so on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bridge {
    /// Whether the spanning tree protocol runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stp: Option<bool>,
    /// How long an address that is not seen stays known, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ageing_s: Option<u32>,
    /// Whether ports have VLANs, and frames of others do not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan_filtering: Option<bool>,
    /// The VLAN of ports that have none of their own; 0: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_pvid: Option<u16>,
    /// Which of the addresses 01:80:c2:00:00:0X are passed on, a bit each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_fwd_mask: Option<u16>,
    /// Who becomes the root of the spanning tree: the lowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// Seconds in each of the states listening and learning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_delay_s: Option<u32>,
    /// Seconds between two hellos of the spanning tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello_time_s: Option<u32>,
    /// Seconds until a root that is not heard is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u32>,
    /// Whether multicast goes only where somebody has joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multicast_snooping: Option<bool>,
}

/// Times of a bridge count hundredths of a second.
const TICKS: u32 = 100;

fn ticks(seconds: u32) -> u32 {
    seconds.saturating_mul(TICKS)
}

impl Kind for Bridge {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn change(&self, found: &Bridge) -> KindChange {
        // Ports that have this VLAN because somebody said so would move along with those that have it by default.
        let moved = self.default_pvid.zip(found.default_pvid).filter(|(wanted, found)| wanted != found);
        if let Some((wanted, found)) = moved {
            return KindChange::Replace(format!("default pvid {found} -> {wanted}"));
        }
        if *self == self.before(found) { KindChange::Same } else { KindChange::Set }
    }

    /// Only what differs: a kernel without VLANs of bridges refuses every word about them.
    fn needed(&self, found: &Bridge) -> Bridge {
        fn differing<T: Copy + PartialEq>(wanted: Option<T>, found: Option<T>) -> Option<T> {
            wanted.filter(|_| wanted != found)
        }
        let found = self.before(found);
        Bridge {
            stp: differing(self.stp, found.stp),
            ageing_s: differing(self.ageing_s, found.ageing_s),
            vlan_filtering: differing(self.vlan_filtering, found.vlan_filtering),
            default_pvid: differing(self.default_pvid, found.default_pvid),
            group_fwd_mask: differing(self.group_fwd_mask, found.group_fwd_mask),
            priority: differing(self.priority, found.priority),
            forward_delay_s: differing(self.forward_delay_s, found.forward_delay_s),
            hello_time_s: differing(self.hello_time_s, found.hello_time_s),
            max_age_s: differing(self.max_age_s, found.max_age_s),
            multicast_snooping: differing(self.multicast_snooping, found.multicast_snooping),
        }
    }

    fn before(&self, found: &Bridge) -> Bridge {
        fn spoken_of<T: Copy>(wanted: Option<T>, found: Option<T>) -> Option<T> {
            wanted.and(found)
        }
        Bridge {
            stp: spoken_of(self.stp, found.stp),
            ageing_s: spoken_of(self.ageing_s, found.ageing_s),
            // A kernel without VLANs of bridges does not speak of them.
            vlan_filtering: self.vlan_filtering.map(|_| found.vlan_filtering.unwrap_or(false)),
            default_pvid: spoken_of(self.default_pvid, found.default_pvid),
            group_fwd_mask: spoken_of(self.group_fwd_mask, found.group_fwd_mask),
            priority: spoken_of(self.priority, found.priority),
            forward_delay_s: spoken_of(self.forward_delay_s, found.forward_delay_s),
            hello_time_s: spoken_of(self.hello_time_s, found.hello_time_s),
            max_age_s: spoken_of(self.max_age_s, found.max_age_s),
            multicast_snooping: spoken_of(self.multicast_snooping, found.multicast_snooping),
        }
    }

    /// A new bridge does not filter.
    fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Bridge { vlan_filtering: self.vlan_filtering.filter(|on| *on), ..self.clone() }.encode_change(index)
    }

    fn encode_change(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let stp = self.stp.map(|on| if on { BridgeStpState::KernelStp } else { BridgeStpState::Disabled });
        let data = [
            // The times first: with the protocol running the kernel checks them.
            self.forward_delay_s.map(|s| InfoBridge::ForwardDelay(ticks(s))),
            self.hello_time_s.map(|s| InfoBridge::HelloTime(ticks(s))),
            self.max_age_s.map(|s| InfoBridge::MaxAge(ticks(s))),
            self.ageing_s.map(|s| InfoBridge::AgeingTime(ticks(s))),
            stp.map(InfoBridge::StpState),
            self.priority.map(InfoBridge::Priority),
            self.vlan_filtering.map(InfoBridge::VlanFiltering),
            self.default_pvid.map(InfoBridge::VlanDefaultPvid),
            self.group_fwd_mask.map(InfoBridge::GroupFwdMask),
            self.multicast_snooping.map(InfoBridge::MulticastSnooping),
        ];
        let data: Vec<_> = data.into_iter().flatten().collect();
        let data = (!data.is_empty()).then_some(InfoData::Bridge(data));
        Encoded { kind: InfoKind::Bridge, data, below: None }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, _: &dyn Surroundings) -> Option<Bridge> {
        let Some(InfoData::Bridge(data)) = data else { return None };
        let mut bridge = Bridge::default();
        for attribute in data {
            match attribute {
                InfoBridge::StpState(state) => bridge.stp = Some(*state != BridgeStpState::Disabled),
                InfoBridge::AgeingTime(ticks) => bridge.ageing_s = Some(ticks / TICKS),
                InfoBridge::VlanFiltering(on) => bridge.vlan_filtering = Some(*on),
                InfoBridge::VlanDefaultPvid(vid) => bridge.default_pvid = Some(*vid),
                InfoBridge::GroupFwdMask(mask) => bridge.group_fwd_mask = Some(*mask),
                InfoBridge::Priority(priority) => bridge.priority = Some(*priority),
                InfoBridge::ForwardDelay(ticks) => bridge.forward_delay_s = Some(ticks / TICKS),
                InfoBridge::HelloTime(ticks) => bridge.hello_time_s = Some(ticks / TICKS),
                InfoBridge::MaxAge(ticks) => bridge.max_age_s = Some(ticks / TICKS),
                InfoBridge::MulticastSnooping(on) => bridge.multicast_snooping = Some(*on),
                _ => {}
            }
        }
        Some(bridge)
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn switch(on: Option<bool>) -> Option<String> {
            on.map(|on| if on { "on" } else { "off" }.to_owned())
        }
        fn seconds(seconds: Option<u32>) -> Option<String> {
            seconds.map(|seconds| format!("{seconds}s"))
        }
        let words = [
            ("stp", switch(self.stp)),
            ("ageing", seconds(self.ageing_s)),
            ("vlan-filtering", switch(self.vlan_filtering)),
            ("default-pvid", self.default_pvid.map(|vid| vid.to_string())),
            ("group-fwd-mask", self.group_fwd_mask.map(|mask| format!("{mask:#06x}"))),
            ("priority", self.priority.map(|priority| priority.to_string())),
            ("forward-delay", seconds(self.forward_delay_s)),
            ("hello-time", seconds(self.hello_time_s)),
            ("max-age", seconds(self.max_age_s)),
            ("multicast-snooping", switch(self.multicast_snooping)),
        ];
        f.write_str("bridge")?;
        let given = words.into_iter().filter_map(|(word, value)| Some((word, value?)));
        given.into_iter().try_for_each(|(word, value)| write!(f, " {word} {value}"))
    }
}
