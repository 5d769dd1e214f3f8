//! How the packets of a tunnel travel: what the kinds of tunnel have in common. Does not know MTUs.

use std::net::IpAddr;

use wireloom_engine::{IfName, Label, Link, LinkKind, LinkRef, Route, State};

use crate::lower::Builder;

/// The outside of a tunnel.
pub(crate) struct Outer<'a> {
    /// The namespace whose routes the outer packets take.
    pub(crate) netns: &'a Label,
    /// The link that they leave by, where it is given.
    pub(crate) dev: Option<&'a LinkRef>,
    remote: Option<IpAddr>,
    /// Bytes that are put before an inner packet.
    pub(crate) overhead: u32,
}

/// IPv4, UDP, eight bytes of vxlan or geneve, and Ethernet.
const OVER_UDP: u32 = 50;
/// How much longer an IPv6 header is.
const LONGER: u32 = 20;

impl<'a> Outer<'a> {
    /// Nothing for a link that is no tunnel.
    pub(crate) fn of(at: &'a LinkRef, kind: &'a LinkKind) -> Option<Outer<'a>> {
        let over_udp = |v6: bool| if v6 { OVER_UDP + LONGER } else { OVER_UDP };
        match kind {
            LinkKind::Vxlan(vxlan) => {
                let v6 = vxlan.remote.or(vxlan.local).is_some_and(|address| address.is_ipv6());
                let netns = vxlan.underlay.as_ref()?;
                Some(Outer { netns, dev: vxlan.dev.as_ref(), remote: vxlan.remote, overhead: over_udp(v6) })
            }
            LinkKind::Geneve(geneve) => {
                let (netns, overhead) = (geneve.underlay.as_ref()?, over_udp(geneve.remote.is_ipv6()));
                Some(Outer { netns, dev: None, remote: Some(geneve.remote), overhead })
            }
            LinkKind::IpTunnel(tunnel) => {
                let (dev, remote, overhead) = (tunnel.dev.as_ref(), tunnel.remote, tunnel.overhead());
                Some(Outer { netns: &at.netns, dev, remote, overhead })
            }
            // 20 or 40 bytes of IP, 8 of UDP, 32 of wireguard: as much as the longer, like wg-quick.
            LinkKind::Wireguard(wireguard) => {
                let remote = wireguard.peers.iter().find_map(|peer| peer.endpoint).map(|endpoint| endpoint.ip());
                Some(Outer { netns: &at.netns, dev: None, remote, overhead: 80 })
            }
            _ => None,
        }
    }
}

impl Builder {
    /// The outside of the tunnel there.
    pub(crate) fn outer<'a>(&'a self, at: &'a LinkRef) -> Option<Outer<'a>> {
        Outer::of(at, &self.state.link(at)?.kind)
    }

    /// The link of the document that the outer packets leave by.
    pub(crate) fn underlay(&self, outer: &Outer<'_>) -> Option<LinkRef> {
        if let Some(dev) = outer.dev {
            return Some(dev.clone());
        }
        let (netns, remote) = (outer.netns, outer.remote?);
        if let Some(direct) = self.towards(netns, remote) {
            return Some(direct);
        }
        let asked = self.routes.iter().filter(|wanted| wanted.netns == *netns).map(|wanted| &wanted.route);
        let found = self.found.namespaces.get(netns).into_iter().flat_map(|found| &found.routes);
        let routes =
            asked.chain(found).filter(|route| route.table == Route::MAIN && route.destination.contains(&remote));
        let hop = routes.max_by_key(|route| route.destination.prefix_len())?.hops.first()?;
        match hop.dev {
            Some(ifname) => Some(LinkRef { netns: netns.clone(), ifname }),
            None => self.towards(netns, hop.via?),
        }
    }

    /// A link of the document comes first: what is found there may be one of ours from before.
    fn towards(&self, netns: &Label, address: IpAddr) -> Option<LinkRef> {
        let leads = |link: &Link| link.addresses.iter().any(|a| a.net.contains(&address));
        let ours = |link: &Link| link.belongs_to(&self.owner);
        let asked = links(&self.state, netns).find(|(_, link)| leads(link));
        let found = || links(&self.found, netns).find(|(_, link)| leads(link) && !ours(link));
        asked.or_else(found).map(|(ifname, _)| LinkRef { netns: netns.clone(), ifname: *ifname })
    }
}

fn links<'a>(state: &'a State, netns: &Label) -> impl Iterator<Item = (&'a IfName, &'a Link)> {
    state.namespaces.get(netns).into_iter().flat_map(|namespace| &namespace.links)
}
