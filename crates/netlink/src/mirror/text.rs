//! Addresses and routes as `ip` writes them, which is also what they are told apart by. Knows only what a line shows.

use std::net::IpAddr;

use netlink_packet_route::{
    AddressFamily,
    address::{AddressAttribute, AddressMessage},
    route::{RouteAddress, RouteAttribute, RouteMessage},
};

/// RT_TABLE_MAIN: what is not said of a route.
const MAIN: u32 = 254;
/// RT_TABLE_LOCAL.
const LOCAL: u8 = 255;

/// The number of its link, and `10.0.0.1/24`.
pub(super) fn address(message: &AddressMessage) -> (u32, String) {
    let (mut own, mut other) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => own = Some(*address),
            AddressAttribute::Address(address) => other = Some(*address),
            _ => {}
        }
    }
    let address = own.or(other).map_or_else(String::new, |address| address.to_string());
    (message.header.index, format!("{address}/{}", message.header.prefix_len))
}

/// The number of its link (0 where there are several or none), and `10.1.0.0/16 via 10.0.0.2 table 7 metric 5`. Nothing
/// for those of our own addresses, which come and go with them.
pub(super) fn route(message: &RouteMessage) -> Option<(u32, String)> {
    let header = &message.header;
    let (mut to, mut via, mut metric, mut index) = (None, String::new(), String::new(), 0);
    let mut table = u32::from(header.table);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = ip(address),
            RouteAttribute::Gateway(address) => via += &ip(address).map(|to| format!(" via {to}")).unwrap_or_default(),
            RouteAttribute::MultiPath(hops) => via += &format!(" via {} hops", hops.len()),
            RouteAttribute::Oif(number) => index = *number,
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Priority(number) => metric = format!(" metric {number}"),
            _ => {}
        }
    }
    let any = if header.address_family == AddressFamily::Inet6 { "::" } else { "0.0.0.0" };
    let to = to.map_or_else(|| any.to_owned(), |to| to.to_string());
    let table = if table == MAIN { String::new() } else { format!(" table {table}") };
    (header.table != LOCAL).then(|| (index, format!("{to}/{}{via}{table}{metric}", header.destination_prefix_length)))
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
