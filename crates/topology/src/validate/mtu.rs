//! MTUs against IPv6, against the interface below, and whether that exists.

use wireloom_engine::{IfName, LinkKind, LinkRef};

use crate::{
    lower::{Builder, Mtu},
    read::nearest,
    source::Span,
};

/// The least that IPv6 needs (RFC 8200); below it the kernel drops the addresses.
const LEAST_V6: u32 = 1280;

/// Notes MTUs that cannot be.
pub(crate) fn mtus(builder: &mut Builder) {
    small(builder);
    let stacked: Vec<(LinkRef, Mtu, Span)> =
        builder.stacked().iter().map(|link| (link.at.clone(), link.mtu.clone(), link.span)).collect();
    for (at, below, span) in stacked {
        let (below, most) = match below {
            Mtu::Parent(parent) => {
                let most = builder.mtu_of(&parent);
                (Some(parent), most)
            }
            _ => underlay(builder, &at),
        };
        let Some(below) = below else { continue };
        if missing(builder, &below, span) {
            continue;
        }
        let mtu = builder.mtu_of(&at);
        if let (Some(mtu), Some(most)) = (mtu, most)
            && mtu > most
        {
            let span = builder.place_of(&at).mtu.unwrap_or(span);
            let message = format!("mtu {mtu} of {at} is above what {below} passes on, {most}");
            builder.wrong(span, message, format!("write at most {most}, or a larger `mtu` at {below}"));
        }
    }
}

fn small(builder: &mut Builder) {
    let mut found = Vec::new();
    for (netns, namespace) in &builder.state.namespaces {
        for (ifname, link) in &namespace.links {
            let v6 = link.addresses.iter().any(|address| address.net.addr().is_ipv6());
            if let Some(mtu) = link.mtu.filter(|mtu| v6 && *mtu < LEAST_V6) {
                found.push((LinkRef::new(netns, *ifname), mtu));
            }
        }
    }
    for (at, mtu) in found {
        let place = builder.place_of(&at);
        let message = format!("mtu {mtu} of {at} is too small for its IPv6 addresses");
        builder.wrong(place.mtu.unwrap_or(place.span), message, format!("write at least {LEAST_V6}"));
    }
}

fn underlay(builder: &Builder, at: &LinkRef) -> (Option<LinkRef>, Option<u32>) {
    let Some(LinkKind::Vxlan(vxlan)) = builder.state.link(at).map(|link| &link.kind) else { return (None, None) };
    let below = builder.underlay(vxlan);
    let known = below.as_ref().and_then(|below| builder.mtu_of(below)).map(|_| builder.tunnel_mtu(at));
    (below, known)
}

/// In a namespace of ours everything that exists is in the document.
fn missing(builder: &mut Builder, below: &LinkRef, span: Span) -> bool {
    if !builder.is_own(&below.netns) || builder.state.link(below).is_some() {
        return false;
    }
    if !builder.is_tainted(&below.netns) {
        let links = builder.state.namespaces.get(&below.netns).into_iter().flat_map(|namespace| namespace.links.keys());
        let known: Vec<&str> = links.filter(|ifname| **ifname != IfName::lo()).map(IfName::as_str).collect();
        let help = nearest(below.ifname.as_str(), &known);
        builder.wrong(span, format!("the interface below, {below}, does not exist"), help);
    }
    true
}
