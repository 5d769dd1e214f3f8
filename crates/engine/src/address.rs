//! IP addresses of a link. Does not know who asked for them.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where an observed object comes from. What a document asks for is always [`Origin::Ours`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Made by us: it carries our protocol number.
    #[default]
    Ours,
    /// Made by the kernel itself (link-local addresses, the routes of addresses).
    Kernel,
    /// Made by somebody else: shown, and left alone.
    Others,
}

impl Origin {
    /// The number that our addresses carry in IFA_PROTO (Linux 5.18) and our routes in rtm_protocol.
    pub const PROTOCOL: u8 = 87;

    pub(crate) fn is_ours(&self) -> bool {
        *self == Origin::Ours
    }
}

/// An address of a link, like `ip address add NET dev LINK [nodad] proto 87`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The address and the length of its prefix; host bits are kept.
    pub net: IpNet,
    /// IPv6: do not wait for duplicate address detection, because every end of the segment is ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nodad: bool,
    /// Where an observed address comes from.
    #[serde(default, skip_serializing_if = "Origin::is_ours")]
    pub origin: Origin,
    /// Observed: duplicate address detection still runs, the address cannot be used yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tentative: bool,
    /// Observed: somebody else on the segment has this address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dadfailed: bool,
}

impl Address {
    /// An address as a document asks for it.
    pub fn new(net: IpNet, nodad: bool) -> Address {
        Address { net, nodad, origin: Origin::Ours, tentative: false, dadfailed: false }
    }
}
