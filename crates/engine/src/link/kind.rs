//! What every kind of link answers about itself: its name, how it changes, how it is written and read. Does not know which
//! kinds there are.

use std::{fmt, net::IpAddr};

use netlink_packet_route::link::{InfoData, InfoKind, LinkMessage};

use crate::{Label, LinkKind, LinkRef};

/// Whether a link can become another one in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KindChange {
    /// They are the same, as far as is asked for.
    Same,
    /// By changing settings.
    Set,
    /// Only by being made anew; why, in words.
    Replace(String),
}

impl KindChange {
    /// Replace, for a setting that is fixed when the link is made.
    pub(super) fn fixed<T: PartialEq + fmt::Display>(what: &str, found: &T, wanted: &T) -> Option<KindChange> {
        (found != wanted).then(|| KindChange::Replace(format!("{what} {found} -> {wanted}")))
    }

    /// Replace, for what may be absent: what lies below or at the other end, an address, a key.
    pub(super) fn moved<T: fmt::Display>(what: &str, found: Option<&T>, wanted: Option<&T>) -> Option<KindChange> {
        let word = |it: Option<&T>| it.map_or_else(|| "none".to_owned(), T::to_string);
        KindChange::fixed(what, &word(found), &word(wanted))
    }

    /// For the other end of a tunnel: it may become another one of the same family, but neither appear nor go.
    pub(super) fn redirected(found: Option<IpAddr>, wanted: Option<IpAddr>) -> KindChange {
        match (found, wanted) {
            (found, wanted) if found == wanted => KindChange::Same,
            (Some(found), Some(wanted)) if found.is_ipv4() == wanted.is_ipv4() => KindChange::Set,
            (found, wanted) => KindChange::moved("remote", found.as_ref(), wanted.as_ref()).unwrap_or(KindChange::Same),
        }
    }
}

/// What an observed link's message says about other links, resolved.
pub(crate) trait Surroundings {
    /// The other end of a veth.
    fn peer(&self) -> Option<LinkRef>;
    /// The link that IFLA_LINK names.
    fn below(&self) -> Option<LinkRef>;
    /// The namespace that IFLA_LINK_NETNSID names: the link's own one where it is absent.
    fn netns_below(&self) -> Option<Label>;
    /// The link with this number in that namespace.
    fn in_netns(&self, netns: &Label, index: u32) -> Option<LinkRef>;
}

/// What a request to make or change a link says about its kind.
pub(crate) struct Encoded {
    /// IFLA_INFO_KIND.
    pub(crate) kind: InfoKind,
    /// IFLA_INFO_DATA.
    pub(crate) data: Option<InfoData>,
    /// Whose number goes into IFLA_LINK.
    pub(crate) below: Option<LinkRef>,
}

/// What a kind of link has to say for itself. Displayed, it is what `ip` takes behind `type`.
pub(crate) trait Kind: fmt::Display {
    /// The kernel's name of the kind, as in `ip link add type NAME`.
    fn name(&self) -> &'static str;

    /// The first kernel that has it, where people still run older ones.
    fn since(&self) -> Option<&'static str> {
        None
    }

    /// Whether it has a MAC address of its own, which can be chosen when it is made.
    fn has_mac(&self) -> bool {
        true
    }

    /// Whether an observed one tells enough to be made again.
    fn can_be_restored(&self) -> bool {
        true
    }

    /// What it takes to make `found` like this one.
    fn change(&self, found: &Self) -> KindChange
    where
        Self: Sized;

    /// The settings that a change of `found` must speak of.
    fn needed(&self, _: &Self) -> Self
    where
        Self: Sized + Clone,
    {
        self.clone()
    }

    /// Those settings of `found` that this one speaks of: what a change must put back.
    fn before(&self, found: &Self) -> Self
    where
        Self: Sized + Clone,
    {
        found.clone()
    }

    /// What a request to make one says; for both ends of a pair see [`Kind::encode_pair`].
    fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded;

    /// The same for a change of a link that is there.
    fn encode_change(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        self.encode(index)
    }

    /// IFLA_INFO_DATA of the request that makes both ends of a pair, for kinds that are pairs. The other end is of the same
    /// kind.
    fn encode_pair(&self, _other: &LinkKind, _message: LinkMessage) -> Option<InfoData> {
        None
    }

    /// Reads an observed link of this kind; nothing for another kind, and for data that cannot be read.
    fn decode(kind: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Self>
    where
        Self: Sized;

    /// Whether more is to be said in a step of its own, once all links are there.
    fn is_configured_later(&self) -> bool {
        false
    }

    /// The other end of a pair.
    fn peer(&self) -> Option<&LinkRef> {
        None
    }

    /// The link below, which must be there first, and whose end is the end of this one.
    fn parent(&self) -> Option<&LinkRef> {
        None
    }

    /// The namespace that the request to make this link is sent in, where that is not the one it is to lie in.
    fn made_from(&self) -> Option<&Label> {
        self.parent().map(|parent| &parent.netns)
    }
}

impl<K: Kind + Clone> Kind for Box<K> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn since(&self) -> Option<&'static str> {
        (**self).since()
    }

    fn has_mac(&self) -> bool {
        (**self).has_mac()
    }

    fn can_be_restored(&self) -> bool {
        (**self).can_be_restored()
    }

    fn change(&self, found: &Self) -> KindChange {
        (**self).change(found)
    }

    fn needed(&self, found: &Self) -> Self {
        Box::new((**self).needed(found))
    }

    fn before(&self, found: &Self) -> Self {
        Box::new((**self).before(found))
    }

    fn encode_pair(&self, other: &LinkKind, message: LinkMessage) -> Option<InfoData> {
        (**self).encode_pair(other, message)
    }

    fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        (**self).encode(index)
    }

    fn encode_change(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        (**self).encode_change(index)
    }

    fn decode(kind: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Self> {
        K::decode(kind, data, around).map(Box::new)
    }

    fn is_configured_later(&self) -> bool {
        (**self).is_configured_later()
    }

    fn peer(&self) -> Option<&LinkRef> {
        (**self).peer()
    }

    fn parent(&self) -> Option<&LinkRef> {
        (**self).parent()
    }

    fn made_from(&self) -> Option<&Label> {
        (**self).made_from()
    }
}
