//! Flows that the kernel remembers with the addresses it translates them to. A flow that is known meets no rule of nat any
//! more: one whose rule has gone must be forgotten.

use std::net::IpAddr;

use wireloom_netlink::{Error, Netfilter, NetfilterRequest, Result};
use wireloom_netns::Netns;

use crate::wire::{Reader, Writer};

/// NFNL_SUBSYS_CTNETLINK, in the high byte of a message's type.
const CTNETLINK: u16 = 1 << 8;
const IPCTNL_MSG_CT_GET: u16 = CTNETLINK | 1;
const IPCTNL_MSG_CT_DELETE: u16 = CTNETLINK | 2;
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const ENOENT: i32 = 2;

/// A short-lived socket for the flows of one namespace.
#[derive(Debug)]
pub struct Conntrack(Netfilter);

/// A flow, as its first packet had it, and as answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// As its first packet had it.
    pub original: Tuple,
    /// As answers come: from where it was redirected to, to where it seems to come from.
    pub reply: Tuple,
}

/// The ends of a flow. Protocols without ports have 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuple {
    /// The protocol: 6 is TCP, 17 UDP.
    pub protocol: u8,
    /// From.
    pub source: (IpAddr, u16),
    /// To.
    pub destination: (IpAddr, u16),
}

impl Conntrack {
    /// Opens it, whatever namespace the calling thread is in.
    ///
    /// # Errors
    /// The socket could not be made.
    pub fn open(netns: &Netns) -> Result<Conntrack> {
        Netfilter::open(netns).map(Conntrack)
    }

    /// Forgets the flows that `is_stale` picks, and says how many; like `conntrack -D`.
    ///
    /// # Errors
    /// The kernel's answer. One that has ended by itself meanwhile is none.
    pub fn forget(&mut self, is_stale: impl Fn(&Flow) -> bool) -> Result<usize> {
        let mut forgotten = 0;
        for family in [AF_INET, AF_INET6] {
            let (name, kind) = ("IPCTNL_MSG_CT_GET", IPCTNL_MSG_CT_GET);
            let all = NetfilterRequest { name, kind, flags: 0, family, attributes: Vec::new() };
            for answer in self.0.dump(&all)? {
                let entry = Reader(&answer.attributes);
                if Flow::read(entry).is_some_and(|flow| is_stale(&flow)) && self.delete(family, entry)? {
                    forgotten += 1;
                }
            }
        }
        Ok(forgotten)
    }

    /// Exactly this one: its number tells it from one between the same ends that has begun since.
    fn delete(&mut self, family: u8, entry: Reader<'_>) -> Result<bool> {
        let copy = |writer: Writer, kind| writer.optional(entry.bytes(kind), |w, value| w.bytes(kind, value));
        let nested =
            Writer::new().optional(entry.bytes(CTA_TUPLE_ORIG), |w, value| w.nest(CTA_TUPLE_ORIG, Writer::raw(value)));
        let attributes = [CTA_ID, CTA_ZONE].into_iter().fold(nested, copy).finish();
        let (name, kind) = ("IPCTNL_MSG_CT_DELETE", IPCTNL_MSG_CT_DELETE);
        match self.0.request(&NetfilterRequest { name, kind, flags: 0, family, attributes }) {
            Ok(()) => Ok(true),
            Err(Error::Refused { errno, .. }) if errno as i32 == ENOENT => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Flow {
    fn read(entry: Reader<'_>) -> Option<Flow> {
        let tuple = |kind| entry.nest(kind).and_then(Tuple::read);
        Some(Flow { original: tuple(CTA_TUPLE_ORIG)?, reply: tuple(CTA_TUPLE_REPLY)? })
    }
}

impl Tuple {
    fn read(tuple: Reader<'_>) -> Option<Tuple> {
        let (ip, proto) = (tuple.nest(1)?, tuple.nest(2)?);
        let address = |v4: u16, v6: u16| {
            let v4 = ip.bytes(v4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(IpAddr::from);
            v4.or_else(|| ip.bytes(v6).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(IpAddr::from))
        };
        let port = |kind| proto.u16(kind).unwrap_or(0);
        Some(Tuple {
            protocol: proto.u8(1)?,
            source: (address(1, 3)?, port(2)),
            destination: (address(2, 4)?, port(3)),
        })
    }
}
