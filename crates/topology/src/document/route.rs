//! Routes as `ip route add` takes them. Does not know which interfaces a node has.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use wireloom_engine::{Hop, IfName, Origin, Route, RouteKind};

use crate::{
    document::{
        address::{ip_address, network},
        encap::encap,
    },
    read::nearest,
    wrong::Wrong,
};

/// A route, like `default via 10.0.0.1 dev eth0 metric 100`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteLine(pub(crate) Route);

const OPTIONS: [&str; 16] = [
    "via",
    "dev",
    "metric",
    "table",
    "src",
    "mtu",
    "advmss",
    "nhid",
    "encap",
    "onlink",
    "nexthop",
    "weight",
    "proto",
    "scope",
    "preference",
    "priority",
];

/// A route while its words are read.
struct Reading {
    route: Route,
    /// `None` for `default` until an address shows the family.
    v6: Option<bool>,
    /// The hop that `via`, `dev`, `weight` and `onlink` speak of, where it is not from `nexthop`.
    plain: Option<Hop>,
}

impl FromStr for RouteLine {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut words = text.split_whitespace().peekable();
        let kind = words.next_if(|word| kind_of(word).is_some()).and_then(kind_of).unwrap_or_default();
        let word = words.next().ok_or_else(|| {
            Wrong::new(
                "a route without a destination",
                "write it like `default via 10.0.0.1` or `10.1.0.0/16 dev eth0`",
            )
        })?;
        let (destination, v6) = destination(word)?;
        let mut reading = Reading { route: Route::new(destination, None, None), v6, plain: None };
        reading.route.hops.clear();
        reading.route.kind = kind;
        while let Some(word) = words.next() {
            reading.option(word, &mut words)?;
        }
        reading.finish(text).map(RouteLine)
    }
}

fn kind_of(word: &str) -> Option<RouteKind> {
    Some(match word {
        "unicast" => RouteKind::Unicast,
        "blackhole" => RouteKind::Blackhole,
        "unreachable" => RouteKind::Unreachable,
        "prohibit" => RouteKind::Prohibit,
        "throw" => RouteKind::Throw,
        _ => return None,
    })
}

fn destination(word: &str) -> Result<(IpNet, Option<bool>), Wrong> {
    match word {
        "default" => Ok((default(false), None)),
        word if word.contains('/') => network(word).map(|net| (net, Some(is_v6(net.addr())))),
        word => {
            let address = ip_address(word).map_err(|wrong| {
                let word_of_ip = word.bytes().all(|b| b.is_ascii_lowercase());
                let message = if word_of_ip { format!("`{word}` in a route is not taken") } else { wrong.message };
                Wrong::new(message, "a route begins with its destination, `default`, 10.0.0.0/8 or 2001:db8::/32; before it may stand unicast, \
                     blackhole, unreachable, prohibit or throw")
            })?;
            Ok((IpNet::from(address), Some(is_v6(address))))
        }
    }
}

fn default(v6: bool) -> IpNet {
    if v6 { IpNet::V6(ipnet::Ipv6Net::default()) } else { IpNet::V4(ipnet::Ipv4Net::default()) }
}

fn is_v6(address: IpAddr) -> bool {
    address.is_ipv6()
}

fn new_hop() -> Hop {
    Hop::new(None, None)
}

