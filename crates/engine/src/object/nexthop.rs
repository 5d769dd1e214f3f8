//! Nexthop objects: ways on that many routes share. Does not know which routes use them.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Nexthop as Message, NexthopTo, Result, Socket};

use super::{Held, NEW, Object, ObjectKey};
use crate::{IfName, Namespace, Origin};

/// A nexthop object, like `ip nexthop add id ID [via A] dev DEV protocol 87`, `... blackhole`, `... group ID,WEIGHT/...`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nexthop {
    /// Its number in the namespace.
    pub id: u32,
    /// Where it leads.
    pub to: Way,
    /// Where an observed nexthop comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
}

/// Where a nexthop object leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Way {
    /// On by a gateway.
    Via {
        /// The gateway.
        via: IpAddr,
        /// Its link.
        dev: IfName,
        /// Pretend that the gateway is on the link.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        onlink: bool,
    },
    /// To what is on this link.
    Dev {
        /// The link.
        dev: IfName,
        /// For IPv6 routes, rather than IPv4.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        v6: bool,
    },
    /// Nowhere.
    Blackhole {
        /// For IPv6 routes, rather than IPv4.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        v6: bool,
    },
    /// To one of several, by number, each with its share of the traffic, 1 to 256.
    Group(BTreeMap<u32, u16>),
}

impl Nexthop {
    fn encode(&self, index: &dyn Fn(IfName) -> u32) -> Message {
        let to = match &self.to {
            Way::Via { via, dev, onlink } => {
                let (gateway, v6) = (Some(*via), via.is_ipv6());
                NexthopTo::Link { gateway, v6, index: index(*dev), onlink: *onlink }
            }
            Way::Dev { dev, v6 } => NexthopTo::Link { gateway: None, v6: *v6, index: index(*dev), onlink: false },
            Way::Blackhole { v6 } => NexthopTo::Blackhole { v6: *v6 },
            Way::Group(members) => NexthopTo::Group(members.iter().map(|(id, weight)| (*id, *weight)).collect()),
        };
        Message { id: self.id, protocol: Origin::PROTOCOL, to }
    }

    fn decode(message: &Message, ifname: &dyn Fn(u32) -> Option<IfName>) -> Option<Nexthop> {
        let to = match &message.to {
            NexthopTo::Link { gateway: Some(via), index, onlink, .. } => {
                Way::Via { via: *via, dev: ifname(*index)?, onlink: *onlink }
            }
            NexthopTo::Link { gateway: None, v6, index, .. } => Way::Dev { dev: ifname(*index)?, v6: *v6 },
            NexthopTo::Blackhole { v6 } => Way::Blackhole { v6: *v6 },
            NexthopTo::Group(members) => Way::Group(members.iter().copied().collect()),
        };
        let origin = if message.protocol == Origin::PROTOCOL { Origin::Ours } else { Origin::Others };
        Some(Nexthop { id: message.id, to, origin })
    }
}

impl Held for Nexthop {
    fn name(&self) -> &'static str {
        "nexthop"
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::Nexthop(self.id)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn object(&self) -> Object {
        Object::Nexthop(self.clone())
    }

    fn devs(&self) -> Vec<IfName> {
        match self.to {
            Way::Via { dev, .. } | Way::Dev { dev, .. } => vec![dev],
            Way::Blackhole { .. } | Way::Group(_) => Vec::new(),
        }
    }

    fn needs(&self) -> Vec<ObjectKey> {
        match &self.to {
            Way::Group(members) => members.keys().copied().map(ObjectKey::Nexthop).collect(),
            _ => Vec::new(),
        }
    }

    fn is_needed(&self) -> bool {
        true
    }

    fn add(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.add_nexthop(&self.encode(index), NEW)
    }

    fn del(&self, socket: &mut Socket, _: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.del_nexthop(self.id)
    }

    fn hint(&self, errno: Errno) -> Option<&'static str> {
        match errno {
            Errno::EEXIST => Some("a nexthop of that number is there already"),
            Errno::ENETUNREACH | Errno::EHOSTUNREACH => {
                Some("the gateway is in no subnet of that link, or the link is down")
            }
            Errno::ENETDOWN => Some("the link is down"),
            _ => None,
        }
    }

    fn remedy(&self) -> &'static str {
        "give ours another id"
    }

    fn is_met_by(&self, observed: &Nexthop) -> bool {
        (self.id, &self.to) == (observed.id, &observed.to)
    }

    fn of(netns: &Namespace) -> &[Nexthop] {
        &netns.nexthops
    }

    fn dump(socket: &mut Socket, ifname: &dyn Fn(u32) -> Option<IfName>) -> Result<Vec<Nexthop>> {
        let all = socket.nexthops()?;
        Ok(all.iter().filter_map(|message| Nexthop::decode(message, ifname)).collect())
    }
}

impl fmt::Display for Nexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "id {}", self.id)?;
        match &self.to {
            Way::Via { via, dev, onlink } => {
                write!(f, " via {via} dev {dev}{}", if *onlink { " onlink" } else { "" })
            }
            Way::Dev { dev, .. } => write!(f, " dev {dev}"),
            Way::Blackhole { .. } => f.write_str(" blackhole"),
            Way::Group(members) => {
                let word = |(id, weight): (&u32, &u16)| match weight {
                    1 => id.to_string(),
                    weight => format!("{id},{weight}"),
                };
                let words: Vec<String> = members.iter().map(word).collect();
                write!(f, " group {}", words.join("/"))
            }
        }
    }
}
