//! Links on top of others that the kernel tells apart by a number: the same number twice is one too many.

use std::collections::HashMap;

use wireloom_engine::{LinkKind, LinkRef, VlanProtocol};

use crate::lower::Builder;

/// Notes tags of one parent, and network identifiers of one underlay and port, that are given twice.
pub(crate) fn stacked(builder: &mut Builder) {
    let mut seen: HashMap<String, LinkRef> = HashMap::new();
    let mut twice = Vec::new();
    for link in builder.stacked() {
        let what = match builder.state.link(&link.at).map(|link| &link.kind) {
            Some(LinkKind::Vlan(vlan)) => vlan.parent.as_ref().map(|parent| {
                let service = if vlan.protocol == VlanProtocol::Dot1ad { " (802.1ad)" } else { "" };
                format!("vlan {}{service} of {parent}", vlan.vid)
            }),
            Some(LinkKind::Vxlan(vxlan)) => {
                let said = |underlay| format!("vni {} in `{underlay}`, port {}", vxlan.vni, vxlan.port);
                vxlan.underlay.as_ref().map(said)
            }
            _ => None,
        };
        let Some(what) = what else { continue };
        if let Some(first) = seen.get(&what) {
            twice.push((link.span, format!("{what} is given twice: to {first} and {}", link.at)));
        } else {
            seen.insert(what, link.at.clone());
        }
    }
    for (span, message) in twice {
        builder.wrong(span, message, "the kernel takes it once: give one of them another number");
    }
}
