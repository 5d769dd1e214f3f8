//! veth: a pair of interfaces, what goes in at one comes out at the other.

use serde::{Deserialize, Serialize};

use super::KindChange;
use crate::LinkRef;

/// One end of a pair, like `ip link add NAME type veth peer name PEER netns PEERNS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veth {
    /// The other end; in an observed state absent where it lies outside of what was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<LinkRef>,
}

impl Veth {
    pub(super) fn change(&self, found: &Veth) -> KindChange {
        KindChange::moved("peer", found.peer.as_ref(), self.peer.as_ref()).unwrap_or(KindChange::Same)
    }
}
