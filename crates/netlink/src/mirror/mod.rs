//! [`Mirror`]: links, addresses and routes of one namespace, kept up to date by the kernel's events, and told as changes.
//! Its size is that of what there is, not of what happens. Like every subscription it holds its namespace.

mod link;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage as Message, address::AddressMessage, link::LinkMessage, route::RouteMessage,
};
use wireloom_netns::Netns;

pub use self::link::{Counters, LinkState, Way};
use crate::{Event, Events, Result, Socket};

/// RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR of linux/rtnetlink.h.
const GROUPS: [u32; 3] = [1, 5, 9];
/// RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE.
const ROUTES: [u32; 2] = [7, 11];
/// Bridges tell of their ports with this family (AF_BRIDGE): that a link is a port no longer is not that it is gone.
const BRIDGE: AddressFamily = AddressFamily::Bridge;

/// What there is in one namespace.
#[derive(Debug)]
pub struct Mirror {
    events: Events,
    with_routes: bool,
    links: BTreeMap<u32, LinkState>,
    addresses: BTreeSet<(u32, String)>,
    routes: BTreeSet<(u32, String)>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Events came faster than they were read. What has changed meanwhile follows, as far as it still differs.
    Resync,
    /// A link is there.
    NewLink(LinkState),
    /// A link is another than before.
    ChangedLink {
        /// How it is now.
        now: LinkState,
        /// How it was.
        before: LinkState,
    },
    /// A link is gone.
    GoneLink(LinkState),
    /// An address or a route is there, or gone.
    Entry {
        /// Which of the two.
        kind: Entry,
        /// The link that it is on, where there is one.
        ifname: Option<String>,
        /// As `ip` writes it.
        text: String,
        /// Whether it came; else it went.
        is_new: bool,
    },
}

/// What has no state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Like `10.0.0.1/24`.
    Address,
    /// Like `10.1.0.0/16 via 10.0.0.2`.
    Route,
}

impl Mirror {
    /// Subscribes, then looks: nothing between the two is missed. What there is is told as new.
    ///
    /// # Errors
    /// The namespace cannot be listened in, or not be read whole.
    pub fn open(netns: &Netns, with_routes: bool) -> Result<(Mirror, Vec<Change>)> {
        let groups: Vec<u32> = GROUPS.into_iter().chain(ROUTES.into_iter().filter(|_| with_routes)).collect();
        let events = Events::open(netns, &groups)?;
        let (links, addresses, routes) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut mirror = Mirror { events, with_routes, links, addresses, routes };
        let changes = mirror.look(netns)?;
        Ok((mirror, changes))
    }

    /// What has changed since this was last asked. `netns` is the same namespace, for the case that events were lost.
    ///
    /// # Errors
    /// Events cannot be read; or they were lost, and the namespace cannot be read whole.
    pub fn changes(&mut self, netns: &Netns) -> Result<Vec<Change>> {
        let (mut changes, mut lost): (Vec<Change>, _) = (Vec::new(), false);
        while let Some(event) = self.events.next(Some(Duration::ZERO))? {
            match event {
                Event::Message(message) => changes.extend(self.take(&message)),
                Event::Lost => lost = true,
            }
        }
        if lost {
            changes.push(Change::Resync);
        }
        // Of the IPv4 routes that go with a link the kernel tells nothing (fib_sync_down_dev of net/ipv4/fib_semantics.c).
        let silent = self.with_routes && changes.iter().any(takes_routes_along);
        if lost || silent {
            changes.extend(self.look(netns)?);
        }
        Ok(changes)
    }

    /// Packets and bytes of every link.
    ///
    /// # Errors
    /// The namespace cannot be read whole.
    pub fn counters(netns: &Netns) -> Result<Vec<(String, Counters)>> {
        let links = Socket::open(netns)?.dump(Message::GetLink(LinkMessage::default()))?;
        let counters = |message: &Message| match message {
            Message::NewLink(link) => Some((LinkState::of(link)?.name, Counters::of(link)?)),
            _ => None,
        };
        Ok(links.iter().filter_map(counters).collect())
    }

    /// Reads everything, and tells what differs from what was known.
    fn look(&mut self, netns: &Netns) -> Result<Vec<Change>> {
        let mut socket = Socket::open(netns)?;
        let mut messages = socket.dump(Message::GetLink(LinkMessage::default()))?;
        messages.extend(socket.dump(Message::GetAddress(AddressMessage::default()))?);
        for family in [AddressFamily::Inet, AddressFamily::Inet6].into_iter().filter(|_| self.with_routes) {
            let mut question = RouteMessage::default();
            question.header.address_family = family;
            messages.extend(socket.dump(Message::GetRoute(question))?);
        }
        let old = (self.links.clone(), self.addresses.clone(), self.routes.clone());
        let (mut links, mut addresses, mut routes) = old;
        let mut changes = Vec::new();
        for message in &messages {
            match message {
                Message::NewLink(link) => drop(links.remove(&link.header.index)),
                Message::NewAddress(address) => drop(addresses.remove(&text::address(address))),
                Message::NewRoute(route) => drop(text::route(route).map(|key| routes.remove(&key))),
                _ => {}
            }
            changes.extend(self.take(message));
        }
        // What is left of the old is not there any more.
        let gone = addresses.into_iter().map(|key| self.entry(Entry::Address, key, false)).collect::<Vec<_>>();
        let gone = gone.into_iter().chain(routes.into_iter().map(|key| self.entry(Entry::Route, key, false)));
        changes.extend(gone.collect::<Vec<_>>().into_iter().flatten());
        changes.extend(links.into_keys().filter_map(|index| self.links.remove(&index)).map(Change::GoneLink));
        Ok(changes)
    }

    /// Takes over what the kernel says; nothing where that was known.
    fn take(&mut self, message: &Message) -> Option<Change> {
        match message {
            Message::NewLink(link) if link.header.interface_family != BRIDGE => {
                let now = LinkState::of(link)?;
                match self.links.insert(link.header.index, now.clone()) {
                    None => Some(Change::NewLink(now)),
                    Some(before) if before != now => Some(Change::ChangedLink { now, before }),
                    Some(_) => None,
                }
            }
            Message::DelLink(link) if link.header.interface_family != BRIDGE => {
                self.links.remove(&link.header.index).map(Change::GoneLink)
            }
            Message::NewAddress(address) => self.entry(Entry::Address, text::address(address), true),
            Message::DelAddress(address) => self.entry(Entry::Address, text::address(address), false),
            Message::NewRoute(route) => self.entry(Entry::Route, text::route(route)?, true),
            Message::DelRoute(route) => self.entry(Entry::Route, text::route(route)?, false),
            _ => None,
        }
    }

    fn entry(&mut self, kind: Entry, key: (u32, String), is_new: bool) -> Option<Change> {
        let all = match kind {
            Entry::Address => &mut self.addresses,
            Entry::Route => &mut self.routes,
        };
        let changed = if is_new { all.insert(key.clone()) } else { all.remove(&key) };
        let (index, text) = key;
        // A link that is gone tells of its addresses before it goes; of others the number is all that is left.
        let ifname = self.links.get(&index).map(|link| link.name.clone());
        changed.then_some(Change::Entry { kind, ifname, text, is_new })
    }
}

fn takes_routes_along(change: &Change) -> bool {
    match change {
        Change::ChangedLink { now, before } => before.up && !now.up,
        Change::GoneLink(_) => true,
        Change::Entry { kind, is_new, .. } => *kind == Entry::Address && !is_new,
        _ => false,
    }
}

impl AsFd for Mirror {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}
