//! veth: a pair of interfaces, what goes in at one comes out at the other.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkMessage};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::{LinkKind, LinkRef};

/// One end of a pair, like `ip link add NAME type veth peer name PEER netns PEERNS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veth {
    /// The other end; in an observed state absent where it lies outside of what was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<LinkRef>,
}

impl Kind for Veth {
    fn name(&self) -> &'static str {
        "veth"
    }

    fn change(&self, found: &Veth) -> KindChange {
        KindChange::moved("peer", found.peer.as_ref(), self.peer.as_ref()).unwrap_or(KindChange::Same)
    }
    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Veth, data: None, below: None }
    }

    fn encode_pair(&self, _other: &LinkKind, message: LinkMessage) -> Option<InfoData> {
        Some(InfoData::Veth(InfoVeth::Peer(message)))
    }

    fn decode(kind: &InfoKind, _: Option<&InfoData>, around: &dyn Surroundings) -> Option<Veth> {
        (*kind == InfoKind::Veth).then(|| Veth { peer: around.peer() })
    }

    fn peer(&self) -> Option<&LinkRef> {
        self.peer.as_ref()
    }
}

impl fmt::Display for Veth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("veth")
    }
}
