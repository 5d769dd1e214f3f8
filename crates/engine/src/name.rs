//! Names with a meaning: interfaces, namespaces, owners, and `namespace:interface`. Checked once, when they are made.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// No text at all.
    #[error("{what} is empty")]
    Empty {
        /// What the name was to be of.
        what: &'static str,
    },
    /// More bytes than the kernel or a path takes.
    #[error("{what} {name:?} has {} bytes, {most} fit", name.len())]
    Long {
        /// What the name was to be of.
        what: &'static str,
        /// The text.
        name: String,
        /// How many bytes fit.
        most: usize,
    },
    /// A character that the kernel or a path refuses.
    #[error("{what} {name:?} has {character:?}, {allowed}")]
    Character {
        /// What the name was to be of.
        what: &'static str,
        /// The text.
        name: String,
        /// The first character that is refused.
        character: char,
        /// What would be right.
        allowed: &'static str,
    },
}

/// The name of an interface: 1 to 15 bytes without white space, `/` and `:`, and neither `.` nor `..`
/// (`dev_valid_name` in the kernel's net/core/dev.c).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName([u8; IfName::MOST + 1]);

impl IfName {
    /// IFNAMSIZ - 1 of linux/if.h.
    pub const MOST: usize = 15;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).expect("the last byte is always 0");
        std::str::from_utf8(&self.0[..end]).expect("made from a str")
    }

    /// The loopback interface, which every namespace has.
    pub fn lo() -> IfName {
        "lo".parse().expect("a valid name")
    }
}

impl FromStr for IfName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let what = "interface name";
        if name.is_empty() {
            return Err(NameError::Empty { what });
        }
        if name.len() > Self::MOST {
            return Err(NameError::Long { what, name: name.into(), most: Self::MOST });
        }
        let refused = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | '%');
        let character = name.chars().find(refused).or((name == "." || name == "..").then_some('.'));
        if let Some(character) = character {
            let allowed = "allowed is anything but white space, '/', ':' and '%'";
            return Err(NameError::Character { what, name: name.into(), character, allowed });
        }
        let mut bytes = [0; Self::MOST + 1];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Ok(IfName(bytes))
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What a namespace is called in a [`State`](crate::State): a node's name, [`Label::HOST`], or the name of a hub.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// The namespace that we run in.
    pub const HOST: &'static str = "host";
    const MOST: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        plain("node name", name, Self::MOST, "._-")?;
        Ok(Label(name.into()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Who a set of objects belongs to: a topology's name. No dots, so that `OWNER.NODE` names a namespace unmistakably.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

impl Owner {
    const MOST: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The IFLA_GROUP of links that this owner makes, known from their first moment on. Hashed, so two owners can
    /// share one: a group alone proves nothing.
    pub fn group(&self) -> u32 {
        u32::try_from(crate::stable_hash(&[b"group", self.0.as_bytes()]) & 0x3fff_ffff).expect("30 bits") | 0x4000_0000
    }

    /// The name under [`wireloom_netns::DIRECTORY`] of the namespace that stands for a node of this owner.
    pub fn netns_of(&self, node: &str) -> String {
        format!("{self}.{node}")
    }

    /// Label and name of the namespace that holds this owner's bridges.
    pub fn hub(&self) -> String {
        format!("wireloom-{self}")
    }
}

impl FromStr for Owner {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        plain("topology name", name, Self::MOST, "_-")?;
        Ok(Owner(name.into()))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Names that become part of a path: letters, digits and the characters of `also`, the first one a letter or digit.
fn plain(what: &'static str, name: &str, most: usize, also: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { what });
    }
    if name.len() > most {
        return Err(NameError::Long { what, name: name.into(), most });
    }
    let fits = |(i, c): (usize, char)| c.is_ascii_alphanumeric() || (i > 0 && also.contains(c));
    match name.char_indices().find(|c| !fits(*c)) {
        None => Ok(()),
        Some((_, character)) => {
            let allowed = match also {
                "_-" => "allowed are letters, digits, '_' and '-', first a letter or digit",
                _ => "allowed are letters, digits, '.', '_' and '-', first a letter or digit",
            };
            Err(NameError::Character { what, name: name.into(), character, allowed })
        }
    }
}

/// An interface in a namespace, written `r1:eth1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkRef {
    /// The namespace.
    pub netns: Label,
    /// The interface.
    pub ifname: IfName,
}

impl LinkRef {
    /// `netns:ifname`.
    pub fn new(netns: &Label, ifname: IfName) -> LinkRef {
        LinkRef { netns: netns.clone(), ifname }
    }
}

impl FromStr for LinkRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (netns, ifname) = text.split_once(':').unwrap_or((text, ""));
        Ok(LinkRef { netns: netns.parse()?, ifname: ifname.parse()? })
    }
}

impl fmt::Display for LinkRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.netns, self.ifname)
    }
}

impl fmt::Debug for LinkRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Names are written as plain text.
macro_rules! text_serde {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use text_serde;
text_serde!(IfName, Label, Owner, LinkRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names_are_checked_as_the_kernel_does() {
        for good in ["a", "eth0", "net9f27410725ab", "éthé"] {
            assert_eq!(good.parse::<IfName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a b", "a/b", "a:b", "sixteen-bytes-xx"] {
            assert!(bad.parse::<IfName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn owners_have_no_dot_and_a_group_of_their_own() {
        assert!("a.b".parse::<Owner>().is_err());
        assert!("../x".parse::<Label>().is_err());
        let (a, b): (Owner, Owner) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_ne!(a.group(), b.group());
        assert_eq!(a.netns_of("r1"), "a.r1");
    }

    #[test]
    fn a_link_is_written_with_its_namespace() {
        let link: LinkRef = "r1:eth1".parse().unwrap();
        assert_eq!(link.to_string(), "r1:eth1");
        assert!("r1".parse::<LinkRef>().is_err());
    }
}
