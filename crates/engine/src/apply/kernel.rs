//! The way to the kernel: a socket in each namespace that is being worked on, and the numbers of links.

use std::collections::{BTreeMap, HashMap, VecDeque};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkMessage},
};
use nix::sys::resource::{Resource, getrlimit};
use wireloom_netlink::Socket;
use wireloom_netns::Netns;

use crate::{Error, Label, LinkRef, Owner, Source, observe, sysctl::Baseline};

/// Descriptors are short: two for each namespace that is open at a time.
const OPEN_AT_MOST: usize = 512;

/// Descriptors that others of this process may need meanwhile.
const SPARE: u64 = 64;

/// As many as the limit of descriptors allows.
fn open_at_most() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    usize::try_from(limit.saturating_sub(SPARE) / 2).map_or(OPEN_AT_MOST, |most| most.clamp(4, OPEN_AT_MOST))
}

/// For making, and failing where something is there.
pub(super) const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// A namespace that is open for the time of an apply.
pub(super) struct Open {
    pub(super) netns: Netns,
    pub(super) socket: Socket,
}

pub(super) struct Kernel<'a> {
    pub(super) owner: &'a Owner,
    pub(super) baseline: &'a Baseline,
    sources: &'a BTreeMap<Label, Source>,
    /// Namespaces that were dropped, and live on because somebody holds them.
    pub(super) held: Vec<Label>,
    most: usize,
    indexes: HashMap<LinkRef, u32>,
    open: HashMap<Label, Open>,
    order: VecDeque<Label>,
}

impl<'a> Kernel<'a> {
    pub(super) fn new(
        owner: &'a Owner,
        sources: &'a BTreeMap<Label, Source>,
        indexes: HashMap<LinkRef, u32>,
        baseline: &'a Baseline,
    ) -> Kernel<'a> {
        Kernel {
            owner,
            baseline,
            sources,
            held: Vec::new(),
            most: open_at_most(),
            indexes,
            open: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Where a namespace is found. Every label of a plan's steps has a source.
    pub(super) fn source(&self, netns: &Label) -> Result<&'a Source, Error> {
        let path = || std::path::PathBuf::from(netns.as_str());
        let unknown = || wireloom_netns::Error::NotFound { path: path() };
        self.sources.get(netns).ok_or_else(|| Error::Netns { netns: netns.clone(), source: unknown() })
    }

    /// The namespace, opened if need be. The oldest one is closed when there are too many.
    pub(super) fn open(&mut self, netns: &Label) -> Result<&mut Open, Error> {
        if !self.open.contains_key(netns) {
            let source = self.source(netns)?;
            let handle = observe::open(netns, source)?;
            let path = || std::path::PathBuf::from(netns.as_str());
            let gone =
                || Error::Netns { netns: netns.clone(), source: wireloom_netns::Error::NotFound { path: path() } };
            self.keep(netns, handle.ok_or_else(gone)?)?;
        }
        Ok(self.open.get_mut(netns).expect("just put there"))
    }

    /// Keeps a namespace open that has just been made.
    pub(super) fn keep(&mut self, netns: &Label, handle: Netns) -> Result<(), Error> {
        let socket = Socket::open(&handle).map_err(Error::netlink(netns))?;
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.order.push_back(netns.clone());
        self.open.insert(netns.clone(), Open { netns: handle, socket });
        Ok(())
    }

    /// Closes it, so that it can go.
    pub(super) fn close(&mut self, netns: &Label) {
        self.open.remove(netns);
        self.order.retain(|label| label != netns);
    }

    /// Sends a request in a namespace and waits for its ack.
    pub(super) fn request(&mut self, netns: &Label, message: Message, flags: u16) -> Result<(), Error> {
        self.open(netns)?.socket.request(message, flags).map_err(Error::netlink(netns))
    }

    /// The number of a link; asks the kernel where it is not known.
    pub(super) fn index(&mut self, at: &LinkRef) -> Result<u32, Error> {
        if let Some(index) = self.indexes.get(at) {
            return Ok(*index);
        }
        let index = self.look_up(at)?.ok_or_else(|| Error::UnknownLink { at: at.clone() })?;
        self.indexes.insert(at.clone(), index);
        Ok(index)
    }

    pub(super) fn known_index(&self, at: &LinkRef) -> Option<u32> {
        self.indexes.get(at).copied()
    }

    pub(super) fn remember(&mut self, at: &LinkRef, index: u32) {
        self.indexes.insert(at.clone(), index);
    }

    pub(super) fn forget(&mut self, at: &LinkRef) {
        self.indexes.remove(at);
    }

    /// Asks the kernel by name.
    pub(super) fn look_up(&mut self, at: &LinkRef) -> Result<Option<u32>, Error> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(at.ifname.to_string()));
        let answer = self.open(&at.netns)?.socket.get(Message::GetLink(message));
        match answer.map_err(Error::netlink(&at.netns))? {
            Some(Message::NewLink(link)) => Ok(Some(link.header.index)),
            _ => Ok(None),
        }
    }
}
