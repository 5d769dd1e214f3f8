//! vrf: a routing table for the links of a node that name it as their `controller`.

use wireloom_engine::{LinkKind, Vrf};

use super::Kind;
use crate::lower::{Builder, Copied, Mtu};

/// `type: vrf`
pub(super) static KIND: Kind = Kind { name: "vrf", keys: &["table"], lower };

/// RT_TABLE_DEFAULT to RT_TABLE_LOCAL of linux/rtnetlink.h.
const RESERVED: std::ops::RangeInclusive<u32> = 253..=255;

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let table = link.number(builder, &link.spec.table, "table", 1..=u32::MAX)?;
    if RESERVED.contains(&table) {
        let span = link.spec.table.span().unwrap_or(link.span);
        builder.wrong(span, format!("table {table} is one of the kernel's own"), "write another number, like 10");
        return None;
    }
    builder.single(link, at.clone(), LinkKind::Vrf(Vrf { table }), Mtu::Usual, false)?;
    // The kernel's own is larger than that of any port.
    if let Some(vrf) = builder.link_mut(&at).filter(|_| link.spec.mtu.is_absent()) {
        vrf.mtu = None;
    }
    Some(())
}