impl Reading {
    fn option<'a>(&mut self, word: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<(), Wrong> {
        match word {
            "nexthop" => self.route.hops.push(new_hop()),
            "onlink" => self.hop().onlink = true,
            "encap" => self.hop().encap = Some(encap(words)?),
            word if !OPTIONS.contains(&word) => {
                return Err(Wrong::new(format!("`{word}` in a route is not taken"), nearest(word, &OPTIONS)));
            }
            word => {
                let mut value = words.next().ok_or_else(|| missing(word))?;
                if word == "via" && value == "inet6" {
                    return self.gateway_of_ipv6(words.next().ok_or_else(|| missing("via inet6"))?);
                }
                if value == "lock" || (word == "via" && value == "inet") {
                    value = words.next().ok_or_else(|| missing(word))?;
                }
                self.valued(word, value)?;
            }
        }
        Ok(())
    }

    fn valued(&mut self, word: &str, value: &str) -> Result<(), Wrong> {
        match word {
            "via" => self.hop().via = Some(self.address(value)?),
            "dev" => self.hop().dev = Some(value.parse::<IfName>().map_err(|e| Wrong::new(e.to_string(), DEV_HELP))?),
            "src" => self.route.source = Some(self.address(value)?),
            "weight" => self.hop().weight = number(word, value, 1, 256)?,
            "metric" | "preference" | "priority" => self.route.metric = Some(number(word, value, 0, u32::MAX)?),
            "mtu" => self.route.mtu = Some(number(word, value, 68, 65_535)?),
            "advmss" => self.route.advmss = Some(number(word, value, 1, 65_535)?),
            "nhid" => self.route.nexthop = Some(number(word, value, 1, u32::MAX)?),
            "table" => self.route.table = table(value)?,
            // Our own protocol number marks the route, and the kernel finds the scope.
            _ => {}
        }
        Ok(())
    }

    /// That of an IPv4 route may be one of IPv6, where it is said.
    fn gateway_of_ipv6(&mut self, text: &str) -> Result<(), Wrong> {
        let address = ip_address(text)?;
        let help = "write an address of IPv6 behind `via inet6`";
        self.hop().via =
            Some(Some(address).filter(IpAddr::is_ipv6).ok_or_else(|| Wrong::new(format!("`via inet6 {text}`"), help))?);
        Ok(())
    }

    fn hop(&mut self) -> &mut Hop {
        match self.route.hops.last_mut() {
            Some(last) => last,
            None => self.plain.get_or_insert_with(new_hop),
        }
    }

    fn address(&mut self, text: &str) -> Result<IpAddr, Wrong> {
        let address = ip_address(text)?;
        let v6 = *self.v6.get_or_insert(is_v6(address));
        if v6 == is_v6(address) {
            return Ok(address);
        }
        let family = if v6 { "IPv6" } else { "IPv4" };
        let inet6 = if v6 { "" } else { ", or `via inet6 ADDRESS` for a gateway of IPv6" };
        let help = format!("write an address of {family}{inet6}");
        Err(Wrong::new(format!("{address} in a route of {family}"), help))
    }

    fn finish(mut self, text: &str) -> Result<Route, Wrong> {
        if self.v6 == Some(true) && self.route.destination == default(false) {
            self.route.destination = default(true);
        }
        if let Some(plain) = self.plain.take() {
            self.route.hops.insert(0, plain);
        }
        let hops = &self.route.hops;
        let empty = hops.is_empty() || hops.iter().any(|hop| hop.via.is_none() && hop.dev.is_none());
        match self.route.kind {
            RouteKind::Unicast if self.route.nexthop.is_some() && hops.is_empty() => Ok(self.route),
            _ if self.route.nexthop.is_some() => Err(Wrong::new(format!("`{text}` names two ways"), NHID_HELP)),
            RouteKind::Unicast if empty => Err(Wrong::new(format!("the route `{text}` leads nowhere"), HOP_HELP)),
            RouteKind::Unicast => Ok(self.route),
            _ if self.route.hops.is_empty() => Ok(self.route),
            _ => Err(Wrong::new(format!("`{text}` drops packets and names a way for them"), HOP_HELP)),
        }
        .map(|route| Route { origin: Origin::Ours, ..route })
    }
}

const DEV_HELP: &str = "write the name of an interface of the node";
const HOP_HELP: &str =
    "write `via ADDRESS`, `dev INTERFACE`, or both; `blackhole`, `unreachable`, `prohibit` and `throw` take neither";
const NHID_HELP: &str = "write `nhid N` alone, or the way itself: the nexthop object says where it leads";

