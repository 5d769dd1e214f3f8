//! bond: several links as one. Does not know its ports.

use std::fmt;

use netlink_packet_route::link::{BondMode as KernelMode, InfoBond, InfoData, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME type bond mode MODE miimon MS primary PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bond {
    /// Who sends.
    pub mode: BondMode,
    /// Milliseconds between two looks at the ports' carriers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miimon_ms: Option<u32>,
    /// The port that is used whenever it works. Told once it is a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<LinkRef>,
}

/// BOND_MODE_* of linux/if_bonding.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BondMode {
    /// One after the other.
    BalanceRr,
    /// One, and another when that fails.
    ActiveBackup,
    /// By a hash.
    BalanceXor,
    /// All.
    Broadcast,
    /// As agreed by LACP.
    #[serde(rename = "802.3ad")]
    Lacp,
    /// By load, what is sent.
    BalanceTlb,
    /// By load, both ways.
    BalanceAlb,
}

impl BondMode {
    /// All of them.
    pub const ALL: [BondMode; 7] = [
        BondMode::BalanceRr,
        BondMode::ActiveBackup,
        BondMode::BalanceXor,
        BondMode::Broadcast,
        BondMode::Lacp,
        BondMode::BalanceTlb,
        BondMode::BalanceAlb,
    ];

    /// As `ip` writes it.
    pub fn name(self) -> &'static str {
        match self {
            BondMode::BalanceRr => "balance-rr",
            BondMode::ActiveBackup => "active-backup",
            BondMode::BalanceXor => "balance-xor",
            BondMode::Broadcast => "broadcast",
            BondMode::Lacp => "802.3ad",
            BondMode::BalanceTlb => "balance-tlb",
            BondMode::BalanceAlb => "balance-alb",
        }
    }

    fn to_kernel(self) -> KernelMode {
        match self {
            BondMode::BalanceRr => KernelMode::BalanceRr,
            BondMode::ActiveBackup => KernelMode::ActiveBackup,
            BondMode::BalanceXor => KernelMode::BalanceXor,
            BondMode::Broadcast => KernelMode::Broadcast,
            BondMode::Lacp => KernelMode::Ieee8023Ad,
            BondMode::BalanceTlb => KernelMode::BalanceTlb,
            BondMode::BalanceAlb => KernelMode::BalanceAlb,
        }
    }
}

impl Kind for Bond {
    fn name(&self) -> &'static str {
        "bond"
    }

    /// The kernel refuses another mode while there are ports (bond_option_mode_set).
    fn change(&self, found: &Bond) -> KindChange {
        if let Some(replace) = KindChange::fixed("mode", &found.mode, &self.mode) {
            return replace;
        }
        let same = (self.miimon_ms.is_none() || self.miimon_ms == found.miimon_ms)
            && (self.primary.is_none() || self.primary == found.primary);
        if same { KindChange::Same } else { KindChange::Set }
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let mode = [InfoBond::Mode(self.mode.to_kernel())];
        let data = mode.into_iter().chain(self.miimon_ms.map(InfoBond::MiiMon)).collect();
        Encoded { kind: InfoKind::Bond, data: Some(InfoData::Bond(data)), below: None }
    }

    fn encode_change(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let primary = self.primary.as_ref().and_then(index).map(InfoBond::Primary);
        let data = self.miimon_ms.map(InfoBond::MiiMon).into_iter().chain(primary).collect();
        Encoded { kind: InfoKind::Bond, data: Some(InfoData::Bond(data)), below: None }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Bond> {
        let Some(InfoData::Bond(data)) = data else { return None };
        let (mut mode, mut miimon_ms, mut primary) = (None, None, None);
        for attribute in data {
            match attribute {
                InfoBond::Mode(found) => mode = BondMode::ALL.into_iter().find(|mode| mode.to_kernel() == *found),
                InfoBond::MiiMon(ms) => miimon_ms = Some(*ms),
                InfoBond::Primary(index) => {
                    primary = around.netns_below().and_then(|netns| around.in_netns(&netns, *index));
                }
                _ => {}
            }
        }
        Some(Bond { mode: mode?, miimon_ms, primary })
    }
}

impl fmt::Display for BondMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Bond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bond mode {}", self.mode)?;
        self.miimon_ms.map_or(Ok(()), |ms| write!(f, " miimon {ms}ms"))?;
        self.primary.as_ref().map_or(Ok(()), |primary| write!(f, " primary {}", primary.ifname))
    }
}
