//! Routes of our own nodes: whether their interfaces and gateways exist.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use wireloom_engine::{Hop, IfName, Label, Namespace, RouteKind};

use crate::{
    lower::{Builder, Gap, Wanted},
    read::nearest,
    wrong::Wrong,
};

/// Notes routes that the kernel would refuse.
pub(crate) fn routes(builder: &mut Builder) {
    let routes = std::mem::take(&mut builder.routes);
    let mut seen = HashSet::new();
    let mut direct: HashMap<&Label, Vec<&Wanted>> = HashMap::new();
    for wanted in routes.iter().filter(|wanted| is_on_link(wanted)) {
        direct.entry(&wanted.netns).or_default().push(wanted);
    }
    for wanted in &routes {
        let Wanted { netns, route, span } = wanted;
        if !seen.insert((netns, route.table, route.destination, route.effective_metric())) {
            let message = format!("two routes of `{netns}` to {} with one metric", route.destination);
            let help =
                "give one of them another `metric`, or write both ways in one route: `nexthop via A nexthop via B`";
            builder.wrong(*span, message, help);
        }
        if !builder.is_own(netns) {
            continue;
        }
        let Some(namespace) = builder.state.namespaces.get(netns) else { continue };
        let on_link = direct.get(netns).map_or(&[][..], Vec::as_slice);
        let gaps = [Gap::Interfaces, Gap::Addresses].map(|gap| builder.doubt.about(netns, gap));
        if let Err(wrong) = check(wanted, namespace, on_link, gaps) {
            builder.noted::<()>(*span, Err(wrong));
        }
    }
    builder.routes = routes;
}

fn is_on_link(wanted: &Wanted) -> bool {
    wanted.route.kind == RouteKind::Unicast && wanted.route.hops.iter().all(|hop| hop.via.is_none())
}

fn check(
    wanted: &Wanted,
    namespace: &Namespace,
    on_link: &[&Wanted],
    [no_interfaces, no_addresses]: [bool; 2],
) -> Result<(), Wrong> {
    let Wanted { netns, route, .. } = wanted;
    for hop in &route.hops {
        if let Some(dev) = hop.dev.filter(|dev| !no_interfaces && !namespace.links.contains_key(dev)) {
            let known: Vec<&str> = namespace.links.keys().map(IfName::as_str).collect();
            return Err(Wrong::new(format!("`{netns}` has no interface `{dev}`"), nearest(dev.as_str(), &known)));
        }
        if let Some(via) = hop.via.filter(|_| !hop.onlink && !no_addresses) {
            gateway(wanted, hop, via, namespace, on_link)?;
        }
    }
    let own = |address: IpAddr| addresses(namespace, None).any(|net| net.addr() == address);
    match route.source.filter(|source| !no_addresses && !own(*source)) {
        None => Ok(()),
        Some(source) => {
            let help = "write an address of one of its interfaces";
            Err(Wrong::new(format!("`src {source}` is no address of `{netns}`"), help))
        }
    }
}

fn gateway(wanted: &Wanted, hop: &Hop, via: IpAddr, namespace: &Namespace, on_link: &[&Wanted]) -> Result<(), Wrong> {
    let netns = &wanted.netns;
    if addresses(namespace, None).any(|net| net.addr() == via) {
        return Err(Wrong::new(format!("gateway {via} is `{netns}` itself"), "write the address of the next router"));
    }
    if matches!(via, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
        let help = format!("add `dev INTERFACE`: {via} may be on any link");
        return hop.dev.map(|_| ()).ok_or_else(|| Wrong::new(format!("gateway {via} without an interface"), help));
    }
    let through = |other: &&&Wanted| {
        let same = |h: &Hop| hop.dev.is_none() || h.dev == hop.dev;
        other.route.destination.contains(&via) && other.route.hops.iter().any(same)
    };
    if addresses(namespace, hop.dev).any(|net| net.contains(&via)) || on_link.iter().any(|other| through(&other)) {
        return Ok(());
    }
    let at = hop.dev.map_or(format!("`{netns}`"), |dev| format!("{netns}:{dev}"));
    let mut nets: Vec<String> = addresses(namespace, hop.dev).map(|net| net.trunc().to_string()).collect();
    nets.dedup();
    let help = match nets.as_slice() {
        [] => format!("give {at} an address in the gateway's network"),
        nets => format!("{at} is in {}: write a gateway there, or `onlink`", nets.join(", ")),
    };
    Err(Wrong::new(format!("no way to gateway {via}"), help))
}

fn addresses(namespace: &Namespace, dev: Option<IfName>) -> impl Iterator<Item = ipnet::IpNet> {
    let links = namespace.links.iter().filter(move |(ifname, _)| dev.is_none_or(|dev| dev == **ifname));
    links.flat_map(|(_, link)| &link.addresses).map(|address| address.net)
}