fn missing(word: &str) -> Wrong {
    Wrong::new(format!("nothing behind `{word}` in a route"), format!("write the value behind `{word}`"))
}

fn number<T: TryFrom<u32>>(word: &str, value: &str, least: u32, most: u32) -> Result<T, Wrong> {
    let number = value.parse::<u32>().ok().filter(|n| (least..=most).contains(n)).and_then(|n| T::try_from(n).ok());
    number.ok_or_else(|| {
        Wrong::new(format!("`{word} {value}` in a route"), format!("`{word}` takes a number from {least} to {most}"))
    })
}

fn table(value: &str) -> Result<u32, Wrong> {
    match value {
        "main" => Ok(254),
        "default" => Ok(253),
        "local" => Ok(255),
        value => number("table", value, 1, u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Route {
        text.parse::<RouteLine>().unwrap_or_else(|wrong| panic!("{text}: {wrong}")).0
    }

    #[test]
    fn a_route_is_read_as_ip_reads_it() {
        let route = read("default via 10.0.0.1 dev eth0 metric 100 table 7 src 10.0.0.2 mtu lock 1400 proto static");
        assert_eq!(route.destination.to_string(), "0.0.0.0/0");
        let hop = Hop::new("10.0.0.1".parse().ok(), "eth0".parse().ok());
        assert_eq!(route.hops, [hop]);
        assert_eq!((route.metric, route.table, route.mtu), (Some(100), 7, Some(1400)));
        assert_eq!(route.source, "10.0.0.2".parse().ok());
        assert_eq!(read("default via fe80::1 dev eth0").destination.to_string(), "::/0");
        assert_eq!(read("10.1.1.1 dev eth0").destination.to_string(), "10.1.1.1/32");
        assert_eq!(read("blackhole 10.0.0.0/8").kind, RouteKind::Blackhole);
        assert!(read("default via 10.9.9.9 dev eth0 onlink").hops[0].onlink);
        assert_eq!(read("throw 10.0.0.0/8 table 7").kind, RouteKind::Throw);
        let route = read("10.0.0.0/8 nhid 7 advmss 1200");
        assert_eq!((route.nexthop, route.advmss, route.hops.len()), (Some(7), Some(1200), 0));
        let route = read("10.0.0.0/8 encap seg6 mode encap segs fc00::1 via inet6 fe80::1 dev eth0");
        assert_eq!(route.hops[0].via, "fe80::1".parse().ok());
        assert!(route.hops[0].encap.is_some() && route.destination.addr().is_ipv4());
    }

    #[test]
    fn several_hops_share_the_traffic() {
        let route = read("10.0.0.0/8 nexthop via 10.1.0.1 weight 2 nexthop via 10.2.0.1 dev eth2");
        assert_eq!(route.hops.iter().map(|hop| hop.weight).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(route.hops[1].dev, "eth2".parse().ok());
        assert_eq!(read("default nexthop via fd00::1 nexthop via fd00::2").destination.to_string(), "::/0");
    }

    #[test]
    fn what_ip_refuses_is_refused() {
        for bad in [
            "",
            "blackhole",
            "10.0.0.1/8 dev eth0",
            "default",
            "default via",
            "default via eth0",
            "default via 10.0.0.300",
            "10.0.0.0/8 via fd00::1",
            "default vai 10.0.0.1",
            "default nexthop weight 2",
            "default via 10.0.0.1 weight 0",
            "10.0.0.0/8 via inet6 10.0.0.1 dev eth0",
            "10.0.0.0/8 nhid 7 dev eth0",
            "blackhole 10.0.0.0/8 nhid 7",
            "throw 10.0.0.0/8 dev eth0",
            "default via 10.0.0.1 dev sixteen-bytes-xx",
            "blackhole 10.0.0.0/8 via 10.0.0.1",
            "eth0 via 10.0.0.1",
        ] {
            assert!(bad.parse::<RouteLine>().is_err(), "{bad}");
        }
    }
}
