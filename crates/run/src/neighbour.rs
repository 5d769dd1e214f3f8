//! The neighbours that a namespace knows: who stays silent, the next hop towards an address when neighbour discovery
//! waits for it or has given up; and forgetting those that it did not know before. Where it cannot tell, it says nothing.

use std::{collections::BTreeSet, net::IpAddr};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
    route::{RouteAddress, RouteAttribute, RouteMessage},
};
use wireloom_netlink::Socket;
use wireloom_netns::Netns;

/// Which neighbours a namespace knew, by link and address.
pub(crate) struct Neighbours(BTreeSet<(u32, IpAddr)>);

impl Neighbours {
    /// Those that it knows now.
    pub(crate) fn of(netns: &Netns) -> Neighbours {
        let dumped = Socket::open(netns).map(|mut socket| dump(&mut socket)).unwrap_or_default();
        Neighbours(dumped.iter().filter_map(key).collect())
    }

    /// Forgets those that it has learned since, by neighbour discovery: whoever needs one asks again.
    pub(crate) fn restore(&self, netns: &Netns) {
        let Ok(mut socket) = Socket::open(netns) else { return };
        for mut neighbour in dump(&mut socket) {
            let learned = !matches!(neighbour.header.state, NeighbourState::Permanent | NeighbourState::Noarp);
            if learned && key(&neighbour).is_some_and(|key| !self.0.contains(&key)) {
                neighbour.attributes.retain(|a| matches!(a, NeighbourAttribute::Destination(_)));
                // One that has gone by itself meanwhile is fine too.
                socket.request(RouteNetlinkMessage::DelNeighbour(neighbour), 0).ok();
            }
        }
    }
}

fn dump(socket: &mut Socket) -> Vec<NeighbourMessage> {
    let answers = socket.dump(RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default())).unwrap_or_default();
    let neighbour = |answer| match answer {
        RouteNetlinkMessage::NewNeighbour(neighbour) => Some(neighbour),
        _ => None,
    };
    answers.into_iter().filter_map(neighbour).collect()
}

fn key(neighbour: &NeighbourMessage) -> Option<(u32, IpAddr)> {
    let address = neighbour.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some((*address).into()),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some((*address).into()),
        _ => None,
    })?;
    Some((neighbour.header.ifindex, address))
}

/// The next hop from the namespace to `address`, if it does not answer neighbour discovery.
pub(crate) fn silent_hop(netns: &Netns, address: IpAddr) -> Option<IpAddr> {
    let mut socket = Socket::open(netns).ok()?;
    let hop = next_hop(&mut socket, address)?;
    let mut request = NeighbourMessage::default();
    request.header.family = family(address);
    let neighbours = socket.dump(RouteNetlinkMessage::GetNeighbour(request)).ok()?;
    let silent = |message: &RouteNetlinkMessage| match message {
        RouteNetlinkMessage::NewNeighbour(neighbour) => is_silent(neighbour, hop),
        _ => false,
    };
    neighbours.iter().any(silent).then_some(hop)
}

/// Like `ip route get ADDRESS`: the gateway, or the address itself where it is on a link.
fn next_hop(socket: &mut Socket, address: IpAddr) -> Option<IpAddr> {
    let mut request = RouteMessage::default();
    request.header.address_family = family(address);
    request.header.destination_prefix_length = if address.is_ipv4() { 32 } else { 128 };
    request.attributes.push(RouteAttribute::Destination(address.into()));
    let RouteNetlinkMessage::NewRoute(route) = socket.get(RouteNetlinkMessage::GetRoute(request)).ok()?? else {
        return None;
    };
    let gateway = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(gateway)) => Some(IpAddr::V4(*gateway)),
        RouteAttribute::Gateway(RouteAddress::Inet6(gateway)) => Some(IpAddr::V6(*gateway)),
        _ => None,
    });
    Some(gateway.unwrap_or(address))
}

fn is_silent(neighbour: &NeighbourMessage, hop: IpAddr) -> bool {
    let ours = neighbour.attributes.iter().any(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => hop == *address,
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => hop == *address,
        _ => false,
    });
    ours && matches!(neighbour.header.state, NeighbourState::Incomplete | NeighbourState::Failed)
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}
