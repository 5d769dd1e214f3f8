//! Segments: who can talk to whom without a router. Does not know how the links were written.

use ipnet::IpNet;
use wireloom_engine::{Address, LinkRef, Mac};

use crate::{document::address::Subnet, lower::Builder, lowered::Segment, read::Spanned};

/// A segment while it is built.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// The bridge, where there is one.
    pub(crate) bridge: Option<LinkRef>,
    /// Interfaces that take part, in the order of the document.
    pub(crate) ends: Vec<End>,
    /// Networks to hand out addresses from.
    pub(crate) subnets: Vec<Spanned<Subnet>>,
    /// Whether somebody else may be on it.
    pub(crate) open: bool,
    /// A subnet could not be read.
    pub(crate) short: bool,
}

/// An interface on a segment, with what the document says about it.
#[derive(Debug)]
pub(crate) struct End {
    /// The interface.
    pub(crate) at: LinkRef,
    /// Its addresses.
    pub(crate) addresses: Vec<Spanned<IpNet>>,
    /// Its MAC address, where the document gives it.
    pub(crate) mac: Option<Spanned<Mac>>,
    /// Whether it takes an address from a subnet.
    pub(crate) automatic: bool,
}

impl End {
    /// An interface that nothing is said about.
    pub(crate) fn bare(at: LinkRef) -> End {
        End { at, addresses: Vec::new(), mac: None, automatic: false }
    }
}

impl Wire {
    pub(super) fn into_segment(self) -> Segment {
        Segment { bridge: self.bridge, ends: self.ends.into_iter().map(|end| end.at).collect() }
    }
}

impl Builder {
    /// Sets whether addresses of version 6 skip the detection of duplicates: only if all on the segment is ours.
    pub(crate) fn settle_nodad(&mut self, wire: &Wire) {
        for end in &wire.ends {
            let Some(link) = self.link_mut(&end.at) else { continue };
            for address in link.addresses.iter_mut().filter(|address| address.net.addr().is_ipv6()) {
                address.nodad = !wire.open;
            }
        }
    }
}

/// The addresses of an end, as the engine wants them.
pub(crate) fn addresses(end: &End, closed: bool) -> Vec<Address> {
    end.addresses.iter().map(|net| Address::new(net.value, closed && net.value.addr().is_ipv6())).collect()
}
