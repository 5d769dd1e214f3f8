//! [`Tap`]: a packet socket on one interface. It holds the namespace, so it knows when the namespace has lost its name.
//! Sets nothing on the interface, not even promiscuous mode: who watches changes must not see us.

use std::{
    io::IoSliceMut,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkLayerType, LinkMessage},
};
use nix::{
    errno::Errno,
    sys::socket::{LinkAddr, MsgFlags, recvmsg, setsockopt, sockopt},
};
use wireloom_netlink::Socket;
use wireloom_netns::{Netns, bind_packet_socket, packet_statistics, set_socket_option};

use crate::{
    Error, Result,
    packet::{Meta, PACKET_AUXDATA, Packet},
    pcapng::LinkType,
};

const ETH_P_ALL: u16 = 3;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;
/// Room for a burst that comes while we write.
const KERNEL_BUFFER: usize = 8 << 20;
/// Two MAC addresses stand before a VLAN tag.
const MACS: usize = 12;
/// A VLAN tag.
const TAG: usize = 4;
/// Room for a timestamp and auxiliary data.
const CONTROL: usize = 256;

/// Where an interface is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file that stands for the namespace.
    pub path: PathBuf,
    /// What people call it.
    pub node: String,
    /// The interface.
    pub ifname: String,
    /// Remark for who reads the file.
    pub comment: String,
}

impl Place {
    /// `node:ifname`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.node, self.ifname)
    }
}

/// A packet socket on one interface.
#[derive(Debug)]
pub struct Tap {
    place: Place,
    /// Of the namespace, which the socket holds, so that this stays its number.
    inode: u64,
    index: u32,
    pub(crate) link_type: LinkType,
    socket: OwnedFd,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

/// What there was to read.
pub(crate) enum Read<'a> {
    Packet(Packet<'a>),
    /// Not of a kind that the file can tell.
    Passed,
    /// Nothing more for now.
    Nothing,
    /// The interface went down, and may be gone.
    Down,
}

impl Tap {
    /// Begins to capture, at most `snaplen` bytes of each packet; like `tcpdump -p -i IFNAME -s SNAPLEN`.
    ///
    /// # Errors
    /// There is no such namespace or interface, or no right to it.
    pub fn open(place: Place, snaplen: u32) -> Result<Tap> {
        let in_netns = |source| Error::Netns { at: place.name(), source };
        let netns = Netns::open(&place.path).map_err(in_netns)?;
        let inode = netns.inode().map_err(in_netns)?;
        let (index, layer) = look_up(&netns, &place)?.ok_or_else(|| missing(&netns, &place))?;
        let (link_type, kind) = match layer {
            LinkLayerType::Ether | LinkLayerType::Loopback => (LinkType::Ethernet, libc::SOCK_RAW),
            // Whatever such a link puts before the IP header, the kernel takes it off.
            _ => (LinkType::Ip, libc::SOCK_DGRAM),
        };
        let socket = netns.open_socket(libc::AF_PACKET, kind | libc::SOCK_NONBLOCK, 0).map_err(in_netns)?;
        set_up(&socket, index).map_err(|(what, errno)| Error::SetUp { at: place.name(), what, errno })?;
        let buffer = vec![0; TAG + snaplen as usize];
        Ok(Tap { place, inode, index, link_type, socket, buffer, control: vec![0; CONTROL] })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn snaplen(&self) -> u32 {
        u32::try_from(self.buffer.len() - TAG).unwrap_or(u32::MAX)
    }

    /// Reads one packet.
    pub(crate) fn read(&mut self) -> Result<Read<'_>> {
        let mut room = [IoSliceMut::new(&mut self.buffer[TAG..])];
        // MSG_TRUNC: the answer is how long the packet was, not how much of it we have.
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let (length, meta) =
            match recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut room, Some(&mut self.control), flags) {
                Ok(message) => (message.bytes, Meta::of(&message)),
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Read::Nothing),
                Err(Errno::ENETDOWN | Errno::ENODEV | Errno::ENXIO) => return Ok(Read::Down),
                Err(errno) => return Err(Error::Receive { at: self.place.name(), errno }),
            };
        if self.link_type == LinkType::Ip && !matches!(meta.protocol, ETH_P_IP | ETH_P_IPV6) {
            return Ok(Read::Passed);
        }
        let have = TAG + length.min(self.buffer.len() - TAG);
        let tag = meta.tag.filter(|_| self.link_type == LinkType::Ethernet && have >= TAG + MACS);
        let (begin, length) = match tag {
            // The kernel has taken the tag out: the addresses move forward, and it goes back to where it was.
            Some(tag) => {
                self.buffer.copy_within(TAG..TAG + MACS, 0);
                self.buffer[MACS..MACS + TAG].copy_from_slice(&tag);
                (0, length + TAG)
            }
            None => (TAG, length),
        };
        let end = have.min(begin + self.buffer.len() - TAG);
        let bytes = &self.buffer[begin..end];
        Ok(Read::Packet(Packet { time: meta.time, direction: meta.direction, length, bytes }))
    }

    /// How many packets there were, and how many were lost, since this was last asked.
    pub(crate) fn statistics(&self) -> (u64, u64) {
        let (seen, lost) = packet_statistics(&self.socket).unwrap_or_default();
        (seen.into(), lost.into())
    }

    /// Why nothing will come from it any more.
    pub(crate) fn is_gone(&self) -> Option<&'static str> {
        let netns = Netns::open(&self.place.path).ok().filter(|netns| netns.inode().ok() == Some(self.inode));
        let Some(netns) = netns else { return Some("its namespace is gone") };
        // Another one may have taken its name, so the number counts; and where that cannot be told, it is still there.
        let there = look_up(&netns, &self.place).is_ok_and(|found| found.is_none_or(|(index, _)| index != self.index));
        there.then_some("the interface is gone")
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Everything before the last step is in place when the first packet comes.
fn set_up(socket: &OwnedFd, index: u32) -> std::result::Result<(), (&'static str, Errno)> {
    // Without the right to it the default size has to do.
    setsockopt(socket, sockopt::RcvBufForce, &KERNEL_BUFFER).ok();
    setsockopt(socket, sockopt::ReceiveTimestampns, &true).map_err(|errno| ("timestamps", errno))?;
    let aux = set_socket_option(socket, libc::SOL_PACKET, PACKET_AUXDATA, 1);
    aux.map_err(|errno| ("VLAN tags", errno))?;
    bind_packet_socket(socket, ETH_P_ALL, index).map_err(|errno| ("tie it to the interface", errno))
}

/// The number of the interface and what its packets begin with.
fn look_up(netns: &Netns, place: &Place) -> Result<Option<(u32, LinkLayerType)>> {
    let mut question = LinkMessage::default();
    question.attributes.push(LinkAttribute::IfName(place.ifname.clone()));
    let answer = Socket::open(netns).and_then(|mut socket| socket.get(Message::GetLink(question)));
    match answer.map_err(|source| Error::Netlink { at: place.name(), source })? {
        Some(Message::NewLink(link)) => Ok(Some((link.header.index, link.header.link_layer_type))),
        _ => Ok(None),
    }
}

fn missing(netns: &Netns, place: &Place) -> Error {
    let links = Socket::open(netns).and_then(|mut socket| socket.dump(Message::GetLink(LinkMessage::default())));
    let name = |message: Message| match message {
        Message::NewLink(link) => link.attributes.into_iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        }),
        _ => None,
    };
    let known = links.unwrap_or_default().into_iter().filter_map(name).collect();
    Error::NoInterface { at: place.name(), known }
}
