//! A NETLINK_ROUTE socket in one namespace: a request and its ack, one object, a whole dump. Does not know what the
//! messages mean. Every message is sent and answered before the next.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use netlink_packet_core::{Emitable, ParseableParametrized};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use wireloom_netns::{Netns, set_socket_option};

use crate::frame::{Frame, HEADER, frames, refusal_of_done, refusal_of_error};
use crate::kernel::{
    NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, NETLINK_ROUTE, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR,
    NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN, SOL_NETLINK, name_of,
};
use crate::text::legible;
use crate::{Error, Result};

/// An ack is a number and a line of text, and quotes no request (NETLINK_CAP_ACK).
const ACK_BUFFER: usize = 4 << 10;
/// The kernel fills up to 32 KiB of a dump into one datagram; no attribute is longer than 64 KiB.
const DUMP_BUFFER: usize = 64 << 10;
/// How often a dump that was interrupted by a change is tried again.
const TRIES: u32 = 20;

/// A short-lived rtnetlink socket in one namespace. Extended acks and strict checking of dump requests are on.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    sequence: u32,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// What is to be done after a message of a dump.
enum Next {
    More,
    End,
}

impl Socket {
    /// Opens a socket in the namespace, whatever namespace the calling thread is in.
    pub fn open(netns: &Netns) -> Result<Socket> {
        let fd = netns.open_socket(libc::AF_NETLINK, libc::SOCK_RAW, NETLINK_ROUTE)?;
        for (what, option) in [
            ("extended acks", NETLINK_EXT_ACK),
            ("short acks", NETLINK_CAP_ACK),
            ("strict checking", NETLINK_GET_STRICT_CHK),
        ] {
            set_socket_option(&fd, SOL_NETLINK, option, 1).map_err(|errno| Error::SetUp { what, errno })?;
        }
        Ok(Socket { fd, sequence: 0, outgoing: Vec::new(), incoming: vec![0; ACK_BUFFER] })
    }

    /// Sends a request and waits for its ack. `NLM_F_REQUEST` and `NLM_F_ACK` are added to the flags.
    pub fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<()> {
        let request = name_of(message.message_type());
        self.send(&message, request, NLM_F_REQUEST | NLM_F_ACK | flags)?;
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

    /// Asks for one object; nothing when there is none (`ENODEV`, `ENOENT`).
    pub fn get(&mut self, message: RouteNetlinkMessage) -> Result<Option<RouteNetlinkMessage>> {
        let request = name_of(message.message_type());
        self.grow();
        // The ack after the object tells apart an object that is missing from one that is still to come.
        self.send(&message, request, NLM_F_REQUEST | NLM_F_ACK)?;
        let mut found = None;
        loop {
            let sequence = self.sequence;
            for frame in frames(self.receive(request)?) {
                let frame = frame.map_err(|reason| decode_error(request, reason))?;
                match frame.kind {
                    _ if frame.sequence != sequence => {}
                    NLMSG_ERROR => return object(acknowledged(&frame, request), found),
                    _ => found = Some(decode(&frame, request)),
                }
            }
        }
    }

    /// Asks for all objects of a kind. The answer is whole or an error: a dump during which something changed is
    /// repeated.
    pub fn dump(&mut self, message: RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>> {
        let request = name_of(message.message_type());
        self.grow();
        for _ in 0..TRIES {
            self.send(&message, request, NLM_F_REQUEST | NLM_F_DUMP)?;
            if let Some(objects) = self.read_dump(request)? {
                return Ok(objects);
            }
        }
        Err(Error::Interrupted { request, tries: TRIES })
    }

    /// Reads one dump to its end, also after an error, so that the next request meets no leftovers; nothing when it
    /// was interrupted.
    fn read_dump(&mut self, request: &'static str) -> Result<Option<Vec<RouteNetlinkMessage>>> {
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
                if let Next::End = take(&frame, request, &mut objects)? {
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

    fn send(&mut self, message: &RouteNetlinkMessage, request: &'static str, flags: u16) -> Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        write_message(&mut self.outgoing, message, flags, self.sequence);
        loop {
            match send(self.fd.as_raw_fd(), &self.outgoing, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::Send { request, errno }),
            }
        }
    }

    fn receive(&mut self, request: &'static str) -> Result<&[u8]> {
        receive(&self.fd, &mut self.incoming).map_err(|errno| Error::Receive { request, errno })
    }
}

impl AsFd for Socket {
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

/// Parses the message in a frame.
pub(crate) fn decode(frame: &Frame<'_>, request: &'static str) -> Result<RouteNetlinkMessage> {
    let parse = |payload: &[u8]| RouteNetlinkMessage::parse_with_param(payload, frame.kind);
    let parsed = parse(frame.payload).or_else(|reason| match legible(frame.kind, frame.payload) {
        Some(payload) => parse(&payload),
        None => Err(reason),
    });
    parsed.map_err(|reason| Error::Decode { request, reason: reason.to_string() })
}

fn decode_error(request: &'static str, reason: &str) -> Error {
    Error::Decode { request, reason: reason.to_owned() }
}

fn write_message(buffer: &mut Vec<u8>, message: &RouteNetlinkMessage, flags: u16, sequence: u32) {
    let length = HEADER + message.buffer_len();
    // The encoders skip padding, so that the buffer must be zeroed each time.
    buffer.clear();
    buffer.resize(length, 0);
    let (header, payload) = buffer.split_at_mut(HEADER);
    header[0..4].copy_from_slice(&(length as u32).to_ne_bytes());
    header[4..6].copy_from_slice(&message.message_type().to_ne_bytes());
    header[6..8].copy_from_slice(&flags.to_ne_bytes());
    header[8..12].copy_from_slice(&sequence.to_ne_bytes());
    message.emit(payload);
}

fn acknowledged(frame: &Frame<'_>, request: &'static str) -> Result<()> {
    match refusal_of_error(frame).map_err(|reason| decode_error(request, reason))? {
        None => Ok(()),
        Some(refusal) => Err(refusal.of(request)),
    }
}

fn object(ack: Result<()>, found: Option<Result<RouteNetlinkMessage>>) -> Result<Option<RouteNetlinkMessage>> {
    match ack {
        Ok(()) => found.transpose(),
        Err(Error::Refused { errno: Errno::ENODEV | Errno::ENOENT, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds one message of a dump to what was read before.
fn take(frame: &Frame<'_>, request: &'static str, objects: &mut Result<Vec<RouteNetlinkMessage>>) -> Result<Next> {
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
                match decode(frame, request) {
                    Ok(message) => list.push(message),
                    Err(error) => *objects = Err(error),
                }
            }
            Ok(Next::More)
        }
    }
}
