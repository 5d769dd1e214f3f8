//! Links on top of others that the kernel tells apart by a number: the same number twice is one too many.

use std::{collections::HashMap, net::IpAddr};

use wireloom_engine::{IpvlanFlag, IpvlanMode, Ipvtap, LinkKind, LinkRef, VlanProtocol};

use crate::lower::Builder;

/// Notes tags of one parent, and network identifiers of one underlay and port, that are given twice.
pub(crate) fn stacked(builder: &mut Builder) {
    let mut seen: HashMap<String, LinkRef> = HashMap::new();
    let mut twice = Vec::new();
    for link in builder.stacked() {
        let what = builder.state.link(&link.at).and_then(|at| taken(&link.at, &at.kind));
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
    modes(builder);
}

/// What the kernel gives out once only.
fn taken(at: &LinkRef, kind: &LinkKind) -> Option<String> {
    match kind {
        LinkKind::Vlan(vlan) => {
            let service = if vlan.protocol == VlanProtocol::Dot1ad { " (802.1ad)" } else { "" };
            Some(format!("vlan {}{service} of {}", vlan.vid, vlan.parent.as_ref()?))
        }
        LinkKind::Vxlan(vxlan) => {
            Some(format!("vni {} in `{}`, port {}", vxlan.vni, vxlan.underlay.as_ref()?, vxlan.port))
        }
        LinkKind::Geneve(geneve) => {
            let (vni, remote, port) = (geneve.vni, geneve.remote, geneve.port);
            Some(format!("geneve vni {vni} to {remote} in `{}`, port {port}", geneve.underlay.as_ref()?))
        }
        LinkKind::IpTunnel(tunnel) => {
            let word = |address: Option<IpAddr>| address.map_or_else(|| "any".to_owned(), |a| a.to_string());
            let key = tunnel.key.map(|key| format!(", key {key}")).unwrap_or_default();
            let (form, remote, local) = (tunnel.form, word(tunnel.remote), word(tunnel.local));
            Some(format!("{form} from {local} to {remote} in `{}`{key}", at.netns))
        }
        _ => None,
    }
}

/// Notes ipvlans of one parent that differ in what the kernel has once for each parent (ipvlan_set_port_mode).
fn modes(builder: &mut Builder) {
    let mut first: HashMap<LinkRef, (LinkRef, IpvlanMode, IpvlanFlag)> = HashMap::new();
    let mut differing = Vec::new();
    for link in builder.stacked() {
        let (LinkKind::Ipvlan(ipvlan) | LinkKind::Ipvtap(Ipvtap(ipvlan))) = (match builder.state.link(&link.at) {
            Some(found) => &found.kind,
            None => continue,
        }) else {
            continue;
        };
        let Some(parent) = &ipvlan.parent else { continue };
        let here = (link.at.clone(), ipvlan.mode, ipvlan.flag);
        let (other, mode, flag) = first.entry(parent.clone()).or_insert(here);
        if (*mode, *flag) != (ipvlan.mode, ipvlan.flag) {
            let message =
                format!("{} is in mode {} {}, {other} in mode {mode} {flag}", link.at, ipvlan.mode, ipvlan.flag);
            differing.push((
                link.span,
                message,
                format!("all ipvlans over {parent} have one mode and flag: write the same"),
            ));
        }
    }
    for (span, message, help) in differing {
        builder.wrong(span, message, help);
    }
}
