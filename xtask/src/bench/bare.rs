//! The floor: the requests that the chain takes, sent one after the other by the simplest loop there is, and nothing
//! else. No state, no plan, no names, no look back. The namespaces are there already.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol};
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use nix::sched::CloneFlags;

use super::chain::{Chain, End, GROUP, MTU, PREFIX};

/// A namespace and a socket in it, which stays there whatever the thread does next.
struct Place {
    netns: File,
    socket: Socket,
}

/// How long it took, by what the requests are for.
pub(crate) struct Took {
    /// Both ends in place, then for each its alias and up.
    pub(crate) links: Duration,
    /// One address for each end.
    pub(crate) addresses: Duration,
}

/// Makes the links of the chain. Opening a namespace and a socket in it, once each, is part of the time.
pub(crate) fn run(chain: Chain) -> io::Result<Took> {
    let start = Instant::now();
    let mut left: Option<(String, Place)> = None;
    let mut addresses = Duration::ZERO;
    for (near, far) in chain.links() {
        let (_, mut here) = match left.take() {
            Some(place) => place,
            None => (near.netns.clone(), Place::open(&near.netns)?),
        };
        let mut there = Place::open(&far.netns)?;
        here.request(RouteNetlinkMessage::NewLink(pair(&near, &far, &there)), NLM_F_CREATE | NLM_F_EXCL)?;
        here.request(RouteNetlinkMessage::SetLink(mark(&near, false)), 0)?;
        there.request(RouteNetlinkMessage::SetLink(mark(&far, true)), 0)?;
        let between = Instant::now();
        here.request(RouteNetlinkMessage::NewAddress(address(&near)), NLM_F_CREATE | NLM_F_EXCL)?;
        there.request(RouteNetlinkMessage::NewAddress(address(&far)), NLM_F_CREATE | NLM_F_EXCL)?;
        addresses += between.elapsed();
        left = Some((far.netns, there));
    }
    Ok(Took { links: start.elapsed() - addresses, addresses })
}

impl Place {
    #[expect(clippy::disallowed_methods, reason = "the floor has no library of ours below it")]
    fn open(name: &str) -> io::Result<Place> {
        let netns = File::open(Path::new(wireloom_netns::DIRECTORY).join(name))?;
        nix::sched::setns(&netns, CloneFlags::CLONE_NEWNET)?;
        Ok(Place { netns, socket: Socket::new(NETLINK_ROUTE)? })
    }

    /// Sends it and waits for the ack.
    fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
        packet.finalize();
        let mut buffer = vec![0; packet.buffer_len()];
        packet.serialize(&mut buffer);
        self.socket.send(&buffer, 0)?;
        let mut answer = Vec::with_capacity(4096);
        self.socket.recv(&mut answer, 0)?;
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_some() => Err(error.to_io()),
            _ => Ok(()),
        }
    }
}

/// Both ends, each in its namespace.
fn pair(near: &End, far: &End, there: &Place) -> LinkMessage {
    let mut peer = end(far);
    peer.attributes.push(LinkAttribute::NetNsFd(there.netns.as_raw_fd()));
    let mut message = end(near);
    message.header.flags |= LinkFlags::Up;
    message.header.change_mask |= LinkFlags::Up;
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
    ]));
    message
}

fn end(end: &End) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = end.index;
    message.attributes = vec![
        LinkAttribute::IfName(end.ifname.to_owned()),
        LinkAttribute::Mtu(MTU),
        LinkAttribute::Address(end.mac.to_vec()),
        LinkAttribute::Group(GROUP),
        LinkAttribute::NumTxQueues(1),
        LinkAttribute::NumRxQueues(1),
    ];
    message
}

/// What the kernel does not take when it makes a link: the alias, and up on the far end.
fn mark(end: &End, up: bool) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = end.index;
    if up {
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
    }
    message.attributes = vec![LinkAttribute::IfAlias(end.alias())];
    message
}

fn address(end: &End) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = PREFIX;
    message.header.index = end.index;
    message.attributes = vec![
        AddressAttribute::Local(end.address.into()),
        AddressAttribute::Address(end.address.into()),
        AddressAttribute::Protocol(AddressProtocol::Other(87)),
    ];
    message
}
