//! Routes of a namespace. Does not know how a document writes them.

mod encap;
mod wire;

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage as Message, route::RouteMessage};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Result, Socket};

pub use self::encap::{Encap, Lookup, Seg6, Seg6Local};
use super::{Held, NEW, Object, ObjectKey};
use crate::{IfName, Namespace, Origin};

/// A route, like `ip route add [KIND] DST [via HOP dev DEV | nexthop ...] [metric N] [table N] [src A] proto 87`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Where to; `0.0.0.0/0` or `::/0` is the default route.
    pub destination: IpNet,
    /// Next hops: none for [`RouteKind`]s that drop, several for equal-cost multipath.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// The nexthop object that leads on, instead of hops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<u32>,
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
    /// The largest TCP segment that peers are told to send, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advmss: Option<u32>,
    /// Where an observed route comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
}

/// Table, destination and metric.
pub(super) type RouteKey = (u32, IpNet, u32);

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// The gateway; none where the destination is on the link. That of an IPv4 route may be one of IPv6.
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
    /// What is done to packets on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encap: Option<Encap>,
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
    /// Leave this table, and go on with the next rule.
    Throw,
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
        let hops = vec![Hop::new(via, dev)];
        let kind = RouteKind::Unicast;
        let destination = destination.trunc();
        Route {
            destination,
            hops,
            nexthop: None,
            metric: None,
            table: Self::MAIN,
            source: None,
            kind,
            mtu: None,
            advmss: None,
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
}

impl Held for Route {
    fn name(&self) -> &'static str {
        "route"
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::Route((self.table, self.destination, self.effective_metric()))
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn object(&self) -> Object {
        Object::Route(self.clone())
    }

    fn devs(&self) -> Vec<IfName> {
        self.hops.iter().filter_map(|hop| hop.dev).collect()
    }

    fn needs(&self) -> Vec<ObjectKey> {
        self.nexthop.map(ObjectKey::Nexthop).into_iter().collect()
    }

    fn gateways(&self) -> Vec<IpAddr> {
        self.hops.iter().filter(|hop| hop.dev.is_none()).filter_map(|hop| hop.via).collect()
    }

    fn add(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.request(Message::NewRoute(self.encode(index)), NEW)
    }

    fn del(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.request(Message::DelRoute(self.encode(index)), 0)
    }

    fn hint(&self, errno: Errno) -> Option<&'static str> {
        match errno {
            Errno::EEXIST => Some("a route to the same destination with that metric is there already"),
            Errno::ENETUNREACH | Errno::EHOSTUNREACH => {
                Some("the gateway is in no subnet of that namespace, or its link is down")
            }
            Errno::ENETDOWN => Some("the link is down"),
            Errno::EINVAL => Some("the source address or the gateway does not fit"),
            _ => None,
        }
    }

    fn remedy(&self) -> &'static str {
        "give ours another metric"
    }

    fn is_met_by(&self, observed: &Route) -> bool {
        self.key() == observed.key()
            && self.kind == observed.kind
            && (self.source.is_none() || self.source == observed.source)
            && (self.mtu, self.advmss) == (observed.mtu, observed.advmss)
            && self.nexthop == observed.nexthop
            && self.hops.len() == observed.hops.len()
            && self.hops.iter().all(|hop| observed.hops.iter().any(|o| hop.is_met_by(o)))
    }

    fn of(netns: &Namespace) -> &[Route] {
        &netns.routes
    }

    fn dump(socket: &mut Socket, ifname: &dyn Fn(u32) -> Option<IfName>) -> Result<Vec<Route>> {
        let mut all = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            let answers = socket.dump(Message::GetRoute(message))?;
            let decode = |answer: &Message| match answer {
                Message::NewRoute(message) => Route::decode(message, ifname),
                _ => None,
            };
            all.extend(answers.iter().filter_map(decode));
        }
        Ok(all)
    }
}

impl Hop {
    /// A plain one.
    pub fn new(via: Option<IpAddr>, dev: Option<IfName>) -> Hop {
        Hop { via, dev, weight: 1, onlink: false, encap: None }
    }

    fn is_met_by(&self, observed: &Hop) -> bool {
        self.via == observed.via
            && (self.dev.is_none() || self.dev == observed.dev)
            && self.weight == observed.weight
            && self.onlink == observed.onlink
            && self.encap == observed.encap
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RouteKind::Unicast => {}
            RouteKind::Blackhole => f.write_str("blackhole ")?,
            RouteKind::Unreachable => f.write_str("unreachable ")?,
            RouteKind::Prohibit => f.write_str("prohibit ")?,
            RouteKind::Throw => f.write_str("throw ")?,
        }
        match self.destination.prefix_len() {
            0 => f.write_str("default")?,
            _ => write!(f, "{}", self.destination)?,
        }
        self.nexthop.map_or(Ok(()), |id| write!(f, " nhid {id}"))?;
        for hop in &self.hops {
            if self.hops.len() > 1 {
                f.write_str(" nexthop")?;
            }
            match hop.via {
                Some(via @ IpAddr::V6(_)) if matches!(self.destination, IpNet::V4(_)) => write!(f, " via inet6 {via}")?,
                Some(via) => write!(f, " via {via}")?,
                None => {}
            }
            write!(f, "{hop}")?;
        }
        self.metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))?;
        if self.table != Route::MAIN {
            write!(f, " table {}", self.table)?;
        }
        self.source.map_or(Ok(()), |source| write!(f, " src {source}"))?;
        self.mtu.map_or(Ok(()), |mtu| write!(f, " mtu {mtu}"))?;
        self.advmss.map_or(Ok(()), |advmss| write!(f, " advmss {advmss}"))
    }
}

/// Without the gateway, whose word depends on the route's family.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.encap.as_ref().map_or(Ok(()), |encap| write!(f, " {encap}"))?;
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
