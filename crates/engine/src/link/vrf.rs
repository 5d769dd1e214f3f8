//! vrf: a routing table of its own for the links that are its ports. The kernel puts their routes there, and makes the rule
//! that leads to it.

use std::fmt;

use netlink_packet_route::link::{InfoData, InfoKind, InfoVrf};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME type vrf table TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vrf {
    /// The table.
    pub table: u32,
}

impl Kind for Vrf {
    fn name(&self) -> &'static str {
        "vrf"
    }

    fn change(&self, found: &Vrf) -> KindChange {
        KindChange::fixed("table", &found.table, &self.table).unwrap_or(KindChange::Same)
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let data = Some(InfoData::Vrf(vec![InfoVrf::TableId(self.table)]));
        Encoded { kind: InfoKind::Vrf, data, below: None }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, _: &dyn Surroundings) -> Option<Vrf> {
        let Some(InfoData::Vrf(data)) = data else { return None };
        data.iter().find_map(|attribute| match attribute {
            InfoVrf::TableId(table) => Some(Vrf { table: *table }),
            _ => None,
        })
    }
}

impl fmt::Display for Vrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vrf table {}", self.table)
    }
}
