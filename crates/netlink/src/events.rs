//! What the kernel tells about changes in one namespace. An event only says "look again": it carries no promise that
//! none was missed.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::RcvBufForce;
use nix::sys::socket::{NetlinkAddr, bind, setsockopt};
use wireloom_netns::{Netns, set_socket_option};

use crate::frame::frames;
use crate::kernel::{NETLINK_ADD_MEMBERSHIP, NETLINK_ROUTE, SOL_NETLINK};
use crate::socket::decode;
use crate::transport::receive;
use crate::{Error, Result};

/// What errors of this file are about.
const EVENTS: &str = "a subscription";
/// Room for the burst of events that removing a thousand links makes.
const KERNEL_BUFFER: usize = 4 << 20;
/// No event is longer.
const BUFFER: usize = 64 << 10;

/// A subscription to multicast groups in one namespace.
#[derive(Debug)]
pub struct Events {
    fd: OwnedFd,
    buffer: Vec<u8>,
    queue: VecDeque<Event>,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// This.
    Message(Box<RouteNetlinkMessage>),
    /// We do not know what: events came faster than they were read, or one could not be understood. Look at everything
    /// again.
    Lost,
}

impl Events {
    /// Subscribes to these groups (`RTNLGRP_…`).
    pub fn open(netns: &Netns, groups: &[u32]) -> Result<Events> {
        let fd = netns.open_socket(libc::AF_NETLINK, libc::SOCK_RAW, NETLINK_ROUTE)?;
        let failed = |what| move |errno| Error::SetUp { what, errno };
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0)).map_err(failed("an address"))?;
        // Without the right to it the default size has to do.
        setsockopt(&fd, RcvBufForce, &KERNEL_BUFFER).ok();
        for group in groups {
            set_socket_option(&fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group.cast_signed())
                .map_err(failed("a subscription"))?;
        }
        Ok(Events { fd, buffer: vec![0; BUFFER], queue: VecDeque::new() })
    }

    /// The next event; nothing when none comes in that time. Without a time it waits for ever.
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            if !readable(&self.fd, deadline)? {
                return Ok(None);
            }
            match receive(&self.fd, &mut self.buffer) {
                Ok(datagram) => self.queue.extend(frames(datagram).map(|frame| match frame {
                    Ok(frame) => decode(&frame, EVENTS).map_or(Event::Lost, |m| Event::Message(Box::new(m))),
                    Err(_) => Event::Lost,
                })),
                Err(Errno::ENOBUFS | Errno::EMSGSIZE) => return Ok(Some(Event::Lost)),
                Err(errno) => return Err(Error::Receive { request: EVENTS, errno }),
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until there is something to read; false when the time is over.
fn readable(fd: &OwnedFd, deadline: Option<Instant>) -> Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = match left {
            None => PollTimeout::NONE,
            // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
            Some(left) => PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX),
        };
        match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) if left.is_some_and(|left| left > Duration::from_secs(1)) => {}
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::Receive { request: EVENTS, errno }),
        }
    }
}
