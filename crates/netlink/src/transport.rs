//! A netlink socket of any protocol in one namespace: bytes out, an ack, an object or a whole dump back. Every message is
//! sent and answered before the next. Does not know what any message means, nor which protocol it is.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::SndBufForce;
use nix::sys::socket::{MsgFlags, recv, send, setsockopt};
use wireloom_netns::{Netns, set_socket_option};

use crate::frame::{Frame, HEADER, frames, refusal_of_done, refusal_of_error};
use crate::kernel::{
    NETLINK_CAP_ACK, NETLINK_EXT_ACK, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN, SOL_NETLINK,
};
use crate::{Error, Result};

/// An ack is a number and a line of text, and quotes no request (NETLINK_CAP_ACK).
const ACK_BUFFER: usize = 4 << 10;
/// The kernel fills up to 32 KiB of a dump into one datagram; no attribute is longer than 64 KiB.
const DUMP_BUFFER: usize = 64 << 10;
/// net.core.wmem_default is 212,992, and the kernel counts its own overhead too.
const USUAL_ROOM: usize = 64 << 10;
/// How often a dump that was interrupted by a change is tried again.
pub(crate) const TRIES: u32 = 20;

/// A socket, and what is on its way.
#[derive(Debug)]
pub(crate) struct Transport {
    fd: OwnedFd,
    sequence: u32,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// What goes into a message's header; the length is that of the payload.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) length: usize,
}

/// What is to be done after a message of a dump.
enum Next {
    More,
    End,
}

impl Transport {
    /// Opens a socket of a protocol (`NETLINK_ROUTE`, ...) in the namespace, with extended acks.
    pub(crate) fn open(netns: &Netns, protocol: i32) -> Result<Transport> {
        let fd = netns.open_socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?;
        let transport = Transport { fd, sequence: 0, outgoing: Vec::new(), incoming: vec![0; ACK_BUFFER] };
        transport.set("extended acks", NETLINK_EXT_ACK)?;
        transport.set("short acks", NETLINK_CAP_ACK)?;
        Ok(transport)
    }

    /// Switches on an option of the socket.
    pub(crate) fn set(&self, what: &'static str, option: i32) -> Result<()> {
        set_socket_option(&self.fd, SOL_NETLINK, option, 1).map_err(|errno| Error::SetUp { what, errno })
    }

    /// Sends a message, whose payload `emit` writes into zeroed bytes.
    pub(crate) fn send(&mut self, request: Request, emit: impl FnOnce(&mut [u8])) -> Result<()> {
        let Request { name, kind, flags, length } = request;
        self.sequence = self.sequence.wrapping_add(1);
        // The encoders skip padding, so that the buffer must be zeroed each time.
        self.outgoing.clear();
        self.outgoing.resize(HEADER + length, 0);
        let (header, payload) = self.outgoing.split_at_mut(HEADER);
        header[0..4].copy_from_slice(&((HEADER + length) as u32).to_ne_bytes());
        header[4..6].copy_from_slice(&kind.to_ne_bytes());
        header[6..8].copy_from_slice(&flags.to_ne_bytes());
        header[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
        emit(payload);
        self.flush(name)
    }

    /// Sends several messages in one datagram: each with its type, its flags and its payload. They are numbered in order;
    /// the number of the first is returned.
    pub(crate) fn send_batch<'a>(
        &mut self,
        name: &'static str,
        messages: impl IntoIterator<Item = (u16, u16, &'a [u8])>,
    ) -> Result<u32> {
        let first = self.sequence.wrapping_add(1);
        self.outgoing.clear();
        for (kind, flags, payload) in messages {
            self.sequence = self.sequence.wrapping_add(1);
            self.outgoing.extend(((HEADER + payload.len()) as u32).to_ne_bytes());
            self.outgoing.extend(kind.to_ne_bytes());
            self.outgoing.extend(flags.to_ne_bytes());
            self.outgoing.extend(self.sequence.to_ne_bytes());
            self.outgoing.extend(0u32.to_ne_bytes());
            self.outgoing.extend(payload);
            self.outgoing.resize(self.outgoing.len().next_multiple_of(4), 0);
        }
        if self.outgoing.len() > USUAL_ROOM {
            // Without the right to it the send says EMSGSIZE.
            setsockopt(&self.fd, SndBufForce, &(2 * self.outgoing.len())).ok();
        }
        self.flush(name)?;
        Ok(first)
    }

    /// Waits for what the kernel says of a batch: nothing wrong when its last but one message, which asked for an ack,
    /// has one, and no other was refused. A batch that is refused as a whole is refused in the name of its first message.
    pub(crate) fn acknowledge_batch(&mut self, name: impl Fn(usize) -> &'static str, first: u32) -> Result<()> {
        let last = self.sequence.wrapping_sub(1);
        let count = last.wrapping_sub(first);
        let mut outcome = Ok(());
        loop {
            for frame in frames(self.receive(name(0))?) {
                let frame = frame.map_err(|reason| decode_error(name(0), reason))?;
                let at = frame.sequence.wrapping_sub(first);
                if frame.kind != NLMSG_ERROR || at > count {
                    continue;
                }
                let told = acknowledged(&frame, name(at as usize));
                outcome = outcome.and(told);
                if frame.sequence == last || frame.sequence == first {
                    return outcome;
                }
            }
        }
    }

    fn flush(&self, name: &'static str) -> Result<()> {
        loop {
            match send(self.fd.as_raw_fd(), &self.outgoing, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::Send { request: name, errno }),
            }
        }
    }

