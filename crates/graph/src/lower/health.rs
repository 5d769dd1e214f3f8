//! Whether namespaces, links and addresses are as they should be. Judges only what the picture shows: `status` tells
//! everything that differs.

use wireloom_engine::{Label, Link, LinkKind, LinkRef, State};

use crate::graph::{Health, Line};

/// What was asked for, and what was seen.
#[derive(Clone, Copy)]
pub(super) struct Eyes<'a> {
    pub(super) desired: &'a State,
    pub(super) observed: Option<&'a State>,
}

impl Eyes<'_> {
    /// A namespace is there, or not.
    pub(super) fn namespace(self, label: &Label) -> Health {
        let gone = self.observed.is_some_and(|observed| !observed.namespaces.contains_key(label));
        if gone { Health::Wrong(format!("{label} has no namespace")) } else { Health::Fine }
    }

    /// A link carries packets, or not; one that is off because the document says so is off.
    pub(super) fn link(self, at: &LinkRef, wanted: &Link) -> Health {
        if is_off(wanted) || peer_of(wanted, self.desired).is_some_and(is_off) {
            return Health::Off;
        }
        let Some(observed) = self.observed else { return Health::Fine };
        match observed.link(at) {
            None => Health::Wrong(format!("{at} is missing")),
            Some(found) if is_off(found) && wanted.up == Some(true) => Health::Wrong(format!("{at} is down")),
            Some(found) if peer_of(found, observed).is_some_and(is_off) => {
                Health::Wrong(format!("{at} has no carrier"))
            }
            Some(_) => Health::Fine,
        }
    }

    /// The same, and whether its MTU is the one that was asked for.
    pub(super) fn interface(self, at: &LinkRef, wanted: &Link) -> Health {
        let found = self.observed.and_then(|observed| observed.link(at)).and_then(|link| link.mtu);
        match (self.link(at, wanted), wanted.mtu, found) {
            (Health::Fine, Some(wanted), Some(found)) if wanted != found => {
                Health::Wrong(format!("{at} has mtu {found} instead of {wanted}"))
            }
            (health, ..) => health,
        }
    }

    /// The addresses that were asked for; those of a link that is missing are not missed on top.
    pub(super) fn addresses(self, at: &LinkRef, wanted: &Link) -> Vec<Line> {
        let found = self.observed.and_then(|observed| observed.link(at));
        let own = wanted.addresses.iter().filter(|address| !address.net.addr().is_loopback());
        let line = own.map(|address| {
            let has = |link: &Link| link.addresses.iter().any(|found| found.net == address.net);
            let health = match found {
                Some(found) if !has(found) => Health::Wrong(format!("{at} has lost {}", address.net)),
                _ => Health::Fine,
            };
            Line { text: address.net.to_string(), health }
        });
        line.collect()
    }
}

/// The `lo` of a namespace that exists may be down: nobody asks for it.
fn is_off(link: &Link) -> bool {
    link.up == Some(false) && link.kind != LinkKind::Loopback
}

fn peer_of<'a>(link: &Link, state: &'a State) -> Option<&'a Link> {
    link.kind.peer().and_then(|peer| state.link(peer))
}
