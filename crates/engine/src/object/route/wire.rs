//! Routes as messages. Does not know why one is wanted.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteNextHop,
        RouteNextHopFlags, RouteProtocol, RouteScope, RouteType,
    },
};

use super::{Hop, Route, RouteKind};
use crate::{IfName, Origin};

impl Route {
    pub(super) fn encode(&self, index: &dyn Fn(IfName) -> u32) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header = self.header();
        let attributes = &mut message.attributes;
        if self.destination.prefix_len() > 0 {
            attributes.push(RouteAttribute::Destination(self.destination.addr().into()));
        }
        attributes.push(RouteAttribute::Table(self.table));
        attributes.extend(self.metric.map(RouteAttribute::Priority));
        attributes.extend(self.source.map(|source| RouteAttribute::PrefSource(source.into())));
        attributes.extend(self.mtu.map(|mtu| RouteAttribute::Metrics(vec![RouteMetric::Mtu(mtu)])));
        match self.hops.as_slice() {
            [] => {}
            [hop] => attributes.extend(hop.attributes(index)),
            hops => {
                let hops = hops.iter().map(|hop| hop.encode(index)).collect();
                attributes.push(RouteAttribute::MultiPath(hops));
            }
        }
        message
    }

    fn header(&self) -> RouteHeader {
        let on_link = self.kind.is_unicast() && self.hops.iter().all(|hop| hop.via.is_none());
        let onlink = matches!(self.hops.as_slice(), [hop] if hop.onlink);
        let v4 = matches!(self.destination, IpNet::V4(_));
        RouteHeader {
            address_family: if v4 { AddressFamily::Inet } else { AddressFamily::Inet6 },
            destination_prefix_length: self.destination.prefix_len(),
            table: u8::try_from(self.table).unwrap_or(0),
            protocol: match self.origin {
                Origin::Ours => RouteProtocol::Other(Origin::PROTOCOL),
                Origin::Kernel => RouteProtocol::Kernel,
                Origin::Others => RouteProtocol::Boot,
            },
            scope: if on_link && v4 { RouteScope::Link } else { RouteScope::Universe },
            kind: match self.kind {
                RouteKind::Unicast => RouteType::Unicast,
                RouteKind::Blackhole => RouteType::BlackHole,
                RouteKind::Unreachable => RouteType::Unreachable,
                RouteKind::Prohibit => RouteType::Prohibit,
            },
            flags: if onlink { RouteFlags::Onlink } else { RouteFlags::empty() },
            ..RouteHeader::default()
        }
    }

    /// `None` for what is no route in our sense: local, broadcast and multicast entries, and copies of the cache.
    pub(super) fn decode(message: &RouteMessage, ifname: &dyn Fn(u32) -> Option<IfName>) -> Option<Route> {
        let header = &message.header;
        let kind = match header.kind {
            RouteType::Unicast => RouteKind::Unicast,
            RouteType::BlackHole => RouteKind::Blackhole,
            RouteType::Unreachable => RouteKind::Unreachable,
            RouteType::Prohibit => RouteKind::Prohibit,
            _ => return None,
        };
        if header.flags.contains(RouteFlags::Cloned) {
            return None;
        }
        let anywhere: IpAddr = match header.address_family {
            AddressFamily::Inet => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            AddressFamily::Inet6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
            _ => return None,
        };
        let mut route = Route::new(IpNet::new(anywhere, header.destination_prefix_length).ok()?, None, None);
        route.kind = kind;
        route.table = header.table.into();
        route.origin = match header.protocol {
            RouteProtocol::Other(Origin::PROTOCOL) => Origin::Ours,
            RouteProtocol::Kernel => Origin::Kernel,
            _ => Origin::Others,
        };
        route.hops = Hop::decode(&message.attributes, ifname, header.flags.contains(RouteFlags::Onlink));
        message.attributes.iter().for_each(|attribute| route.read(attribute, ifname));
        if !route.kind.is_unicast() {
            route.hops.clear();
        }
        Some(route)
    }

    fn read(&mut self, attribute: &RouteAttribute, ifname: &dyn Fn(u32) -> Option<IfName>) {
        match attribute {
            RouteAttribute::Destination(address) => {
                let net = ip(address).and_then(|a| IpNet::new(a, self.destination.prefix_len()).ok());
                self.destination = net.unwrap_or(self.destination);
            }
            RouteAttribute::Priority(metric) => self.metric = Some(*metric),
            RouteAttribute::Table(table) => self.table = *table,
            RouteAttribute::PrefSource(address) => self.source = ip(address),
            RouteAttribute::Metrics(metrics) => {
                self.mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
            }
            RouteAttribute::MultiPath(hops) => {
                let hop = |hop: &RouteNextHop| {
                    let mut read = Hop::decode(&hop.attributes, ifname, hop.flags.contains(RouteNextHopFlags::Onlink));
                    let weight = u16::from(hop.hops) + 1;
                    read.pop().map(|read| Hop { dev: ifname(hop.interface_index), weight, ..read })
                };
                self.hops = hops.iter().filter_map(hop).collect();
            }
            _ => {}
        }
    }
}

impl Hop {
    fn attributes(&self, index: &dyn Fn(IfName) -> u32) -> Vec<RouteAttribute> {
        let via = self.via.map(|via| RouteAttribute::Gateway(via.into()));
        let oif = self.dev.map(|dev| RouteAttribute::Oif(index(dev)));
        via.into_iter().chain(oif).collect()
    }

    fn encode(&self, index: &dyn Fn(IfName) -> u32) -> RouteNextHop {
        let mut hop = RouteNextHop::default();
        hop.flags = if self.onlink { RouteNextHopFlags::Onlink } else { RouteNextHopFlags::empty() };
        hop.hops = u8::try_from(self.weight.saturating_sub(1)).unwrap_or(u8::MAX);
        hop.interface_index = self.dev.map_or(0, index);
        hop.attributes = self.via.map(|via| RouteAttribute::Gateway(via.into())).into_iter().collect();
        hop
    }

    /// The hop that a message describes when it has only one.
    fn decode(attributes: &[RouteAttribute], ifname: &dyn Fn(u32) -> Option<IfName>, onlink: bool) -> Vec<Hop> {
        let mut hop = Hop { via: None, dev: None, weight: 1, onlink };
        for attribute in attributes {
            match attribute {
                RouteAttribute::Gateway(address) => hop.via = ip(address),
                RouteAttribute::Oif(index) => hop.dev = ifname(*index),
                _ => {}
            }
        }
        vec![hop]
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
