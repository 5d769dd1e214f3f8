//! veth: the usual link, between two nodes or between a node and a bridge.

use wireloom_engine::{LinkKind, Veth};

use super::Kind;
use crate::lower::{Builder, Copied};

/// `type: veth`
pub(super) static KIND: Kind = Kind {
    name: "veth",
    keys: &[
        "endpoints",
        "pairs",
        "bridge",
        "outer-dev",
        "queues",
        "subnet",
        "vlan",
        "trunk",
        "native",
        "isolated",
        "learning",
        "hairpin",
        "guard",
        "cost",
        "priority",
    ],
    lower,
};

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    if link.spec.endpoints.is_absent() {
        builder.port(link)
    } else {
        builder.pair(link, &|_, peer| LinkKind::Veth(Veth { peer: Some(peer.clone()) }))
    }
}
