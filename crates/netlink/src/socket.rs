//! A NETLINK_ROUTE socket in one namespace: a request and its ack, one object, a whole dump. Does not know what the
//! messages mean.

use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_core::{Emitable, ParseableParametrized};
use netlink_packet_route::RouteNetlinkMessage;
use wireloom_netns::Netns;

use crate::frame::Frame;
use crate::kernel::{NETLINK_GET_STRICT_CHK, NETLINK_ROUTE, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, name_of};
use crate::text::legible;
use crate::transport::{Request, TRIES, Transport};
use crate::{Error, Result};

/// A short-lived rtnetlink socket in one namespace. Extended acks and strict checking of dump requests are on.
#[derive(Debug)]
pub struct Socket(Transport);

impl Socket {
    /// Opens a socket in the namespace, whatever namespace the calling thread is in.
    pub fn open(netns: &Netns) -> Result<Socket> {
        let transport = Transport::open(netns, NETLINK_ROUTE)?;
        transport.set("strict checking", NETLINK_GET_STRICT_CHK)?;
        Ok(Socket(transport))
    }

    /// Sends a request and waits for its ack. `NLM_F_REQUEST` and `NLM_F_ACK` are added to the flags.
    pub fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<()> {
        let request = self.send(&message, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.0.acknowledge(request)
    }

    /// Asks for one object; nothing when there is none (`ENODEV`, `ENOENT`).
    pub fn get(&mut self, message: RouteNetlinkMessage) -> Result<Option<RouteNetlinkMessage>> {
        // The ack after the object tells apart an object that is missing from one that is still to come.
        let request = self.send(&message, NLM_F_REQUEST | NLM_F_ACK)?;
        self.0.object(request, |frame| decode(frame, request))
    }

    /// Asks for all objects of a kind. The answer is whole or an error: a dump during which something changed is
    /// repeated.
    pub fn dump(&mut self, message: RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>> {
        let request = name_of(message.message_type());
        for _ in 0..TRIES {
            self.send(&message, NLM_F_REQUEST | NLM_F_DUMP)?;
            if let Some(objects) = self.0.objects(request, |frame| decode(frame, request))? {
                return Ok(objects);
            }
        }
        Err(Error::Interrupted { request, tries: TRIES })
    }

    /// A request of a type that netlink-packet-route lacks, and its ack.
    pub(crate) fn request_raw(&mut self, kind: u16, payload: &[u8], flags: u16) -> Result<()> {
        let name = self.send_raw(kind, payload, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.0.acknowledge(name)
    }

    /// A dump of a type that netlink-packet-route lacks.
    pub(crate) fn dump_raw<T>(&mut self, kind: u16, payload: &[u8], decode: impl Fn(&[u8]) -> T) -> Result<Vec<T>> {
        let request = name_of(kind);
        for _ in 0..TRIES {
            self.send_raw(kind, payload, NLM_F_REQUEST | NLM_F_DUMP)?;
            if let Some(objects) = self.0.objects(request, |frame| Ok(decode(frame.payload)))? {
                return Ok(objects);
            }
        }
        Err(Error::Interrupted { request, tries: TRIES })
    }

    fn send_raw(&mut self, kind: u16, payload: &[u8], flags: u16) -> Result<&'static str> {
        let (name, length) = (name_of(kind), payload.len());
        self.0.send(Request { name, kind, flags, length }, |room| room.copy_from_slice(payload))?;
        Ok(name)
    }

    fn send(&mut self, message: &RouteNetlinkMessage, flags: u16) -> Result<&'static str> {
        let (kind, length) = (message.message_type(), message.buffer_len());
        let name = name_of(kind);
        self.0.send(Request { name, kind, flags, length }, |payload| message.emit(payload))?;
        Ok(name)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
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
