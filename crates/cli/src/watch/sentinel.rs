//! What wakes a watch: the kernel's events in the namespaces of a topology, names of namespaces that come or go, files,
//! and signals. Sleeps without a timer while there is nothing. An event only says "look again".

use std::{
    collections::BTreeMap,
    io::Read as _,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use wireloom_engine::{Label, Source};
use wireloom_netlink::Events;
use wireloom_netns::Doorbell;

use super::files::Files;
use crate::{failure::Failure, place};

/// RTNLGRP_* of linux/rtnetlink.h: LINK, TC, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE,
/// IPV4_NETCONF, IPV6_NETCONF, NEXTHOP.
const GROUPS: [u32; 11] = [1, 4, 5, 7, 8, 9, 11, 19, 24, 25, 32];
/// After the first event, those that belong to it come within this time: a link tells of its addresses and routes.
const QUIET: Duration = Duration::from_millis(1);
/// But nobody who never stops makes us wait longer.
const PATIENCE: Duration = Duration::from_millis(20);

/// Why it woke.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// Something changed in a namespace.
    pub(crate) kernel: bool,
    /// A namespace may have come or gone.
    pub(crate) names: bool,
    /// A document may have changed.
    pub(crate) files: bool,
    /// When the first of it was there.
    pub(crate) at: Option<Instant>,
}

/// Sleeps until there is something to look at.
pub(crate) struct Sentinel {
    posts: BTreeMap<Label, Post>,
    bell: Doorbell,
    files: Files,
    wake: UnixStream,
}

/// A subscription in a namespace. It holds the namespace, so it goes when the name does.
struct Post {
    inode: u64,
    events: Events,
}

impl Sentinel {
    /// Of these files, and of signals.
    pub(crate) fn new(files: Files, wake: UnixStream) -> Result<Sentinel, Failure> {
        wake.set_nonblocking(true).map_err(Failure::Signals)?;
        Ok(Sentinel { posts: BTreeMap::new(), bell: Doorbell::new()?, files, wake })
    }

    /// Listens in these namespaces, as far as they are there now, and in no other.
    pub(crate) fn follow(&mut self, sources: &BTreeMap<Label, Source>) -> Result<(), Failure> {
        self.posts.retain(|label, _| sources.contains_key(label));
        for (label, source) in sources {
            self.bell.add(&place::path(source))?;
            let Ok(netns) = source.open() else {
                self.posts.remove(label);
                continue;
            };
            // Held by our socket, so that its number is no other's.
            let inode = netns.inode()?;
            if self.posts.get(label).is_none_or(|post| post.inode != inode) {
                let events = Events::open(&netns, &GROUPS);
                let events = events.map_err(|cause| Failure::Listen { place: label.to_string(), cause })?;
                self.posts.insert(label.clone(), Post { inode, events });
            }
        }
        Ok(())
    }

    /// Sleeps until something happens, or for that long, and then until it is quiet for a moment.
    pub(crate) fn sleep(&mut self, timeout: Option<Duration>) -> Result<Woken, Failure> {
        let mut woken = Woken::default();
        self.poll(timeout)?;
        let first = Instant::now();
        self.collect(&mut woken)?;
        while woken.kernel && first.elapsed() < PATIENCE && self.poll(Some(QUIET))? {
            self.collect(&mut woken)?;
        }
        woken.at = (woken.kernel || woken.names || woken.files).then_some(first);
        Ok(woken)
    }

    /// Forgets names that came and went: those that we have made and taken back ourselves.
    pub(crate) fn forget_names(&mut self) {
        self.bell.has_rung();
    }

    /// True when there is something.
    fn poll(&self, timeout: Option<Duration>) -> Result<bool, Failure> {
        let posts = self.posts.values().map(|post| post.events.as_fd());
        let all = posts.chain(self.bell.descriptors()).chain([self.files.as_fd(), self.wake.as_fd()]);
        wait(all, timeout)
    }

    fn collect(&mut self, woken: &mut Woken) -> Result<(), Failure> {
        for (label, post) in &mut self.posts {
            let failed = |cause| Failure::Listen { place: label.to_string(), cause };
            while post.events.next(Some(Duration::ZERO)).map_err(failed)?.is_some() {
                woken.kernel = true;
            }
        }
        woken.names |= self.bell.has_rung();
        woken.files |= self.files.have_changed();
        // Signals have set their flags.
        while self.wake.read(&mut [0; 64]).is_ok_and(|bytes| bytes > 0) {}
        Ok(())
    }
}

/// Waits until one of them is readable; false when the time is over. Without a time it waits for ever.
pub(crate) fn wait<'a>(all: impl Iterator<Item = BorrowedFd<'a>>, timeout: Option<Duration>) -> Result<bool, Failure> {
    let mut all: Vec<_> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
    let timeout = timeout.map_or(PollTimeout::NONE, |time| {
        PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut all, timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(true),
        Err(errno) => Err(Failure::Signals(errno.into())),
    }
}
