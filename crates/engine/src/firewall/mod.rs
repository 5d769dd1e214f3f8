//! A firewall: the one nftables table that an owner has in a namespace, for ports that are forwarded, addresses that are
//! translated, and nodes that get a way out. What the rules are is in [`table`].

mod table;

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub(crate) use self::table::{DOCKER_USER, docker_table, name, pass, remark, table};
use crate::IfName;

/// What the table of an owner in a namespace does. Where there is nothing to do there is no table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Firewall {
    /// Ports that lead elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<Forward>,
    /// Ways out for nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uplinks: Vec<Uplink>,
    /// Addresses that stand for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nats: Vec<Nat>,
    /// Interfaces by which everything leaves in the name of this namespace.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub masquerade: BTreeSet<IfName>,
    /// Families whose packets Docker lets through because of one rule of ours in its chain for that. Never desired: a plan
    /// adds it where that chain is.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub docker: BTreeSet<IpFamily>,
    /// Observed: whether it says what we wrote.
    #[serde(skip_serializing_if = "Origin::is_as_written")]
    pub origin: Origin,
}

/// Whether an observed table says what we wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Yes.
    #[default]
    AsWritten,
    /// It has our mark, and what it says is not known: somebody has changed it, or another version wrote it.
    Changed,
    /// It has our name without our mark.
    Others,
}

/// The family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A port that leads elsewhere: for packets from outside, and for programs in this namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The protocol.
    pub protocol: Protocol,
    /// The address here; absent: all of this namespace, of the family of `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<IpAddr>,
    /// The port here.
    pub port: u16,
    /// Where it leads.
    pub to: SocketAddr,
    /// The interface here by which that is reached.
    pub via: IfName,
    /// Clients whose answers would not find back, and who appear as this namespace instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<IpNet>,
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "well known")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A node that gets a way out through this namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uplink {
    /// The interface here that leads to it.
    pub dev: IfName,
    /// Its addresses at the other end. What comes from these leaves in the name of this namespace.
    pub sources: Vec<IpNet>,
}

/// An address of an interface that stands for another, further inside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// The interface.
    pub dev: IfName,
    /// Its address.
    pub outer: IpAddr,
    /// What it stands for.
    pub inner: IpAddr,
}

impl Firewall {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let Firewall { forwards, uplinks, nats, masquerade, docker: _, origin: _ } = self;
        forwards.is_empty() && uplinks.is_empty() && nats.is_empty() && masquerade.is_empty()
    }

    /// Whether packets of the family go through this namespace because of it: a forward, or a way out.
    pub(crate) fn passes(&self, family: IpFamily) -> bool {
        let sources = self.uplinks.iter().flat_map(|uplink| uplink.sources.iter().map(|net| net.addr()));
        sources.chain(self.forwards.iter().map(|forward| forward.to.ip())).any(|ip| IpFamily::of(ip) == family)
    }
}

impl Origin {
    fn is_as_written(&self) -> bool {
        *self == Origin::AsWritten
    }
}

impl IpFamily {
    /// Both.
    pub const ALL: [IpFamily; 2] = [IpFamily::V4, IpFamily::V6];

    /// That of an address.
    pub fn of(address: IpAddr) -> IpFamily {
        if address.is_ipv4() { IpFamily::V4 } else { IpFamily::V6 }
    }
}

impl Protocol {
    /// Its number in the header of IP.
    pub fn number(self) -> u8 {
        match self {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outer {
            None => write!(f, "{}/{} to {}", self.port, self.protocol, self.to),
            Some(outer) => write!(f, "{}/{} to {}", SocketAddr::new(outer, self.port), self.protocol, self.to),
        }
    }
}

impl fmt::Display for Firewall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::AsWritten => {}
            Origin::Changed => return f.write_str("changed by somebody"),
            Origin::Others => return f.write_str("not ours"),
        }
        let count = |number: usize, one: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            many => Some(format!("{many} {one}s")),
        };
        // So many are read in a line.
        let forwards = match self.forwards.as_slice() {
            few @ ([_] | [_, _]) => Some(few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            many => count(many.len(), "forward"),
        };
        let words = [
            forwards,
            count(self.uplinks.len(), "way out").map(|words| words.replace("way outs", "ways out")),
            count(self.nats.len(), "nat"),
            count(self.masquerade.len(), "masqueraded interface"),
            (!self.docker.is_empty()).then(|| "past Docker".to_owned()),
        ];
        f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