    /// Waits for the ack of the message that was sent last.
    pub(crate) fn acknowledge(&mut self, request: &'static str) -> Result<()> {
        loop {
            let sequence = self.sequence;
            for frame in frames(self.receive(request)?) {
                let frame = frame.map_err(|reason| decode_error(request, reason))?;
                if frame.sequence == sequence && frame.kind == NLMSG_ERROR {
                    return acknowledged(&frame, request);
                }
            }
        }
    }

    /// Reads the one object that was asked for with NLM_F_ACK; nothing when there is none (`ENODEV`, `ENOENT`).
    pub(crate) fn object<T>(
        &mut self,
        request: &'static str,
        decode: impl Fn(&Frame<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.grow();
        let mut found = None;
        loop {
            let sequence = self.sequence;
            for frame in frames(self.receive(request)?) {
                let frame = frame.map_err(|reason| decode_error(request, reason))?;
                match frame.kind {
                    _ if frame.sequence != sequence => {}
                    NLMSG_ERROR => return object(acknowledged(&frame, request), found),
                    _ => found = Some(decode(&frame)),
                }
            }
        }
    }

    /// Reads one dump to its end, also after an error, so that the next request meets no leftovers; nothing when it
    /// was interrupted.
    pub(crate) fn objects<T>(
        &mut self,
        request: &'static str,
        decode: impl Fn(&Frame<'_>) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        self.grow();
        let sequence = self.sequence;
        let mut objects = Ok(Vec::new());
        let mut interrupted = false;
        loop {
            for frame in frames(self.receive(request)?) {
                let frame = frame.map_err(|reason| decode_error(request, reason))?;
                if frame.sequence != sequence {
                    continue;
                }
                interrupted |= frame.flags & NLM_F_DUMP_INTR != 0;
                if let Next::End = take(&frame, request, &mut objects, &decode)? {
                    return objects.map(|objects| (!interrupted).then_some(objects));
                }
            }
        }
    }

    /// Dumps need more room than acks; most sockets never dump.
    fn grow(&mut self) {
        if self.incoming.len() < DUMP_BUFFER {
            self.incoming = vec![0; DUMP_BUFFER];
        }
    }

    fn receive(&mut self, request: &'static str) -> Result<&[u8]> {
        receive(&self.fd, &mut self.incoming).map_err(|errno| Error::Receive { request, errno })
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Reads one datagram; `EMSGSIZE` when it is longer than the buffer.
pub(crate) fn receive<'a>(fd: &OwnedFd, buffer: &'a mut [u8]) -> nix::Result<&'a [u8]> {
    let length = loop {
        match recv(fd.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    buffer.get(..length).ok_or(Errno::EMSGSIZE)
}

fn decode_error(request: &'static str, reason: &str) -> Error {
    Error::Decode { request, reason: reason.to_owned() }
}

fn acknowledged(frame: &Frame<'_>, request: &'static str) -> Result<()> {
    match refusal_of_error(frame).map_err(|reason| decode_error(request, reason))? {
        None => Ok(()),
        Some(refusal) => Err(refusal.of(request)),
    }
}

fn object<T>(ack: Result<()>, found: Option<Result<T>>) -> Result<Option<T>> {
    match ack {
        Ok(()) => found.transpose(),
        Err(Error::Refused { errno: Errno::ENODEV | Errno::ENOENT, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds one message of a dump to what was read before.
fn take<T>(
    frame: &Frame<'_>,
    request: &'static str,
    objects: &mut Result<Vec<T>>,
    decode: &impl Fn(&Frame<'_>) -> Result<T>,
) -> Result<Next> {
    match frame.kind {
        NLMSG_DONE => match refusal_of_done(frame) {
            None => Ok(Next::End),
            Some(refusal) => Err(refusal.of(request)),
        },
        // A refused dump has no done message.
        NLMSG_ERROR => acknowledged(frame, request).map(|()| Next::More),
        NLMSG_OVERRUN => Err(Error::Receive { request, errno: Errno::ENOBUFS }),
        _ => {
            if let Ok(list) = objects {
                match decode(frame) {
                    Ok(message) => list.push(message),
                    Err(error) => *objects = Err(error),
                }
            }
            Ok(Next::More)
        }
    }
}
