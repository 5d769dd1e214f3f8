//! What others have added to our namespaces and links.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Planner, link::links};
use crate::{Label, LinkKind, LinkRef, Object, Origin, Qdisc, object};

/// Something in our namespaces or on our links that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// An interface.
    Link {
        /// Which.
        at: LinkRef,
        /// Its kind.
        kind: String,
    },
    /// An address on a link of ours.
    Address {
        /// The link.
        at: LinkRef,
        /// The address.
        net: IpNet,
    },
    /// A route or another object in a namespace of ours.
    Object {
        /// Where.
        netns: Label,
        /// The object.
        object: Object,
    },
    /// A root qdisc on a link of ours.
    Qdisc {
        /// The link.
        at: LinkRef,
        /// Its kind.
        kind: String,
    },
}

impl Planner<'_> {
    pub(super) fn extras(&mut self) {
        for (at, found) in links(self.observed) {
            let ours = found.belongs_to(&self.desired.owner);
            let gone = self.dropped.contains(&at.netns) || self.doomed.contains(&at);
            let below = found.kind.stands_on().cloned();
            if !ours && below.is_some_and(|below| self.doomed.contains(&below) || self.dropped.contains(&below.netns)) {
                self.also_gone.push(Extra::Link { at, kind: found.kind.name().to_owned() });
                continue;
            }
            let netns = &self.observed.namespaces[&at.netns];
            if !ours && netns.own && found.kind != LinkKind::Loopback && !is_fallback(&at) {
                self.extra(gone, Extra::Link { at, kind: found.kind.name().to_owned() });
                continue;
            }
            for net in found.addresses.iter().filter(|a| ours && a.origin == Origin::Others).map(|a| a.net) {
                let erased = self.erased.contains(&at) && net.addr().is_ipv6();
                self.extra(gone || erased, Extra::Address { at: at.clone(), net });
            }
            if let Some(Qdisc::Other(kind)) = found.qdisc.clone().filter(|_| ours) {
                let replaced = self.desired.link(&at).is_some_and(|wanted| wanted.qdisc.is_some());
                self.extra(gone || replaced, Extra::Qdisc { at, kind });
            }
        }
        for (label, netns) in &self.observed.namespaces {
            for held in object::all_of(netns).filter(|held| held.origin() == Origin::Others) {
                let extra = Extra::Object { netns: label.clone(), object: held.object() };
                let gone = self.dropped.contains(label) || self.is_disturbed(label, held);
                if gone || netns.own {
                    self.extra(gone, extra);
                }
            }
        }
    }

    fn extra(&mut self, gone: bool, extra: Extra) {
        let list = if gone { &mut self.also_gone } else { &mut self.left_alone };
        list.push(extra);
    }
}

/// The kernel puts these into every new namespace once the tunnels' modules are loaded (fb_tunnels_only_for_init_net of
/// Documentation/admin-guide/sysctl/net.rst): nobody has added them, and nobody can delete them.
fn is_fallback(at: &LinkRef) -> bool {
    const NAMES: [&str; 9] =
        ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];
    NAMES.contains(&at.ifname.as_str())
}

impl fmt::Display for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extra::Link { at, kind } => write!(f, "link {at} ({kind})"),
            Extra::Address { at, net } => write!(f, "address {net} on {at}"),
            Extra::Object { netns, object } => write!(f, "{} {object} in {netns}", object.name()),
            Extra::Qdisc { at, kind } => write!(f, "qdisc {kind} on {at}"),
        }
    }
}
