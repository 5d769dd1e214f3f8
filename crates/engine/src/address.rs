//! IP addresses of a link. Does not know who asked for them.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    address::{
        AddressAttribute, AddressFlags, AddressHeader, AddressHeaderFlags, AddressMessage, AddressProtocol,
        AddressScope,
    },
};
use serde::{Deserialize, Serialize};

/// Where an observed object comes from. What a document asks for is always [`Origin::Ours`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Made by us: it carries our protocol number.
    #[default]
    Ours,
    /// Made by the kernel itself (link-local addresses, the routes of addresses).
    Kernel,
    /// Made by somebody else: shown, and left alone.
    Others,
}

impl Origin {
    /// The number that our addresses carry in IFA_PROTO (Linux 5.18) and our routes in rtm_protocol.
    pub const PROTOCOL: u8 = 87;

    pub(crate) fn is_ours(&self) -> bool {
        *self == Origin::Ours
    }
}

/// An address of a link, like `ip address add NET dev LINK [nodad] proto 87`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The address and the length of its prefix; host bits are kept.
    pub net: IpNet,
    /// IPv6: do not wait for duplicate address detection, because every end of the segment is ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nodad: bool,
    /// Where an observed address comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
    /// Observed: duplicate address detection still runs, the address cannot be used yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tentative: bool,
    /// Observed: somebody else on the segment has this address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dadfailed: bool,
}

impl Address {
    /// An address as a document asks for it.
    pub fn new(net: IpNet, nodad: bool) -> Address {
        Address { net, nodad, origin: Origin::Ours, tentative: false, dadfailed: false }
    }
}

impl Address {
    /// On the link with this number.
    pub(crate) fn encode(&self, index: u32) -> AddressMessage {
        let address = self.net.addr();
        let mut message = AddressMessage::default();
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let scope = if address.is_loopback() { AddressScope::Host } else { AddressScope::Universe };
        let flags = AddressHeaderFlags::empty();
        message.header = AddressHeader { family, prefix_len: self.net.prefix_len(), flags, scope, index };
        message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
        message.attributes.extend(self.broadcast().map(AddressAttribute::Broadcast));
        if self.nodad && address.is_ipv6() {
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        if self.origin == Origin::Ours {
            let protocol = AddressProtocol::Other(Origin::PROTOCOL);
            message.attributes.push(AddressAttribute::Protocol(protocol));
        }
        message
    }

    /// As `ip address add ... broadcast +` does: none for /31 and /32 (RFC 3021).
    fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.net {
            IpNet::V4(net) if net.prefix_len() < 31 && !net.addr().is_loopback() => Some(net.broadcast()),
            _ => None,
        }
    }

    pub(crate) fn decode(message: &AddressMessage) -> Option<Address> {
        let mut local = None;
        let mut address = None;
        let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
        let mut protocol = None;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::Flags(all) => flags = *all,
                AddressAttribute::Protocol(number) => protocol = Some(*number),
                _ => {}
            }
        }
        let net = IpNet::new(local.or(address)?, message.header.prefix_len).ok()?;
        Some(Address {
            net,
            nodad: flags.contains(AddressFlags::Nodad),
            origin: origin(protocol, net.addr(), message.header.scope),
            tentative: flags.contains(AddressFlags::Tentative),
            dadfailed: flags.contains(AddressFlags::Dadfailed),
        })
    }
}

fn origin(protocol: Option<AddressProtocol>, address: IpAddr, scope: AddressScope) -> Origin {
    match protocol {
        Some(AddressProtocol::Other(Origin::PROTOCOL)) => Origin::Ours,
        Some(AddressProtocol::Loopback | AddressProtocol::RouterAnnouncement | AddressProtocol::LinkLocal) => {
            Origin::Kernel
        }
        // 127.0.0.1 and ::1 carry no protocol before Linux 5.18, link-local addresses never where a tool moved them.
        _ if address.is_loopback() || (address.is_ipv6() && scope == AddressScope::Link) => Origin::Kernel,
        _ => Origin::Others,
    }
}
