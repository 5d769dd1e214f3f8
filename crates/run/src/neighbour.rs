//! Who stays silent: the next hop towards an address, when neighbour discovery waits for it or has given up. Only
//! looks, and only after something has failed; where it cannot tell, it says nothing.

use std::net::IpAddr;

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
    route::{RouteAddress, RouteAttribute, RouteMessage},
};
use wireloom_netlink::Socket;
use wireloom_netns::Netns;

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
