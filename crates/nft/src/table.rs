//! Tables, what they are called, and a digest of what is in one.

use std::fmt;
use std::hash::Hasher;

use crate::wire::Writer;
use crate::{Chain, remark};

/// A table with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which one.
    pub name: Name,
    /// What `nft` shows as its comment.
    pub remark: Option<String>,
    /// Its chains, in order.
    pub chains: Vec<Chain>,
    /// Sets, maps, objects and the like: we make none, so whatever is there is somebody else's.
    pub others: bool,
}

/// What a table is called: its family and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Its family.
    pub family: Family,
    /// Its name in the family.
    pub name: String,
}

/// Which packets a table sees (NFPROTO_…).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4 and IPv6.
    Inet = 1,
    /// IPv4.
    Ip = 2,
    /// IPv6.
    Ip6 = 10,
}

impl Name {
    /// `FAMILY NAME`
    pub fn new(family: Family, name: &str) -> Name {
        Name { family, name: name.to_owned() }
    }

    /// The name of an interface as expressions compare it: 16 bytes.
    pub(crate) fn padded(ifname: &str) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(ifname.bytes()).for_each(|(to, from)| *to = from);
        bytes
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Inet => "inet",
            Family::Ip => "ip",
            Family::Ip6 => "ip6",
        };
        write!(f, "{family} {}", self.name)
    }
}

impl Table {
    /// An empty table.
    pub fn new(name: Name) -> Table {
        Table { name, remark: None, chains: Vec::new(), others: false }
    }

    /// A number that stands for all that is in it: chains, hooks and rules. It stays the same from release to release.
    pub fn digest(&self) -> u64 {
        let mut hasher = fnv::FnvHasher::default();
        for chain in &self.chains {
            let hooked = chain.hooked.map_or(Writer::new(), |hooked| hooked.write(Writer::new()));
            write_part(&mut hasher, chain.name.as_bytes());
            write_part(&mut hasher, &hooked.finish());
            chain.rules.iter().for_each(|rule| write_part(&mut hasher, &rule.write(Writer::new()).finish()));
        }
        hasher.finish()
    }

    /// Bytes of user data for its remark.
    pub(crate) fn user_data(&self) -> Option<Vec<u8>> {
        self.remark.as_deref().map(remark::encode)
    }
}

/// Parts are kept apart by their length.
fn write_part(hasher: &mut fnv::FnvHasher, part: &[u8]) {
    hasher.write(&(part.len() as u64).to_le_bytes());
    hasher.write(part);
}
