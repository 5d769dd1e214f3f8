//! Generic netlink (linux/genetlink.h): a family is found by its name, and its commands carry attributes. Does not know
//! any family.

use wireloom_netns::Netns;

use crate::frame::{Frame, attributes, push_attribute, u16_at};
use crate::kernel::{NETLINK_GENERIC, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use crate::transport::{Request, TRIES, Transport};
use crate::{Error, Result};

/// The family of families (GENL_ID_CTRL), and what it is asked.
const CONTROL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// The length of `struct genlmsghdr`.
const HEADER: usize = 4;

/// A family of commands in one namespace.
#[derive(Debug)]
pub(crate) struct Family {
    transport: Transport,
    id: u16,
    version: u8,
}

/// What to send: a command's name for errors, its number, and its attributes as bytes.
pub(crate) struct Command<'a> {
    pub(crate) name: &'static str,
    pub(crate) number: u8,
    pub(crate) attributes: &'a [u8],
}

impl Family {
    /// Finds a family by its name; nothing when the kernel does not have it.
    pub(crate) fn open(netns: &Netns, name: &str, version: u8) -> Result<Option<Family>> {
        let transport = Transport::open(netns, NETLINK_GENERIC)?;
        let mut family = Family { transport, id: CONTROL, version: 1 };
        let mut asked = Vec::new();
        push_attribute(&mut asked, CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), b"\0"].concat());
        let command = Command { name: "CTRL_CMD_GETFAMILY", number: CTRL_CMD_GETFAMILY, attributes: &asked };
        let id = family.get(&command, |found| {
            let id = attributes(found).find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID);
            id.and_then(|(_, value)| u16_at(value, 0))
        })?;
        Ok(id.map(|id| Family { id, version, ..family }))
    }

    /// Sends a command and waits for its ack.
    pub(crate) fn request(&mut self, command: &Command<'_>) -> Result<()> {
        self.send(command, NLM_F_REQUEST | NLM_F_ACK)?;
        self.transport.acknowledge(command.name)
    }

    /// Asks for one object, whose attributes `read` is given; nothing when there is none.
    pub(crate) fn get<T>(&mut self, command: &Command<'_>, read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>> {
        self.send(command, NLM_F_REQUEST | NLM_F_ACK)?;
        self.transport.object(command.name, |frame| decode(frame, command.name, &read))
    }

    /// Asks for all objects, or one that comes in several pieces. Whole, or an error.
    pub(crate) fn dump<T>(&mut self, command: &Command<'_>, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<T>> {
        for _ in 0..TRIES {
            self.send(command, NLM_F_REQUEST | NLM_F_DUMP)?;
            let objects = self.transport.objects(command.name, |frame| decode(frame, command.name, &read))?;
            if let Some(objects) = objects {
                return Ok(objects);
            }
        }
        Err(Error::Interrupted { request: command.name, tries: TRIES })
    }

    fn send(&mut self, command: &Command<'_>, flags: u16) -> Result<()> {
        let length = HEADER + command.attributes.len();
        let version = self.version;
        self.transport.send(Request { name: command.name, kind: self.id, flags, length }, |payload| {
            payload[..2].copy_from_slice(&[command.number, version]);
            payload[HEADER..].copy_from_slice(command.attributes);
        })
    }
}

fn decode<T>(frame: &Frame<'_>, request: &'static str, read: &impl Fn(&[u8]) -> Option<T>) -> Result<T> {
    let found = frame.payload.get(HEADER..).and_then(read);
    found.ok_or_else(|| Error::Decode { request, reason: "an attribute is missing or cut off".to_owned() })
}
