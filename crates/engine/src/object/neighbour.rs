//! Neighbours that are told rather than found out, and where a vxlan link sends frames. Does not know who is there.

use std::{fmt, net::IpAddr};

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage as Message,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState},
    route::RouteProtocol,
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Result, Socket};

use super::{Held, Object, ObjectKey};
use crate::{IfName, LinkKind, Mac, Namespace, Origin};

/// A neighbour on a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// The link.
    pub dev: IfName,
    /// What is told about it.
    pub entry: Entry,
    /// Where an observed neighbour comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
}

/// What is told about a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// Its MAC, so that nobody asks: `ip neighbour replace ADDRESS lladdr MAC dev DEV protocol 87`.
    Lladdr {
        /// The neighbour.
        address: IpAddr,
        /// Its MAC.
        lladdr: Mac,
    },
    /// That we answer for it: `ip neighbour add proxy ADDRESS dev DEV protocol 87`.
    Proxy {
        /// The neighbour.
        address: IpAddr,
    },
    /// Which host a vxlan link sends frames to: `bridge fdb append MAC dev DEV dst HOST`. It carries no mark: the ledger
    /// knows ours.
    Forward {
        /// The frames' destination; absent for those to everybody and to nobody known (00:00:00:00:00:00), which go to
        /// each host that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lladdr: Option<Mac>,
        /// The host.
        dst: IpAddr,
    },
}

/// What the kernel calls the destination of frames to everybody.
const EVERYBODY: Mac = Mac([0; 6]);

/// What the kernel tells two of them on a link apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Slot {
    Address(IpAddr),
    Proxy(IpAddr),
    Forward(Option<Mac>, IpAddr),
}

impl Neighbour {
    fn slot(&self) -> Slot {
        match self.entry {
            Entry::Lladdr { address, .. } => Slot::Address(address),
            Entry::Proxy { address } => Slot::Proxy(address),
            Entry::Forward { lladdr, dst } => Slot::Forward(lladdr, dst),
        }
    }

    fn encode(&self, index: &dyn Fn(IfName) -> u32) -> NeighbourMessage {
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.ifindex = index(self.dev);
        header.state = NeighbourState::Permanent;
        let protocol = NeighbourAttribute::Protocol(RouteProtocol::Other(Origin::PROTOCOL));
        let mac = |lladdr: Mac| NeighbourAttribute::LinkLayerAddress(lladdr.0.to_vec());
        let to = |address: IpAddr| NeighbourAttribute::Destination(address.into());
        (header.family, header.flags, message.attributes) = match self.entry {
            Entry::Lladdr { address, lladdr } => {
                (family(address), NeighbourFlags::empty(), vec![to(address), mac(lladdr), protocol])
            }
            Entry::Proxy { address } => (family(address), NeighbourFlags::Proxy, vec![to(address), protocol]),
            Entry::Forward { lladdr, dst } => {
                (AddressFamily::Bridge, NeighbourFlags::Own, vec![to(dst), mac(lladdr.unwrap_or(EVERYBODY))])
            }
        };
        message
    }

    /// `None` for one that the kernel has found out by itself.
    fn decode(message: &NeighbourMessage, ifname: &dyn Fn(u32) -> Option<IfName>) -> Option<Neighbour> {
        let header = &message.header;
        let dev = ifname(header.ifindex)?;
        let mut lladdr = None;
        let mut told = None;
        let mut origin = Origin::Others;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(address) => told = ip(address),
                NeighbourAttribute::LinkLayerAddress(mac) => lladdr = <[u8; 6]>::try_from(&mac[..]).ok().map(Mac),
                NeighbourAttribute::Protocol(RouteProtocol::Other(Origin::PROTOCOL)) => origin = Origin::Ours,
                _ => {}
            }
        }
        let is_permanent = u16::from(header.state) & u16::from(NeighbourState::Permanent) != 0;
        let entry = match (header.family, told?) {
            (_, address) if header.flags.contains(NeighbourFlags::Proxy) => Entry::Proxy { address },
            _ if !is_permanent => return None,
            (AddressFamily::Bridge, dst) => {
                Entry::Forward { lladdr: Some(lladdr?).filter(|mac| *mac != EVERYBODY), dst }
            }
            (_, address) => Entry::Lladdr { address, lladdr: lladdr? },
        };
        Some(Neighbour { dev, entry, origin })
    }
}

