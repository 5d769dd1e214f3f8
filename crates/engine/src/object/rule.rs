//! Rules that choose the routing table. Does not know the tables.

use std::fmt;

use ipnet::IpNet;
use netlink_packet_core::{DefaultNla, Nla};
use netlink_packet_route::{
    AddressFamily, IpProtocol, RouteNetlinkMessage as Message,
    route::RouteProtocol,
    rule::{RuleAction as Action, RuleAttribute, RuleFlags, RuleMessage, RulePortRange},
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Result, Socket};

use super::{Held, NEW, Object, ObjectKey};
use crate::{IfName, Namespace, Origin};

/// A rule, like `ip [-6] rule add pref N [not] [from NET] [to NET] [iif DEV] [oif DEV] [fwmark M/MASK] [ipproto P]
/// [sport A-B] [dport A-B] ACTION protocol 87`. Its priority is its own: no other rule of its family has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Smaller first. The kernel's own are at 0, 32766 and 32767.
    pub priority: u32,
    /// For IPv6 packets, rather than IPv4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub v6: bool,
    /// For packets that the conditions do not fit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    /// Condition: the packet's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpNet>,
    /// Condition: the packet's destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<IpNet>,
    /// Condition: where it has come in; `lo` for what is sent from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iif: Option<IfName>,
    /// Condition: the device that the sending socket is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oif: Option<IfName>,
    /// Condition: the mark of a firewall or a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fwmark: Option<FwMark>,
    /// Condition: the protocol in the packet, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_proto: Option<u8>,
    /// Condition: its source port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sport: Option<Ports>,
    /// Condition: its destination port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dport: Option<Ports>,
    /// What happens to such a packet.
    pub action: RuleAction,
    /// Go on with the next rule where the route that is found has a prefix of at most this length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress_prefixlength: Option<u32>,
    /// Observed: it has conditions that are not known here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Where an observed rule comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
}

/// A mark and the bits of it that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FwMark {
    /// The mark.
    pub mark: u32,
    /// The bits that are compared.
    #[serde(default = "every_bit", skip_serializing_if = "is_every_bit")]
    pub mask: u32,
}

/// Ports from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last; the same for one port.
    pub last: u16,
}

/// What a rule does with a packet that it fits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// Look its route up in this table.
    Lookup(u32),
    /// Look it up in the table of the VRF that it has come in by.
    L3mdev,
    /// Drop it silently.
    Blackhole,
    /// Drop it, and answer "unreachable".
    Unreachable,
    /// Drop it, and answer "administratively prohibited".
    Prohibit,
    /// Observed: something else.
    Other(u8),
}

impl Rule {
    /// A rule without conditions.
    pub fn new(priority: u32, v6: bool, action: RuleAction) -> Rule {
        Rule {
            priority,
            v6,
            not: false,
            from: None,
            to: None,
            iif: None,
            oif: None,
            fwmark: None,
            ip_proto: None,
            sport: None,
            dport: None,
            action,
            suppress_prefixlength: None,
            more: false,
            origin: Origin::Ours,
        }
    }

    fn encode(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        let header = &mut message.header;
        header.family = if self.v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        header.src_len = self.from.map_or(0, |net| net.prefix_len());
        header.dst_len = self.to.map_or(0, |net| net.prefix_len());
        header.flags = if self.not { RuleFlags::Invert } else { RuleFlags::empty() };
        let table = match self.action {
            RuleAction::Lookup(table) => Some(table),
            _ => None,
        };
        header.table = table.and_then(|table| u8::try_from(table).ok()).unwrap_or(0);
        header.action = match self.action {
            RuleAction::Lookup(_) | RuleAction::L3mdev => Action::ToTable,
            RuleAction::Blackhole => Action::Blackhole,
            RuleAction::Unreachable => Action::Unreachable,
            RuleAction::Prohibit => Action::Prohibit,
            RuleAction::Other(number) => Action::from(number),
        };
        let l3mdev = self.action == RuleAction::L3mdev;
        let range = |ports: Ports| RulePortRange { start: ports.first, end: ports.last };
        let attributes = [
            Some(RuleAttribute::Priority(self.priority)),
            Some(RuleAttribute::Protocol(RouteProtocol::Other(Origin::PROTOCOL))),
            table.map(RuleAttribute::Table),
            l3mdev.then_some(RuleAttribute::L3MDev(true)),
            self.from.map(|net| RuleAttribute::Source(net.addr())),
            self.to.map(|net| RuleAttribute::Destination(net.addr())),
            self.iif.map(|dev| RuleAttribute::Iifname(dev.to_string())),
            self.oif.map(|dev| RuleAttribute::Oifname(dev.to_string())),
            self.fwmark.map(|fwmark| RuleAttribute::FwMark(fwmark.mark)),
            self.fwmark.map(|fwmark| RuleAttribute::FwMask(fwmark.mask)),
            self.ip_proto.map(|number| RuleAttribute::IpProtocol(IpProtocol::from(number))),
            self.sport.map(|ports| RuleAttribute::SourcePortRange(range(ports))),
            self.dport.map(|ports| RuleAttribute::DestinationPortRange(range(ports))),
            self.suppress_prefixlength.map(RuleAttribute::SuppressPrefixLen),
        ];
        message.attributes = attributes.into_iter().flatten().collect();
        message
    }

