//! Routes as messages. Does not know why one is wanted.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteNextHop,
        RouteNextHopFlags, RouteProtocol, RouteScope, RouteType, RouteVia,
    },
};

use super::{Encap, Hop, Route, RouteKind};
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
        let metrics = [self.mtu.map(RouteMetric::Mtu), self.advmss.map(RouteMetric::Advmss)];
        let metrics: Vec<RouteMetric> = metrics.into_iter().flatten().collect();
        if !metrics.is_empty() {
            attributes.push(RouteAttribute::Metrics(metrics));
        }
        attributes.extend(self.nexthop.map(RouteAttribute::NhId));
        let v4 = self.destination.addr().is_ipv4();
        match self.hops.as_slice() {
            [] => {}
            [hop] => attributes.extend(hop.attributes(v4, index)),
            hops => {
                let hops = hops.iter().map(|hop| hop.encode(v4, index)).collect();
                attributes.push(RouteAttribute::MultiPath(hops));
            }
        }
        message
    }

    fn header(&self) -> RouteHeader {
        let on_link = self.kind.is_unicast() && self.nexthop.is_none() && self.hops.iter().all(|hop| hop.via.is_none());
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
                RouteKind::Throw => RouteType::Throw,
            },
            flags: if onlink { RouteFlags::Onlink } else { RouteFlags::empty() },
            ..RouteHeader::default()
        }
    }

    /// `None` for what is no route in our sense: local, broadcast and multicast entries, and copies of the cache.
    pub(crate) fn decode(message: &RouteMessage, ifname: &dyn Fn(u32) -> Option<IfName>) -> Option<Route> {
        let header = &message.header;
        let kind = match header.kind {
            RouteType::Unicast => RouteKind::Unicast,
            RouteType::BlackHole => RouteKind::Blackhole,
            RouteType::Unreachable => RouteKind::Unreachable,
            RouteType::Prohibit => RouteKind::Prohibit,
            RouteType::Throw => RouteKind::Throw,
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
        // The kernel also tells where the nexthop object leads.
        if !route.kind.is_unicast() || route.nexthop.is_some() {
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
                for metric in metrics {
                    match metric {
                        RouteMetric::Mtu(mtu) => self.mtu = Some(*mtu),
                        RouteMetric::Advmss(advmss) => self.advmss = Some(*advmss),
                        _ => {}
                    }
                }
            }
            RouteAttribute::NhId(id) => self.nexthop = Some(*id),
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
    fn attributes(&self, v4: bool, index: &dyn Fn(IfName) -> u32) -> Vec<RouteAttribute> {
        let oif = self.dev.map(|dev| RouteAttribute::Oif(index(dev)));
        oif.into_iter().chain(self.way(v4)).collect()
    }

    /// All but the link.
    fn way(&self, v4: bool) -> Vec<RouteAttribute> {
        let via = self.via.map(|via| match via {
            IpAddr::V6(via) if v4 => RouteAttribute::Via(via.into()),
            via => RouteAttribute::Gateway(via.into()),
        });
        via.into_iter().chain(self.encap.iter().flat_map(Encap::encode)).collect()
    }

    fn encode(&self, v4: bool, index: &dyn Fn(IfName) -> u32) -> RouteNextHop {
        let mut hop = RouteNextHop::default();
        hop.flags = if self.onlink { RouteNextHopFlags::Onlink } else { RouteNextHopFlags::empty() };
        hop.hops = u8::try_from(self.weight.saturating_sub(1)).unwrap_or(u8::MAX);
        hop.interface_index = self.dev.map_or(0, index);
        hop.attributes = self.way(v4);
        hop
    }

    /// The hop that a message describes when it has only one.
    fn decode(attributes: &[RouteAttribute], ifname: &dyn Fn(u32) -> Option<IfName>, onlink: bool) -> Vec<Hop> {
        let mut hop = Hop { onlink, encap: Encap::decode(attributes), ..Hop::new(None, None) };
        for attribute in attributes {
            match attribute {
                RouteAttribute::Gateway(address) => hop.via = ip(address),
                RouteAttribute::Via(RouteVia::Inet6(via)) => hop.via = Some((*via).into()),
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
