//! macvlan: a further MAC address on a parent interface.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, InfoMacVlan, MacVlanMode as KernelMode};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME link PARENT type macvlan mode MODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Macvlan {
    /// The interface below; it may lie in another namespace. Absent in an observed state where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LinkRef>,
    /// Who may talk to whom.
    #[serde(default)]
    pub mode: MacvlanMode,
}

/// MACVLAN_MODE_* of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacvlanMode {
    /// Siblings talk directly.
    #[default]
    Bridge,
    /// Siblings do not talk.
    Private,
    /// Siblings talk by way of the switch outside.
    Vepa,
    /// The parent's traffic is handed over whole.
    Passthru,
}

impl Macvlan {
    /// IFLA_MACVLAN_MODE, which macvtap has too.
    pub(super) fn setting(&self) -> KernelMode {
        match self.mode {
            MacvlanMode::Bridge => KernelMode::Bridge,
            MacvlanMode::Private => KernelMode::Private,
            MacvlanMode::Vepa => KernelMode::Vepa,
            MacvlanMode::Passthru => KernelMode::Passthrough,
        }
    }

    /// Reads that setting.
    pub(super) fn read(mode: KernelMode, around: &dyn Surroundings) -> Option<Macvlan> {
        let mode = match mode {
            KernelMode::Bridge => MacvlanMode::Bridge,
            KernelMode::Private => MacvlanMode::Private,
            KernelMode::Vepa => MacvlanMode::Vepa,
            KernelMode::Passthrough => MacvlanMode::Passthru,
            _ => return None,
        };
        Some(Macvlan { parent: around.below(), mode })
    }
}

impl Kind for Macvlan {
    fn name(&self) -> &'static str {
        "macvlan"
    }

    fn change(&self, found: &Macvlan) -> KindChange {
        if let Some(moved) = KindChange::moved("parent", found.parent.as_ref(), self.parent.as_ref()) {
            return moved;
        }
        match (found.mode, self.mode) {
            (found, wanted) if found == wanted => KindChange::Same,
            // The kernel refuses to leave passthru or to enter it (macvlan_changelink).
            (found, wanted) if [found, wanted].contains(&MacvlanMode::Passthru) => {
                KindChange::Replace(format!("mode {found} -> {wanted}"))
            }
            _ => KindChange::Set,
        }
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let data = Some(InfoData::MacVlan(vec![InfoMacVlan::Mode(self.setting())]));
        Encoded { kind: InfoKind::MacVlan, data, below: self.parent.clone() }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Macvlan> {
        let Some(InfoData::MacVlan(data)) = data else { return None };
        let mode = data.iter().find_map(|attribute| match attribute {
            InfoMacVlan::Mode(mode) => Some(*mode),
            _ => None,
        });
        Macvlan::read(mode?, around)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.parent.as_ref()
    }
}

impl fmt::Display for MacvlanMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MacvlanMode::Bridge => "bridge",
            MacvlanMode::Private => "private",
            MacvlanMode::Vepa => "vepa",
            MacvlanMode::Passthru => "passthru",
        })
    }
}

impl fmt::Display for Macvlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "macvlan mode {}", self.mode)?;
        self.parent.as_ref().map_or(Ok(()), |parent| write!(f, " over {parent}"))
    }
}
