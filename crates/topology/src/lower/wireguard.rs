//! Peers of wireguards in the same document: what is theirs, and whether they are there. After all addresses are known.

use std::{collections::BTreeSet, net::SocketAddr};

use ipnet::IpNet;
use wireloom_engine::{LinkKind, LinkRef, PeerKey, Wireguard};

use crate::{
    document::link::WIREGUARD_PORT,
    lower::{Builder, Gap},
};

impl Builder {
    /// Gives peers the networks and ports that the document leaves out, and notes those that are not there.
    pub(super) fn settle_peers(&mut self) {
        let mut ports = BTreeSet::new();
        for (at, mut wireguard) in self.wireguards() {
            if let Some(port) = wireguard.port.filter(|port| !ports.insert((at.netns.clone(), *port))) {
                let message = format!("{at} and another wireguard of that node listen at port {port}");
                let span = self.place_of(&at).span;
                self.wrong(span, message, "give one of them another `port`");
            }
            for peer in &mut wireguard.peers {
                let mut port = None;
                if let PeerKey::Of(other) = &peer.key {
                    let Some((theirs, addresses)) = self.peer_of(&at, other) else { continue };
                    port = theirs;
                    if peer.allowed.is_empty() {
                        peer.allowed = addresses;
                    }
                }
                let port = port.unwrap_or(WIREGUARD_PORT);
                peer.endpoint =
                    peer.endpoint.map(|it| if it.port() == 0 { SocketAddr::new(it.ip(), port) } else { it });
            }
            let mut taken = BTreeSet::new();
            let twice = wireguard.peers.iter().flat_map(|peer| &peer.allowed).find(|net| !taken.insert(**net));
            if let Some(net) = twice {
                let message = format!("{net} is given to two peers of {at}");
                let help = "a packet goes to one of them: give each peer its own `allowed-ips`";
                self.wrong(self.place_of(&at).span, message, help);
            }
            if let Some(link) = self.link_mut(&at) {
                link.kind = LinkKind::Wireguard(wireguard);
            }
        }
    }

    fn wireguards(&self) -> Vec<(LinkRef, Box<Wireguard>)> {
        let links = self.state.namespaces.iter();
        let links =
            links.flat_map(|(netns, it)| it.links.iter().map(|(name, link)| (LinkRef::new(netns, *name), link)));
        let wireguard = |(at, link): (LinkRef, &wireloom_engine::Link)| match &link.kind {
            LinkKind::Wireguard(wireguard) => Some((at, wireguard.clone())),
            _ => None,
        };
        links.filter_map(wireguard).collect()
    }

    /// The port and the addresses of a peer.
    fn peer_of(&mut self, at: &LinkRef, other: &LinkRef) -> Option<(Option<u16>, BTreeSet<IpNet>)> {
        let link = self.state.link(other);
        if let Some(LinkKind::Wireguard(theirs)) = link.map(|link| &link.kind) {
            let addresses = link.into_iter().flat_map(|link| &link.addresses);
            return Some((theirs.port, addresses.map(|address| IpNet::from(address.net.addr())).collect()));
        }
        if !self.doubt.about(&other.netns, Gap::Interfaces) {
            let span = self.place_of(at).span;
            let help = format!("add a link `{{type: wireguard, node: {}, dev: {}, ...}}`", other.netns, other.ifname);
            self.wrong(span, format!("the peer of {at}, {other}, is no wireguard of this document"), help);
        }
        None
    }
}
