//! What others have added to our namespaces and links.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Planner, link::links};
use crate::{Label, LinkKind, LinkRef, Origin, Qdisc, Route};

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
    /// A route in a namespace of ours.
    Route {
        /// Where.
        netns: Label,
        /// The route.
        route: Route,
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
            let list = if gone { &mut self.also_gone } else { &mut self.left_alone };
            let netns = &self.observed.namespaces[&at.netns];
            if !ours && netns.own && found.kind != LinkKind::Loopback {
                list.push(Extra::Link { at, kind: found.kind.name().to_owned() });
            } else if ours {
                let others = found.addresses.iter().filter(|a| a.origin == Origin::Others);
                list.extend(others.map(|a| Extra::Address { at: at.clone(), net: a.net }));
                if let Some(Qdisc::Other(kind)) = found.qdisc.clone() {
                    let replaced = self.desired.link(&at).is_some_and(|wanted| wanted.qdisc.is_some());
                    let list = if replaced { &mut self.also_gone } else { list };
                    list.push(Extra::Qdisc { at, kind });
                }
            }
        }
        for (label, netns) in self.observed.namespaces.iter().filter(|(_, netns)| netns.own) {
            let list = if self.dropped.contains(label) { &mut self.also_gone } else { &mut self.left_alone };
            let others = netns.routes.iter().filter(|r| r.origin == Origin::Others);
            list.extend(others.map(|route| Extra::Route { netns: label.clone(), route: route.clone() }));
        }
    }
}

impl fmt::Display for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extra::Link { at, kind } => write!(f, "link {at} ({kind})"),
            Extra::Address { at, net } => write!(f, "address {net} on {at}"),
            Extra::Route { netns, route } => write!(f, "route {route} in {netns}"),
            Extra::Qdisc { at, kind } => write!(f, "qdisc {kind} on {at}"),
        }
    }
}
