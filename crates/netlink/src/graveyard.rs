//! Waits until the kernel has cleaned up after namespaces that were dropped. Does not drop them, and does not know what
//! was in them.
//!
//! Taking a namespace's name away returns at once, and its links live on until a worker of the kernel comes to them. Two
//! facts make the wait cheap and exact:
//! - The worker takes the namespaces in the order in which they were dropped, and one that is dropped last, the canary,
//!   is in the same batch or a later one. When its link has gone, so have those of all before it.
//! - A namespace id is a weak reference. The kernel takes it away when the clean-up begins, so that a namespace which
//!   still has one after the canary is held by somebody.

use std::os::fd::{AsFd, AsRawFd};
use std::thread;
use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use nix::errno::Errno;
use wireloom_netns::Netns;

use crate::kernel::RTNLGRP_LINK;
use crate::{Error, Events, Result, Socket};

/// The end of the canary's link that lies in the warden.
const CANARY: &str = "canary";
/// How many namespaces have their ids in one warden: the kernel looks through all of a namespace's ids to give one more.
/// 4000 in one take 290 ms to watch.
const WARD: usize = 512;
/// How long somebody may hold a namespace in passing: whoever looks through /proc or waits for a thread to end.
const PASSING: Duration = Duration::from_millis(300);

/// Namespaces that are about to be dropped.
///
/// Watch each of them, take their names away, close what is open in them, then wait.
#[derive(Debug)]
pub struct Graveyard {
    /// The first has the canary's link.
    wardens: Vec<Warden>,
}

/// A namespace of our own, in which those that are watched have ids.
#[derive(Debug)]
struct Warden {
    netns: Netns,
    socket: Socket,
    /// The label of a watched namespace stands at the place that is its id.
    labels: Vec<String>,
}

impl Graveyard {
    /// Nothing is watched yet.
    pub fn new() -> Result<Graveyard> {
        Ok(Graveyard { wardens: vec![Warden::new()?] })
    }

    /// Watches a namespace without keeping it alive. The label is what [`Graveyard::wait`] calls it.
    pub fn watch(&mut self, netns: &Netns, label: &str) -> Result<()> {
        match self.wardens.last_mut() {
            Some(warden) if warden.labels.len() < WARD => warden.watch(netns, label),
            _ => {
                let mut warden = Warden::new()?;
                warden.watch(netns, label)?;
                self.wardens.push(warden);
                Ok(())
            }
        }
    }

    /// Waits until the links of all watched namespaces are gone, and returns the labels of those that somebody still
    /// holds, sorted. It does not wait for these: there, it deletes the links of `group`, by way of the namespace's id.
    /// An error when the kernel does not get that far in time.
    pub fn wait(mut self, timeout: Duration, group: u32) -> Result<Vec<String>> {
        if self.watched() == 0 {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        loop {
            self.send_canary(started, timeout)?;
            let held: Vec<Vec<i32>> = self.wardens.iter_mut().map(Warden::held).collect::<Result<_>>()?;
            let none = held.iter().all(Vec::is_empty);
            if none || started.elapsed() > PASSING.min(timeout) {
                return self.leave(&held, group);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Drops one more namespace and waits until it is gone: all that were dropped before it are gone then, too.
    fn send_canary(&mut self, started: Instant, timeout: Duration) -> Result<()> {
        let watched = self.watched();
        let warden = &mut self.wardens[0];
        let mut events = Events::open(&warden.netns, &[RTNLGRP_LINK])?;
        let canary = Netns::create_unnamed()?;
        warden.socket.request(RouteNetlinkMessage::NewLink(link_to(&canary)), NLM_F_CREATE | NLM_F_EXCL)?;
        drop(canary);
        while warden.socket.get(RouteNetlinkMessage::GetLink(canary_link()))?.is_some() {
            let left = timeout.saturating_sub(started.elapsed());
            if events.next(Some(left))?.is_none() {
                return Err(Error::CleanUp { namespaces: watched, seconds: timeout.as_secs() });
            }
        }
        Ok(())
    }

    /// Deletes our links in the namespaces that are held, and returns their labels.
    fn leave(&mut self, held: &[Vec<i32>], group: u32) -> Result<Vec<String>> {
        let mut labels = Vec::new();
        for (warden, ids) in self.wardens.iter_mut().zip(held) {
            for id in ids {
                warden.delete_group(*id, group)?;
                labels.extend(warden.label(*id).cloned());
            }
        }
        labels.sort_unstable();
        Ok(labels)
    }

    fn watched(&self) -> usize {
        self.wardens.iter().map(|warden| warden.labels.len()).sum()
    }
}

impl Warden {
    fn new() -> Result<Warden> {
        let netns = Netns::create_unnamed()?;
        let socket = Socket::open(&netns)?;
        Ok(Warden { netns, socket, labels: Vec::new() })
    }

    fn watch(&mut self, netns: &Netns, label: &str) -> Result<()> {
        // Ids are given by us: asking for the one that the kernel chose would be a request more.
        let id = i32::try_from(self.labels.len()).expect("a warden has a few hundred");
        let mut message = NsidMessage::default();
        message.attributes = vec![NsidAttribute::Fd(netns.as_fd().as_raw_fd().cast_unsigned()), NsidAttribute::Id(id)];
        self.socket.request(RouteNetlinkMessage::NewNsId(message), 0)?;
        self.labels.push(label.to_owned());
        Ok(())
    }

    fn label(&self, id: i32) -> Option<&String> {
        self.labels.get(usize::try_from(id).ok()?)
    }

    /// The ids that are still there. The canary's, for which the kernel takes any free one, is gone with its link.
    fn held(&mut self) -> Result<Vec<i32>> {
        let mut held = Vec::new();
        for message in self.socket.dump(RouteNetlinkMessage::GetNsId(NsidMessage::default()))? {
            let RouteNetlinkMessage::NewNsId(message) = message else { continue };
            held.extend(message.attributes.iter().find_map(|attribute| match attribute {
                NsidAttribute::Id(id) if self.label(*id).is_some() => Some(*id),
                _ => None,
            }));
        }
        Ok(held)
    }

    /// Like `ip -n NETNS link del group GROUP`, in a namespace that has no name any more.
    fn delete_group(&mut self, id: i32, group: u32) -> Result<()> {
        let mut message = LinkMessage::default();
        message.attributes = vec![LinkAttribute::IfNetnsId(id), LinkAttribute::Group(group)];
        match self.socket.request(RouteNetlinkMessage::DelLink(message), 0) {
            // No link of that group, or the namespace has gone at last.
            Err(error) if matches!(error.errno(), Some(Errno::ENODEV | Errno::EINVAL)) => Ok(()),
            outcome => outcome,
        }
    }
}

fn canary_link() -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes = vec![LinkAttribute::IfName(CANARY.to_owned())];
    link
}

/// Like `ip link add canary type veth peer name canary netns NETNS`, with one queue each.
fn link_to(netns: &Netns) -> LinkMessage {
    let one_queue = [LinkAttribute::NumTxQueues(1), LinkAttribute::NumRxQueues(1)];
    let mut peer = canary_link();
    peer.attributes.push(LinkAttribute::NetNsFd(netns.as_fd().as_raw_fd()));
    peer.attributes.extend(one_queue.clone());
    let mut link = canary_link();
    link.attributes.extend(one_queue);
    link.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
    ]));
    link
}
