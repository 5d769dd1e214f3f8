//! MTUs that nobody gave: usual ones, those of the interface below, those of a bridge and its ports. Does not check
//! the given ones against each other.

use wireloom_engine::{LinkRef, Namespace, State};

use crate::{document::units::MtuNumber, lower::Builder, read::Field, source::Span};

/// Where an MTU that the document does not give comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mtu {
    /// 1500.
    Usual,
    /// As large as that of this interface.
    Parent(LinkRef),
    /// What fits into the underlay.
    Underlay,
}

impl Mtu {
    /// Of Ethernet.
    pub(crate) const USUAL: u32 = 1500;
}

/// A link on top of another.
pub(crate) struct Stacked {
    /// The link.
    pub(crate) at: LinkRef,
    /// What is below.
    pub(crate) mtu: Mtu,
    /// Where it was asked for, or what is below it.
    pub(crate) span: Span,
}

impl Builder {
    /// The MTU that the document gives.
    pub(super) fn given_mtu(&mut self, field: &Field<MtuNumber>, at: &LinkRef) -> Option<u32> {
        if field.is_bad() {
            self.doubt.add_mtu(at);
        }
        field.get().map(|mtu| mtu.0)
    }

    /// Notes that a link is on top of another.
    pub(crate) fn stack(&mut self, at: &LinkRef, mtu: Mtu, span: Span) {
        if mtu != Mtu::Usual {
            self.stacked.push(Stacked { at: at.clone(), mtu, span });
        }
    }

    /// Links on top of others, for checks.
    pub(crate) fn stacked(&self) -> &[Stacked] {
        &self.stacked
    }

    /// Gives every link an MTU, from the bottom to the top.
    pub(super) fn settle_mtus(&mut self) {
        self.settle_bridges(false);
        self.settle_stacked(false);
        self.settle_stacked(true);
        self.settle_bridges(true);
        self.settle_stacked(false);
    }

    /// Ports take the MTU of the bridge or its tunnels; the bridge takes the smallest of its ports.
    fn settle_bridges(&mut self, with_tunnels: bool) {
        let bridges = self.bridges.iter().filter(|b| !b.patch && b.tunnels.is_empty() != with_tunnels);
        let bridges: Vec<_> = bridges.map(|b| (b.at.clone(), b.mtu, b.ports.clone(), b.tunnels.clone())).collect();
        for (at, given, ports, tunnels) in bridges {
            let of_tunnels = tunnels.iter().filter_map(|tunnel| self.mtu_of(tunnel)).min();
            let usual = given.or(of_tunnels).unwrap_or(Mtu::USUAL);
            let mut smallest = of_tunnels;
            for (inner, outer) in &ports {
                let mtu = self.mtu_of(inner).unwrap_or(usual);
                smallest = Some(smallest.map_or(mtu, |smallest| smallest.min(mtu)));
                self.set_mtu(inner, mtu);
                self.set_mtu(outer, mtu);
            }
            self.set_mtu(&at, given.or(smallest).unwrap_or(Mtu::USUAL));
        }
    }

    fn settle_stacked(&mut self, tunnels: bool) {
        let stacked = std::mem::take(&mut self.stacked);
        for Stacked { at, mtu, .. } in &stacked {
            let most = match mtu {
                Mtu::Parent(parent) if !tunnels => self.mtu_of(parent),
                Mtu::Underlay if tunnels => Some(self.tunnel_mtu(at)),
                _ => None,
            };
            if let Some(most) = most.filter(|_| self.mtu_of(at).is_none()) {
                self.set_mtu(at, most);
            }
        }
        self.stacked = stacked;
    }

    /// The MTU of a link so far.
    pub(crate) fn mtu_of(&self, at: &LinkRef) -> Option<u32> {
        self.state.link(at).or_else(|| self.found.link(at))?.mtu
    }

    /// Namespaces that exist and hold what links of the document stand on.
    pub(super) fn below_elsewhere(&self) -> State {
        let mut below = State::empty(self.owner.clone());
        for link in &self.stacked {
            let netns = match &link.mtu {
                Mtu::Parent(parent) => Some(&parent.netns),
                _ => self.outer(&link.at).map(|outer| outer.netns),
            };
            let Some(netns) = netns.filter(|netns| !self.is_own(netns)) else { continue };
            if let Some(found) = self.state.namespaces.get(netns) {
                below.namespaces.insert(netns.clone(), Namespace::new(found.source.clone(), false));
            }
        }
        below
    }

    fn set_mtu(&mut self, at: &LinkRef, mtu: u32) {
        if let Some(link) = self.link_mut(at) {
            link.mtu = Some(mtu);
        }
    }

    /// What is below a link, where the document has that.
    pub(crate) fn below(&self, link: &Stacked) -> Option<LinkRef> {
        if let Mtu::Parent(parent) = &link.mtu {
            return Some(parent.clone());
        }
        self.underlay(&self.outer(&link.at)?)
    }

    /// The largest packet that a tunnel passes on in one piece.
    pub(crate) fn tunnel_mtu(&self, at: &LinkRef) -> u32 {
        let Some(outer) = self.outer(at) else { return Mtu::USUAL };
        let below = self.underlay(&outer).and_then(|below| self.mtu_of(&below)).unwrap_or(Mtu::USUAL);
        below.saturating_sub(outer.overhead)
    }
}
