//! A NETLINK_NETFILTER socket in one namespace: a request and its ack, a whole dump, a batch that is done as a whole or
//! not at all. Does not know what the messages mean, nor which subsystem they are of.

use wireloom_netns::Netns;

use crate::kernel::{NETLINK_NETFILTER, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use crate::transport::{Request, TRIES, Transport};
use crate::{Error, Result};

/// NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END of linux/netfilter/nfnetlink.h.
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// struct nfgenmsg: family, version, resource.
const HEADER: usize = 4;

/// A short-lived socket for nftables, conntrack and their like. Extended acks are on.
#[derive(Debug)]
pub struct Netfilter(Transport);

/// One message for a subsystem of netfilter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetfilterRequest {
    /// What its header calls it, such as `NFT_MSG_NEWTABLE`.
    pub name: &'static str,
    /// The subsystem in the high byte, the message in the low one.
    pub kind: u16,
    /// `NLM_F_CREATE` and its like; those of a request, an ack and a dump are added.
    pub flags: u16,
    /// The protocol family: `NFPROTO_…`.
    pub family: u8,
    /// Attributes, encoded.
    pub attributes: Vec<u8>,
}

/// One message of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The protocol family.
    pub family: u8,
    /// Attributes, encoded.
    pub attributes: Vec<u8>,
}

impl Netfilter {
    /// Opens a socket in the namespace, whatever namespace the calling thread is in.
    pub fn open(netns: &Netns) -> Result<Netfilter> {
        Transport::open(netns, NETLINK_NETFILTER).map(Netfilter)
    }

    /// Sends a request and waits for its ack.
    pub fn request(&mut self, request: &NetfilterRequest) -> Result<()> {
        self.send(request, NLM_F_REQUEST | NLM_F_ACK | request.flags)?;
        self.0.acknowledge(request.name)
    }

    /// Asks for all objects of a kind. The answer is whole or an error.
    pub fn dump(&mut self, request: &NetfilterRequest) -> Result<Vec<Answer>> {
        for _ in 0..TRIES {
            self.send(request, NLM_F_REQUEST | NLM_F_DUMP)?;
            let decode = |payload: &[u8]| {
                let cut = || Error::Decode { request: request.name, reason: "a message is cut off".to_owned() };
                let (header, attributes) = payload.split_at_checked(HEADER).ok_or_else(cut)?;
                Ok(Answer { family: header[0], attributes: attributes.to_vec() })
            };
            if let Some(objects) = self.0.objects(request.name, |frame| decode(frame.payload))? {
                return Ok(objects);
            }
        }
        Err(Error::Interrupted { request: request.name, tries: TRIES })
    }

    /// Does all requests or none of them. They are all of the subsystem of the first.
    pub fn transact(&mut self, requests: &[NetfilterRequest]) -> Result<()> {
        let Some((first, last)) = requests.first().zip(requests.last()) else { return Ok(()) };
        let [subsystem, _] = first.kind.to_be_bytes();
        let frame = [0, 0, 0, subsystem];
        let payloads: Vec<Vec<u8>> = requests.iter().map(payload).collect();
        // An ack costs room in the kernel's answer: one for all of them, at the end. A refusal comes unasked.
        let messages = requests.iter().zip(&payloads).enumerate().map(|(at, (request, payload))| {
            let ack = if at + 1 == requests.len() { NLM_F_ACK } else { 0 };
            (request.kind, NLM_F_REQUEST | ack | request.flags, payload.as_slice())
        });
        let begin = std::iter::once((BATCH_BEGIN, NLM_F_REQUEST, frame.as_slice()));
        let end = std::iter::once((BATCH_END, NLM_F_REQUEST, frame.as_slice()));
        let number = self.0.send_batch(last.name, begin.chain(messages).chain(end))?;
        let name = |at: usize| requests.get(at.saturating_sub(1)).map_or(last.name, |request| request.name);
        self.0.acknowledge_batch(name, number)
    }

    fn send(&mut self, request: &NetfilterRequest, flags: u16) -> Result<()> {
        let payload = payload(request);
        let header = Request { name: request.name, kind: request.kind, flags, length: payload.len() };
        self.0.send(header, |bytes| bytes.copy_from_slice(&payload))
    }
}

fn payload(request: &NetfilterRequest) -> Vec<u8> {
    let mut payload = vec![request.family, 0, 0, 0];
    payload.extend(&request.attributes);
    payload
}
