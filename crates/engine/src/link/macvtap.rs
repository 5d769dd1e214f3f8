//! macvtap: a macvlan whose packets a program takes from /dev/tapN. Makes no device node.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, InfoMacVtap};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Macvlan, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME link PARENT type macvtap mode MODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Macvtap(pub Macvlan);

impl Kind for Macvtap {
    fn name(&self) -> &'static str {
        "macvtap"
    }

    fn change(&self, found: &Macvtap) -> KindChange {
        self.0.change(&found.0)
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let data = Some(InfoData::MacVtap(vec![InfoMacVtap::Mode(self.0.setting())]));
        Encoded { kind: InfoKind::MacVtap, data, below: self.0.parent.clone() }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Macvtap> {
        let Some(InfoData::MacVtap(data)) = data else { return None };
        let mode = data.iter().find_map(|attribute| match attribute {
            InfoMacVtap::Mode(mode) => Some(*mode),
            _ => None,
        });
        Macvlan::read(mode?, around).map(Macvtap)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.0.parent()
    }
}

impl fmt::Display for Macvtap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "macvtap mode {}", self.0.mode)?;
        self.0.parent.as_ref().map_or(Ok(()), |parent| write!(f, " over {parent}"))
    }
}