    fn decode(message: &RuleMessage) -> Option<Rule> {
        let header = &message.header;
        let v6 = match header.family {
            AddressFamily::Inet => false,
            AddressFamily::Inet6 => true,
            _ => return None,
        };
        let action = match header.action {
            Action::ToTable => RuleAction::Lookup(header.table.into()),
            Action::Blackhole => RuleAction::Blackhole,
            Action::Unreachable => RuleAction::Unreachable,
            Action::Prohibit => RuleAction::Prohibit,
            other => RuleAction::Other(other.into()),
        };
        // The kernel says nothing of a priority of 0, nor of nobody's protocol.
        let mut rule = Rule { origin: Origin::Others, ..Rule::new(0, v6, action) };
        rule.not = header.flags.contains(RuleFlags::Invert);
        rule.more = header.tos != 0;
        message.attributes.iter().for_each(|attribute| rule.read(attribute, header.src_len, header.dst_len));
        Some(rule)
    }

    fn read(&mut self, attribute: &RuleAttribute, src_len: u8, dst_len: u8) {
        let ports = |range: &RulePortRange| Some(Ports { first: range.start, last: range.end });
        match attribute {
            RuleAttribute::Priority(priority) => self.priority = *priority,
            RuleAttribute::Source(address) => self.from = IpNet::new(*address, src_len).ok(),
            RuleAttribute::Destination(address) => self.to = IpNet::new(*address, dst_len).ok(),
            RuleAttribute::Iifname(name) => self.iif = name.parse().ok(),
            RuleAttribute::Oifname(name) => self.oif = name.parse().ok(),
            RuleAttribute::FwMark(mark) => self.fwmark.get_or_insert(FwMark { mark: 0, mask: 0 }).mark = *mark,
            RuleAttribute::FwMask(mask) => self.fwmark.get_or_insert(FwMark { mark: 0, mask: 0 }).mask = *mask,
            RuleAttribute::IpProtocol(number) => self.ip_proto = Some((*number).into()),
            RuleAttribute::SourcePortRange(range) => self.sport = ports(range),
            RuleAttribute::DestinationPortRange(range) => self.dport = ports(range),
            RuleAttribute::SuppressPrefixLen(length) if *length == NO_LENGTH => {}
            RuleAttribute::SuppressPrefixLen(length) => self.suppress_prefixlength = Some(*length),
            RuleAttribute::L3MDev(true) => self.action = RuleAction::L3mdev,
            RuleAttribute::Table(table) if matches!(self.action, RuleAction::Lookup(_)) => {
                self.action = RuleAction::Lookup(*table);
            }
            RuleAttribute::Protocol(RouteProtocol::Other(Origin::PROTOCOL)) => self.origin = Origin::Ours,
            RuleAttribute::Protocol(RouteProtocol::Kernel) => self.origin = Origin::Kernel,
            // Of the pad, and of what the kernel tells although nobody has asked for it.
            RuleAttribute::Table(_) | RuleAttribute::Protocol(_) | RuleAttribute::L3MDev(false) => {}
            RuleAttribute::Other(nla) if says_nothing(nla) => {}
            _ => self.more = true,
        }
    }
}