/// A vxlan link with a `remote` has an entry for it from the start.
pub(super) fn know_the_kernels(netns: &mut Namespace) {
    let links = &netns.links;
    let is_kernels = |neighbour: &Neighbour| match (neighbour.entry, links.get(&neighbour.dev).map(|link| &link.kind)) {
        (Entry::Forward { lladdr: None, dst }, Some(LinkKind::Vxlan(vxlan))) => vxlan.remote == Some(dst),
        _ => false,
    };
    netns.neighbours.iter_mut().filter(|n| is_kernels(n)).for_each(|n| n.origin = Origin::Kernel);
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// In a table of a bridge, the family is not said.
fn ip(address: &NeighbourAddress) -> Option<IpAddr> {
    match address {
        NeighbourAddress::Inet(address) => Some((*address).into()),
        NeighbourAddress::Inet6(address) => Some((*address).into()),
        NeighbourAddress::Other(bytes) => {
            let v4 = <[u8; 4]>::try_from(&bytes[..]).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(&bytes[..]).map(IpAddr::from)).ok()
        }
        _ => None,
    }
}

impl Held for Neighbour {
    fn name(&self) -> &'static str {
        "neighbour"
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::Neighbour(self.dev, self.slot())
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn is_marked(&self) -> bool {
        !matches!(self.entry, Entry::Forward { .. })
    }

    fn object(&self) -> Object {
        Object::Neighbour(self.clone())
    }

    fn devs(&self) -> Vec<IfName> {
        vec![self.dev]
    }

    /// The kernel forgets all neighbours on a link whose MAC changes (NETDEV_CHANGEADDR).
    fn goes_with_mac(&self) -> bool {
        matches!(self.entry, Entry::Lladdr { .. })
    }

    /// Takes the place of what the kernel may have found out by itself.
    fn add(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()> {
        let to_many = matches!(self.entry, Entry::Forward { lladdr: None, .. });
        let flags = if to_many { NLM_F_APPEND } else { NLM_F_REPLACE };
        socket.request(Message::NewNeighbour(self.encode(index)), NLM_F_CREATE | flags)
    }

    fn del(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()> {
        socket.request(Message::DelNeighbour(self.encode(index)), 0)
    }

    fn hint(&self, errno: Errno) -> Option<&'static str> {
        match (errno, self.entry) {
            (Errno::EOPNOTSUPP, Entry::Forward { .. }) => Some("the link is no vxlan"),
            (Errno::EAFNOSUPPORT, Entry::Forward { .. }) => Some("the underlay is of the other family"),
            (Errno::EINVAL, Entry::Lladdr { .. }) => Some("the link has no neighbours, or is down"),
            _ => None,
        }
    }

    fn is_met_by(&self, observed: &Neighbour) -> bool {
        (self.dev, self.entry) == (observed.dev, observed.entry)
    }

    fn of(netns: &Namespace) -> &[Neighbour] {
        &netns.neighbours
    }

    fn dump(socket: &mut Socket, ifname: &dyn Fn(u32) -> Option<IfName>) -> Result<Vec<Neighbour>> {
        let mut all = Vec::new();
        for (family, flags) in [
            (AddressFamily::Unspec, NeighbourFlags::empty()),
            (AddressFamily::Unspec, NeighbourFlags::Proxy),
            (AddressFamily::Bridge, NeighbourFlags::empty()),
        ] {
            let mut message = NeighbourMessage::default();
            (message.header.family, message.header.flags) = (family, flags);
            let answers = socket.dump(Message::GetNeighbour(message))?;
            all.extend(answers.iter().filter_map(|answer| match answer {
                Message::NewNeighbour(message) => Neighbour::decode(message, ifname),
                _ => None,
            }));
        }
        Ok(all)
    }
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Entry::Lladdr { address, lladdr } => write!(f, "{address} lladdr {lladdr} dev {}", self.dev),
            Entry::Proxy { address } => write!(f, "proxy {address} dev {}", self.dev),
            Entry::Forward { lladdr, dst } => {
                write!(f, "{} dst {dst} dev {}", lladdr.unwrap_or(EVERYBODY), self.dev)
            }
        }
    }
}
