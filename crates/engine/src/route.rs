//! Routes of a namespace. Does not know how a document writes them.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteNextHop,
        RouteNextHopFlags, RouteProtocol, RouteScope, RouteType,
    },
};
use serde::{Deserialize, Serialize};

use crate::{IfName, Origin};

/// A route, like `ip route add [KIND] DST [via HOP dev DEV | nexthop ...] [metric N] [table N] [src A] proto 87`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Where to; `0.0.0.0/0` or `::/0` is the default route.
    pub destination: IpNet,
    /// Next hops: none for [`RouteKind`]s that drop, several for equal-cost multipath.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// Priority, smaller first; the kernel's default is 0 for IPv4 and 1024 for IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    /// Routing table; 254 is main.
    #[serde(default = "main_table", skip_serializing_if = "is_main_table")]
    pub table: u32,
    /// Preferred source address of packets that leave by this route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// What happens to a packet.
    #[serde(default, skip_serializing_if = "RouteKind::is_unicast")]
    pub kind: RouteKind,
    /// Path MTU of this route in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Where an observed route comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
}

/// Table, destination and metric.
pub(crate) type RouteKey = (u32, IpNet, u32);

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// The gateway; none where the destination is on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<IpAddr>,
    /// The link; found by the kernel from the gateway where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<IfName>,
    /// Share of the traffic among several hops, 1 to 256.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u16,
    /// Pretend that the gateway is on the link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub onlink: bool,
}

/// What a route does with a packet (RTN_* of linux/rtnetlink.h).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// Forward it to a hop.
    #[default]
    Unicast,
    /// Drop it silently.
    Blackhole,
    /// Drop it, and answer "unreachable".
    Unreachable,
    /// Drop it, and answer "administratively prohibited".
    Prohibit,
}

impl RouteKind {
    fn is_unicast(&self) -> bool {
        *self == RouteKind::Unicast
    }
}

impl Route {
    /// The main routing table.
    pub const MAIN: u32 = 254;

    /// A plain route by one hop.
    pub fn new(destination: IpNet, via: Option<IpAddr>, dev: Option<IfName>) -> Route {
        let hops = vec![Hop { via, dev, weight: 1, onlink: false }];
        let kind = RouteKind::Unicast;
        let destination = destination.trunc();
        Route {
            destination,
            hops,
            metric: None,
            table: Self::MAIN,
            source: None,
            kind,
            mtu: None,
            origin: Origin::Ours,
        }
    }

    /// The metric that the kernel uses where none is given.
    pub fn effective_metric(&self) -> u32 {
        match (self.metric, self.destination) {
            (Some(0) | None, IpNet::V6(_)) => 1024,
            (Some(metric), _) => metric,
            (None, IpNet::V4(_)) => 0,
        }
    }

    /// What the kernel tells two routes apart by.
    pub(crate) fn key(&self) -> RouteKey {
        (self.table, self.destination, self.effective_metric())
    }

    /// Whether `observed` does all that this route asks for.
    pub(crate) fn is_met_by(&self, observed: &Route) -> bool {
        self.key() == observed.key()
            && self.kind == observed.kind
            && (self.source.is_none() || self.source == observed.source)
            && self.mtu == observed.mtu
            && self.hops.len() == observed.hops.len()
            && self.hops.iter().all(|hop| observed.hops.iter().any(|o| hop.is_met_by(o)))
    }
}

impl Hop {
    fn is_met_by(&self, observed: &Hop) -> bool {
        self.via == observed.via && (self.dev.is_none() || self.dev == observed.dev) && self.weight == observed.weight
    }
}

impl Route {
    /// `None` where a hop names a link that `index` does not know.
    pub(crate) fn encode(&self, index: &dyn Fn(IfName) -> Option<u32>) -> Option<RouteMessage> {
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
            [hop] => attributes.extend(hop.attributes(index)?),
            hops => {
                let hops: Option<Vec<_>> = hops.iter().map(|hop| hop.encode(index)).collect();
                attributes.push(RouteAttribute::MultiPath(hops?));
            }
        }
        Some(message)
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
    pub(crate) fn decode(message: &RouteMessage, ifname: &dyn Fn(u32) -> Option<IfName>) -> Option<Route> {
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
    fn attributes(&self, index: &dyn Fn(IfName) -> Option<u32>) -> Option<Vec<RouteAttribute>> {
        let via = self.via.map(|via| RouteAttribute::Gateway(via.into()));
        let oif = match self.dev {
            None => None,
            Some(dev) => Some(RouteAttribute::Oif(index(dev)?)),
        };
        Some(via.into_iter().chain(oif).collect())
    }

    fn encode(&self, index: &dyn Fn(IfName) -> Option<u32>) -> Option<RouteNextHop> {
        let mut hop = RouteNextHop::default();
        hop.flags = if self.onlink { RouteNextHopFlags::Onlink } else { RouteNextHopFlags::empty() };
        hop.hops = u8::try_from(self.weight.saturating_sub(1)).unwrap_or(u8::MAX);
        hop.interface_index = match self.dev {
            None => 0,
            Some(dev) => index(dev)?,
        };
        hop.attributes = self.via.map(|via| RouteAttribute::Gateway(via.into())).into_iter().collect();
        Some(hop)
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

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RouteKind::Unicast => {}
            RouteKind::Blackhole => f.write_str("blackhole ")?,
            RouteKind::Unreachable => f.write_str("unreachable ")?,
            RouteKind::Prohibit => f.write_str("prohibit ")?,
        }
        match self.destination.prefix_len() {
            0 => f.write_str("default")?,
            _ => write!(f, "{}", self.destination)?,
        }
        for hop in &self.hops {
            if self.hops.len() > 1 {
                f.write_str(" nexthop")?;
            }
            write!(f, "{hop}")?;
        }
        self.metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))?;
        if self.table != Route::MAIN {
            write!(f, " table {}", self.table)?;
        }
        self.source.map_or(Ok(()), |source| write!(f, " src {source}"))?;
        self.mtu.map_or(Ok(()), |mtu| write!(f, " mtu {mtu}"))
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.via.map_or(Ok(()), |via| write!(f, " via {via}"))?;
        self.dev.map_or(Ok(()), |dev| write!(f, " dev {dev}"))?;
        if self.weight != 1 {
            write!(f, " weight {}", self.weight)?;
        }
        if self.onlink { f.write_str(" onlink") } else { Ok(()) }
    }
}

fn main_table() -> u32 {
    Route::MAIN
}

fn is_main_table(table: &u32) -> bool {
    *table == Route::MAIN
}

fn one() -> u16 {
    1
}

fn is_one(weight: &u16) -> bool {
    *weight == 1
}