/// What FRA_SUPPRESS_PREFIXLEN says where nothing is suppressed.
const NO_LENGTH: u32 = u32::MAX;

/// The pad of 64-bit values, and, since Linux 6.15, the mask of a single port: all bits where nobody has said otherwise.
fn says_nothing(nla: &DefaultNla) -> bool {
    const FRA_PAD: u16 = 18;
    const FRA_SPORT_MASK: u16 = 28;
    const FRA_DPORT_MASK: u16 = 29;
    let mut value = vec![0; nla.value_len()];
    nla.emit_value(&mut value);
    match nla.kind() {
        FRA_PAD => true,
        FRA_SPORT_MASK | FRA_DPORT_MASK => value == [0xff, 0xff],
        _ => false,
    }
}

impl Held for Rule {
    fn name(&self) -> &'static str {
        "rule"
    }

    /// The kernel would take several of one priority. But then a request to delete one may hit another that is more
    /// special.
    fn key(&self) -> ObjectKey {
        ObjectKey::Rule(self.v6, self.priority)
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn object(&self) -> Object {
        Object::Rule(self.clone())
    }

    /// None: a rule waits for its link, and outlives it.
    fn devs(&self) -> Vec<IfName> {
        Vec::new()
    }

    fn add(&self, socket: &mut Socket, _: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.request(Message::NewRule(self.encode()), NEW)
    }

    fn del(&self, socket: &mut Socket, _: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.request(Message::DelRule(self.encode()), 0)
    }

    fn hint(&self, errno: Errno) -> Option<&'static str> {
        match errno {
            Errno::EEXIST => Some("the same rule is there already"),
            Errno::EINVAL => Some("a condition or the table does not fit"),
            _ => None,
        }
    }

    fn remedy(&self) -> &'static str {
        "give ours another priority"
    }

    fn is_met_by(&self, observed: &Rule) -> bool {
        *self == Rule { origin: self.origin, ..observed.clone() }
    }

    fn of(netns: &Namespace) -> &[Rule] {
        &netns.rules
    }

    fn dump(socket: &mut Socket, _: &dyn Fn(u32) -> Option<IfName>) -> Result<Vec<Rule>> {
        let mut all = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RuleMessage::default();
            message.header.family = family;
            let answers = socket.dump(Message::GetRule(message))?;
            all.extend(answers.iter().filter_map(|answer| match answer {
                Message::NewRule(message) => Rule::decode(message),
                _ => None,
            }));
        }
        Ok(all)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn word<T: fmt::Display>(name: &str, value: Option<T>) -> Option<String> {
            value.map(|value| format!(" {name} {value}"))
        }
        let words = [
            self.not.then(|| " not".to_owned()),
            // Of a rule without addresses nothing else says the family.
            (self.v6 && self.from.is_none() && self.to.is_none()).then(|| " ipv6".to_owned()),
            word("from", self.from),
            word("to", self.to),
            word("iif", self.iif),
            word("oif", self.oif),
            word("fwmark", self.fwmark),
            word("ipproto", self.ip_proto),
            word("sport", self.sport),
            word("dport", self.dport),
            self.more.then(|| " ...".to_owned()),
            word("suppress_prefixlength", self.suppress_prefixlength),
        ];
        let words: String = words.into_iter().flatten().collect();
        write!(f, "{}:{words} {}", self.priority, self.action)
    }
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleAction::Lookup(table) => write!(f, "lookup {table}"),
            RuleAction::L3mdev => f.write_str("lookup l3mdev-table"),
            RuleAction::Blackhole => f.write_str("blackhole"),
            RuleAction::Unreachable => f.write_str("unreachable"),
            RuleAction::Prohibit => f.write_str("prohibit"),
            RuleAction::Other(number) => write!(f, "action {number}"),
        }
    }
}

impl fmt::Display for FwMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.mark)?;
        if is_every_bit(&self.mask) { Ok(()) } else { write!(f, "/{:#x}", self.mask) }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.first == self.last { Ok(()) } else { write!(f, "-{}", self.last) }
    }
}

fn every_bit() -> u32 {
    u32::MAX
}

fn is_every_bit(mask: &u32) -> bool {
    *mask == u32::MAX
}
