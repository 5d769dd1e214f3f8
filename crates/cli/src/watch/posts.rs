//! Subscriptions to what the kernel tells, in the namespaces of a topology. They hold the namespaces, so each goes when
//! its namespace has lost its name. Does not know what an event means.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use wireloom_engine::{Label, Source};
use wireloom_netlink::Events;

use crate::failure::Failure;

/// RTNLGRP_* of linux/rtnetlink.h: LINK, TC, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE,
/// IPV4_NETCONF, IPV6_NETCONF, NEXTHOP.
const GROUPS: [u32; 11] = [1, 4, 5, 7, 8, 9, 11, 19, 24, 25, 32];

/// Where we listen.
#[derive(Default)]
pub(crate) struct Posts(BTreeMap<Label, Post>);

struct Post {
    inode: u64,
    events: Events,
}

impl Posts {
    /// Listens in these namespaces, as far as they are there now, and in no other.
    pub(crate) fn follow<'a>(
        &mut self,
        sources: impl Iterator<Item = (&'a Label, &'a Source)> + Clone,
    ) -> Result<(), Failure> {
        let labels: Vec<_> = sources.clone().map(|(label, _)| label).collect();
        self.0.retain(|label, _| labels.binary_search(&label).is_ok());
        for (label, source) in sources {
            let Ok(netns) = source.open() else {
                self.0.remove(label);
                continue;
            };
            // Held by our socket, so that its number is no other's.
            let inode = netns.inode()?;
            if self.0.get(label).is_none_or(|post| post.inode != inode) {
                let events = Events::open(&netns, &GROUPS);
                let events = events.map_err(|cause| Failure::Listen { place: label.to_string(), cause })?;
                self.0.insert(label.clone(), Post { inode, events });
            }
        }
        Ok(())
    }

    /// What to poll.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.values().map(|post| post.events.as_fd())
    }

    /// Whether anything was told since this was last asked.
    pub(crate) fn were_told(&mut self) -> Result<bool, Failure> {
        let mut told = false;
        for (label, post) in &mut self.0 {
            let failed = |cause| Failure::Listen { place: label.to_string(), cause };
            while post.events.next(Some(Duration::ZERO)).map_err(failed)?.is_some() {
                told = true;
            }
        }
        Ok(told)
    }
}
