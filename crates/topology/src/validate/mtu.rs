//! MTUs against IPv6, against the interface below, and whether that exists.

use wireloom_engine::{IfName, LinkRef};

use crate::{
    lower::{Builder, Gap, Mtu},
    read::nearest,
    source::Span,
};

/// The least that IPv6 needs (RFC 8200); below it the kernel drops the addresses.
const LEAST_V6: u32 = 1280;

/// Notes MTUs that cannot be.
pub(crate) fn mtus(builder: &mut Builder) {
    small(builder);
    bridges(builder);
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
            && !builder.doubt.about_mtu(&at)
            && !builder.doubt.about_mtu(&below)
        {
            let span = builder.place_of(&at).mtu.unwrap_or(span);
            let message = format!("mtu {mtu} of {at} is above what {below} passes on, {most}");
            builder.wrong(span, message, format!("write at most {most}, or a larger `mtu` at {below}"));
        }
    }
}

/// A bridge drops without a word what is larger than its own MTU: a port must not send it.
fn bridges(builder: &mut Builder) {
    let mut found = Vec::new();
    for (at, mtu, ports) in builder.given_bridge_mtus() {
        for port in ports {
            let larger = builder.mtu_of(port).filter(|of_port| *of_port > mtu);
            if let Some(of_port) = larger.filter(|_| !builder.doubt.about_mtu(port) && !builder.doubt.about_mtu(at)) {
                found.push((at.ifname, mtu, port.clone(), of_port));
            }
        }
    }
    for (bridge, mtu, port, of_port) in found {
        let place = builder.place_of(&port);
        let message = format!("mtu {of_port} of {port} is above that of its bridge `{bridge}`, {mtu}");
        let help = format!("larger packets would vanish: write at most {mtu}, or a larger `mtu` for the bridge");
        builder.wrong(place.mtu.unwrap_or(place.span), message, help);
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
    let Some(outer) = builder.outer(at) else { return (None, None) };
    // An address that could not be read might be the one that leads there.
    if outer.dev.is_none() && builder.doubt.about(outer.netns, Gap::Addresses) {
        return (None, None);
    }
    let below = builder.underlay(&outer);
    let known = below.as_ref().and_then(|below| builder.mtu_of(below)).map(|_| builder.tunnel_mtu(at));
    (below, known)
}

/// In a namespace of ours everything that exists is in the document.
fn missing(builder: &mut Builder, below: &LinkRef, span: Span) -> bool {
    if !builder.is_own(&below.netns) || builder.state.link(below).is_some() {
        return false;
    }
    if !builder.doubt.about(&below.netns, Gap::Interfaces) {
        let links = builder.state.namespaces.get(&below.netns).into_iter().flat_map(|namespace| namespace.links.keys());
        let known: Vec<&str> = links.filter(|ifname| **ifname != IfName::lo()).map(IfName::as_str).collect();
        let help = nearest(below.ifname.as_str(), &known);
        builder.wrong(span, format!("the interface below, {below}, does not exist"), help);
    }
    true
}
