//! bridge: a switch of the kernel.

use std::fmt;

use netlink_packet_route::link::{BridgeStpState, InfoBridge, InfoData, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// A bridge, like `ip link add NAME type bridge [stp_state B] [ageing_time T]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Whether the spanning tree protocol runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stp: Option<bool>,
    /// How long an address that is not seen stays known, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ageing_s: Option<u32>,
}

/// IFLA_BR_AGEING_TIME counts hundredths of a second.
const TICKS: u32 = 100;

impl Kind for Bridge {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn change(&self, found: &Bridge) -> KindChange {
        let same = (self.stp.is_none() || self.stp == found.stp)
            && (self.ageing_s.is_none() || self.ageing_s == found.ageing_s);
        if same { KindChange::Same } else { KindChange::Set }
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let stp = self.stp.map(|on| if on { BridgeStpState::KernelStp } else { BridgeStpState::Disabled });
        let ageing = self.ageing_s.map(|s| InfoBridge::AgeingTime(s.saturating_mul(TICKS)));
        let data: Vec<_> = stp.map(InfoBridge::StpState).into_iter().chain(ageing).collect();
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
                _ => {}
            }
        }
        Some(bridge)
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bridge")?;
        self.stp.map_or(Ok(()), |stp| write!(f, " stp {}", if stp { "on" } else { "off" }))?;
        self.ageing_s.map_or(Ok(()), |seconds| write!(f, " ageing {seconds}s"))
    }
}
