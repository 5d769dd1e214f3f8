//! Which way packets of a namespace take: what the kernel's tables say, without sending any. Does not know who made the
//! routes.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    thread,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{LinkAttribute, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteType, RouteVia},
};
use nix::errno::Errno;
use wireloom_netlink::Socket;
use wireloom_netns::Netns;

use crate::{Outcome, Why};

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(100);
/// The kernel's table of what is here, and not elsewhere.
const LOCAL: u32 = 255;

/// A route to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteWanted {
    /// Where to.
    pub net: IpNet,
    /// Whether there must be a route to this very network; else the one that packets to its address take counts.
    pub exact: bool,
    /// The next hop, where that matters.
    pub by: Option<NextHop>,
}

/// Somebody next to the namespace, by whatever tells that packets go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextHop {
    /// What it is called.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The interfaces that lead to it and to nobody else.
    pub ifnames: Vec<String>,
}

/// One way that a route leads.
struct Way {
    via: Option<IpAddr>,
    dev: Option<String>,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let via = self.via.map(|via| format!("via {via}"));
        let dev = self.dev.as_ref().map(|dev| format!("dev {dev}"));
        f.write_str(&[via, dev].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// Looks for the route, like `ip route show NET` or `ip route get fibmatch ADDRESS`, until it is as `expect_fail` says that
/// it is to be, or `timeout` is over: routers need a while to agree.
pub(crate) fn route_until(netns: &Netns, wanted: &RouteWanted, timeout: Duration, expect_fail: bool) -> Outcome {
    let start = Instant::now();
    loop {
        let outcome = look(netns, wanted).unwrap_or_else(|error| Outcome::untried("look at the routes", error));
        let as_wanted = outcome.is_reached() != expect_fail;
        if as_wanted || matches!(outcome, Outcome::Untried { .. }) || start.elapsed() >= timeout {
            return outcome;
        }
        thread::sleep(PAUSE.min(timeout.saturating_sub(start.elapsed())));
    }
}

fn look(netns: &Netns, wanted: &RouteWanted) -> wireloom_netlink::Result<Outcome> {
    let mut socket = Socket::open(netns)?;
    let found = if wanted.exact { listed(&mut socket, wanted.net)? } else { matched(&mut socket, wanted.net.addr())? };
    let Some(route) = found else { return Ok(Outcome::Failed(Why::NoRoute(Errno::ENETUNREACH))) };
    let names = names(&mut socket)?;
    let ways = ways(&route, &names);
    let text = ways.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Ok(match &wanted.by {
        Some(by) if !ways.iter().all(|way| by.is(way)) => {
            Outcome::Failed(Why::OtherWay { way: text, wanted: by.name.clone() })
        }
        _ => Outcome::Found { way: text },
    })
}

impl NextHop {
    fn is(&self, way: &Way) -> bool {
        let by_address = way.via.is_some_and(|via| self.addresses.contains(&via));
        by_address || way.dev.as_ref().is_some_and(|dev| self.ifnames.contains(dev))
    }
}

/// The best route to exactly this network.
fn listed(socket: &mut Socket, net: IpNet) -> wireloom_netlink::Result<Option<RouteMessage>> {
    let mut request = RouteMessage::default();
    request.header.address_family = family(net.addr());
    let answers = socket.dump(RouteNetlinkMessage::GetRoute(request))?;
    let routes = answers.into_iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewRoute(route) => Some(route),
        _ => None,
    });
    let is_it = |route: &RouteMessage| {
        let destination = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(to) => address(to),
            _ => None,
        });
        let length = route.header.destination_prefix_length;
        let to_it = length == net.prefix_len() && destination.map_or(length == 0, |to| to == net.network());
        to_it && route.header.kind == RouteType::Unicast && table(route) != LOCAL
    };
    Ok(routes.filter(is_it).min_by_key(metric))
}

/// The route that packets to this address take, as the rules of the namespace have it.
fn matched(socket: &mut Socket, to: IpAddr) -> wireloom_netlink::Result<Option<RouteMessage>> {
    let mut request = RouteMessage::default();
    request.header.address_family = family(to);
    request.header.destination_prefix_length = if to.is_ipv4() { 32 } else { 128 };
    request.header.flags = RouteFlags::FibMatch;
    request.attributes.push(RouteAttribute::Destination(to.into()));
    match socket.get(RouteNetlinkMessage::GetRoute(request)) {
        Ok(Some(RouteNetlinkMessage::NewRoute(route))) if route.header.kind == RouteType::Unicast => Ok(Some(route)),
        Ok(_) => Ok(None),
        // A route that forbids, or none at all.
        Err(error) if error.errno().is_some_and(|errno| NO_ROUTE.contains(&errno)) => Ok(None),
        Err(error) => Err(error),
    }
}

const NO_ROUTE: [Errno; 5] = [Errno::ENETUNREACH, Errno::EHOSTUNREACH, Errno::EACCES, Errno::EINVAL, Errno::ESRCH];

fn ways(route: &RouteMessage, names: &BTreeMap<u32, String>) -> Vec<Way> {
    let several = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => Some(hops),
        _ => None,
    });
    let name = |index: u32| names.get(&index).cloned();
    match several {
        Some(hops) => {
            hops.iter().map(|hop| Way { via: gateway(&hop.attributes), dev: name(hop.interface_index) }).collect()
        }
        None => {
            let dev = route.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Oif(index) => name(*index),
                _ => None,
            });
            vec![Way { via: gateway(&route.attributes), dev }]
        }
    }
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(gateway) => address(gateway),
        RouteAttribute::Via(RouteVia::Inet(gateway)) => Some((*gateway).into()),
        RouteAttribute::Via(RouteVia::Inet6(gateway)) => Some((*gateway).into()),
        _ => None,
    })
}

fn metric(route: &RouteMessage) -> u32 {
    let metric = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    metric.unwrap_or_default()
}

fn table(route: &RouteMessage) -> u32 {
    let table = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    table.unwrap_or(route.header.table.into())
}

fn address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

fn names(socket: &mut Socket) -> wireloom_netlink::Result<BTreeMap<u32, String>> {
    let answers = socket.dump(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
    let name = |answer| {
        let RouteNetlinkMessage::NewLink(link) = answer else { return None };
        link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some((link.header.index, name.clone())),
            _ => None,
        })
    };
    Ok(answers.into_iter().filter_map(name).collect())
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}
