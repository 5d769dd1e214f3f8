//! Routes of a namespace. Does not know how a document writes them.

use std::net::IpAddr;

use ipnet::IpNet;
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
    pub(crate) fn key(&self) -> (u32, IpNet, u32) {
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
