//! dummy: an interface that drops what is sent into it; a place for addresses.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME type dummy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dummy {}

impl Kind for Dummy {
    fn name(&self) -> &'static str {
        "dummy"
    }

    fn change(&self, _: &Dummy) -> KindChange {
        KindChange::Same
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Dummy, data: None, below: None }
    }

    fn decode(kind: &InfoKind, _: Option<&InfoData>, _: &dyn Surroundings) -> Option<Dummy> {
        (*kind == InfoKind::Dummy).then_some(Dummy {})
    }
}

impl fmt::Display for Dummy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dummy")
    }
}
