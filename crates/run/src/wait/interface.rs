//! Interfaces: there, with carrier, up with an address. The kernel tells when one changes.

use std::{
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
    time::Duration,
};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    address::{AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope},
    link::{LinkAttribute, LinkFlags, LinkMessage},
};
use wireloom_netlink::{Events, Socket};
use wireloom_netns::Netns;

use super::Awaited;

/// RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR of linux/rtnetlink.h.
const GROUPS: [u32; 3] = [1, 5, 9];
/// The kernel tells of links; that a namespace comes or goes is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// What an interface is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// There.
    There,
    /// Up, with a usable address that is not only link-local.
    Addressed,
    /// Up, with somebody at the other end.
    Carrier,
}

/// An interface that is waited for.
pub struct Interface<'a> {
    /// As people call it.
    pub name: String,
    /// The interface.
    pub ifname: String,
    /// What it is to be.
    pub wanted: Wanted,
    /// Finds the file that stands for its namespace; none is our own. What it says where there is none is told.
    pub place: Box<dyn Fn() -> Result<Option<PathBuf>, String> + 'a>,
    listening: Option<(u64, Events)>,
}

impl<'a> Interface<'a> {
    /// One that nobody has looked at yet.
    pub fn new(
        name: String,
        ifname: String,
        wanted: Wanted,
        place: Box<dyn Fn() -> Result<Option<PathBuf>, String> + 'a>,
    ) -> Interface<'a> {
        Interface { name, ifname, wanted, place, listening: None }
    }

    fn look(&mut self) -> Result<Option<&'static str>, String> {
        let netns = match (self.place)()? {
            Some(path) => Netns::open(&path),
            None => Netns::current(),
        };
        let netns = netns.map_err(|error| error.to_string())?;
        let inode = netns.inode().map_err(|error| error.to_string())?;
        // First listen, then look.
        match &mut self.listening {
            Some((known, events)) if *known == inode => while let Ok(Some(_)) = events.next(Some(Duration::ZERO)) {},
            listening => *listening = Events::open(&netns, &GROUPS).ok().map(|events| (inode, events)),
        }
        let state = Socket::open(&netns).and_then(|mut socket| self.state(&mut socket));
        state.map_err(|error| error.to_string())
    }

    /// What it lacks.
    fn state(&self, socket: &mut Socket) -> wireloom_netlink::Result<Option<&'static str>> {
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::IfName(self.ifname.clone()));
        let Some(Message::NewLink(link)) = socket.get(Message::GetLink(question))? else {
            return Ok(Some("it is not there"));
        };
        let flags = link.header.flags;
        Ok(match self.wanted {
            Wanted::There => None,
            _ if !flags.contains(LinkFlags::Up) => Some("it is down"),
            Wanted::Carrier => (!flags.contains(LinkFlags::LowerUp)).then_some("it has no carrier"),
            Wanted::Addressed => {
                let addresses = socket.dump(Message::GetAddress(AddressMessage::default()))?;
                let has_one = addresses.iter().any(|message| is_usable(message, link.header.index));
                (!has_one).then_some("it has no address")
            }
        })
    }
}

impl Awaited for Interface<'_> {
    fn missing(&mut self) -> Option<String> {
        let what = match self.wanted {
            Wanted::There => "interface",
            Wanted::Addressed => "address of interface",
            Wanted::Carrier => "carrier of interface",
        };
        let reason = match self.look() {
            Ok(None) => return None,
            Ok(Some(reason)) => reason.to_owned(),
            Err(reason) => {
                // A socket would hold a namespace that has lost its name.
                self.listening = None;
                reason
            }
        };
        Some(format!("{what} {} ({reason})", self.name))
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.listening.iter().map(|(_, events)| events.as_fd()).collect()
    }

    fn pause(&self) -> Duration {
        PAUSE
    }
}

/// Whether the message is of an address on that interface that others can reach us by.
fn is_usable(message: &Message, index: u32) -> bool {
    let Message::NewAddress(message) = message else { return false };
    let is_local = |attribute: &AddressAttribute| match attribute {
        AddressAttribute::Address(IpAddr::V6(address)) => address.is_unicast_link_local(),
        _ => false,
    };
    // Duplicate address detection goes on, or has found one.
    let waits = AddressFlags::Tentative | AddressFlags::Dadfailed;
    let waits = message.attributes.iter().any(|attribute| match attribute {
        AddressAttribute::Flags(flags) => flags.intersects(waits),
        _ => false,
    });
    let early = message.header.flags.intersects(AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed);
    message.header.index == index
        && message.header.scope != AddressScope::Link
        && !waits
        && !early
        && !message.attributes.iter().any(is_local)
}
