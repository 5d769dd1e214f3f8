//! From the engine's states to a [`Graph`]: what a document asks for, and, where the kernel was looked at, what of it
//! is down or missing. Kinds of links are told apart by what the engine says of every kind (other end, link below, how
//! it is written), so that a new kind needs no change here. Knows nothing of drawing.

mod health;
mod tunnel;

use std::collections::BTreeMap;

use wireloom_engine::{IfName, Label, Link as Wanted, LinkKind, LinkRef, Namespace, Qdisc, Source, State};

use self::{health::Eyes, tunnel::Tunnel};
use crate::{
    graph::{End, Graph, Health, Interface, Line, Link, Node, Shape, Style},
    name::natural,
};

/// The usual MTU, which nobody needs to be told of.
const USUAL_MTU: u32 = 1500;

/// What a document asks for, as a graph; compared with what there is, where the kernel was looked at.
pub fn graph(desired: &State, observed: Option<&State>) -> Graph {
    let mut lowering = Lowering::new(desired, observed);
    lowering.add_nodes();
    lowering.add_bridges();
    lowering.add_links();
    lowering.add_tunnels();
    let Lowering { nodes, links, .. } = lowering;
    Graph { name: desired.owner.to_string(), looked: observed.is_some(), nodes, links }
}

struct Lowering<'a> {
    desired: &'a State,
    eyes: Eyes<'a>,
    nodes: Vec<Node>,
    links: Vec<Link>,
    /// Where namespaces are drawn.
    places: BTreeMap<&'a Label, usize>,
    /// Where bridges are drawn.
    bridges: BTreeMap<LinkRef, usize>,
    tunnels: Vec<Tunnel>,
}

impl<'a> Lowering<'a> {
    fn new(desired: &'a State, observed: Option<&'a State>) -> Lowering<'a> {
        Lowering {
            desired,
            eyes: Eyes { desired, observed },
            nodes: Vec::new(),
            links: Vec::new(),
            places: BTreeMap::new(),
            bridges: BTreeMap::new(),
            tunnels: Vec::new(),
        }
    }

    /// In the order in which people count. The hub is no node, and the host only where something of it is used.
    fn add_nodes(&mut self) {
        let hub = self.desired.owner.hub();
        let nodes = self.desired.namespaces.iter().filter(|(label, _)| label.as_str() != hub);
        let mut nodes: Vec<_> =
            nodes.filter(|(label, netns)| label.as_str() != Label::HOST || is_used(netns)).collect();
        nodes.sort_by_cached_key(|(label, _)| natural(label.as_str()));
        for (label, _) in nodes {
            self.place(label);
        }
    }

    /// The node of a namespace, which is made where there is none yet.
    fn place(&mut self, label: &'a Label) -> usize {
        if let Some(known) = self.places.get(label) {
            return *known;
        }
        let netns = self.desired.namespaces.get(label);
        let shape = match netns {
            _ if label.as_str() == Label::HOST => Shape::Host,
            Some(netns) if netns.own => Shape::Own,
            _ => Shape::Existing,
        };
        let mut lines: Vec<Line> = netns.into_iter().flat_map(place_of).collect();
        lines.extend(netns.into_iter().flat_map(|netns| self.inner_lines(label, netns, None)));
        self.nodes.push(Node { name: label.to_string(), shape, lines, health: self.eyes.namespace(label) });
        self.places.insert(label, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Interfaces that lead nowhere: `lo`, dummies, those on an interface of the same namespace; ports of a bridge are
    /// lines of that bridge.
    fn inner_lines(&self, label: &Label, netns: &Namespace, bridge: Option<IfName>) -> Vec<Line> {
        let inner = netns.links.iter().filter(|(_, link)| {
            is_inner(label, link) && !self.has_peers(&link.kind) && bridge_of(netns, link) == bridge
        });
        let lines = inner.flat_map(|(name, link)| {
            let at = LinkRef::new(label, *name);
            let addresses = self.eyes.addresses(&at, link);
            if matches!(link.kind, LinkKind::Loopback) {
                return addresses.into_iter().map(|line| Line { text: format!("lo {}", line.text), ..line }).collect();
            }
            let texts: Vec<_> = addresses.iter().map(|line| line.text.as_str()).collect();
            let text = format!("{name} {} {}", short(&link.kind), texts.join(" ")).trim_end().to_owned();
            let lost = addresses.iter().map(|line| line.health.clone()).find(|health| health.wrong().is_some());
            let health = Some(self.eyes.link(&at, link)).filter(|health| *health != Health::Fine);
            vec![Line { text, health: health.or(lost).unwrap_or(Health::Fine) }]
        });
        lines.collect()
    }

    /// A bridge is drawn beside the node that it lives in; those of the hub stand alone.
    fn add_bridges(&mut self) {
        let hub = self.desired.owner.hub();
        let mut found = Vec::new();
        for (label, netns) in &self.desired.namespaces {
            let bridges = netns.links.iter().filter(|(_, link)| is_bridge(&link.kind));
            found.extend(bridges.map(|(name, link)| (label, *name, link)));
        }
        found.sort_by_cached_key(|(label, name, _)| (natural(name.as_str()), natural(label.as_str())));
        for (label, name, link) in found {
            let at = LinkRef::new(label, name);
            let mut lines = self.eyes.addresses(&at, link);
            lines.extend(link.mtu.filter(|mtu| *mtu != USUAL_MTU).map(|mtu| Line::fine(format!("mtu {mtu}"))));
            lines.extend(self.inner_lines(label, &self.desired.namespaces[label], Some(name)));
            let health = self.eyes.link(&at, link);
            self.nodes.push(Node { name: name.to_string(), shape: Shape::Bridge, lines, health });
            let bridge = self.nodes.len() - 1;
            self.bridges.insert(at, bridge);
            if label.as_str() != hub {
                let ends = [self.place(label), bridge].map(|node| End { node, interface: None });
                self.links.push(Link { ends, style: Style::Inside, notes: Vec::new(), health: Health::Fine });
            }
        }
    }

    fn add_links(&mut self) {
        for (label, netns) in &self.desired.namespaces {
            let mut links: Vec<_> = netns.links.iter().collect();
            links.sort_by_cached_key(|(name, _)| natural(name.as_str()));
            for (name, link) in links {
                self.add_link(LinkRef::new(label, *name), label, link);
            }
        }
    }

    fn add_link(&mut self, at: LinkRef, label: &'a Label, link: &'a Wanted) {
        if let Some(peer) = link.kind.peer() {
            let other = self.desired.link(peer);
            // A pair is drawn once, from its first end.
            if at < *peer || other.is_none() {
                self.add_pair(&at, label, link, peer);
            }
        } else if let Some(tunnel) = Tunnel::of(&at, &link.kind) {
            self.tunnels.push(tunnel);
        } else if self.has_peers(&link.kind) {
            self.add_peers(&at, label, link);
        } else if let Some(below) = link.kind.parent().filter(|below| below.netns != *label) {
            let ends = [self.end(&at, label, link), self.end_below(below)];
            let mut notes = vec![short(&link.kind)];
            notes.extend(self.impairment(&at, link));
            let health = self.eyes.link(&at, link);
            self.links.push(Link { ends, style: Style::Stacked, notes, health });
        }
    }

    /// Whether a link is a tunnel to others of the document.
    fn has_peers(&self, kind: &LinkKind) -> bool {
        tunnel::peers(kind).iter().any(|peer| self.desired.link(peer).is_some())
    }

    /// A tunnel to each peer; one that both ends name is drawn once, from its first end.
    fn add_peers(&mut self, at: &LinkRef, label: &'a Label, link: &'a Wanted) {
        for peer in tunnel::peers(&link.kind) {
            let Some((there, netns)) = self.desired.namespaces.get_key_value(&peer.netns) else { continue };
            let Some(other) = netns.links.get(&peer.ifname) else { continue };
            if peer < *at && tunnel::peers(&other.kind).contains(at) {
                continue;
            }
            let ends = [self.end(at, label, link), self.end(&peer, there, other)];
            let healths = [self.eyes.link(at, link), self.eyes.link(&peer, other)];
            let worst = healths
                .iter()
                .find(|health| health.wrong().is_some())
                .or(healths.iter().max_by_key(|h| **h == Health::Off));
            let health = worst.cloned().unwrap_or(Health::Fine);
            self.links.push(Link { ends, style: Style::Tunnel, notes: vec![link.kind.name().to_owned()], health });
        }
    }

    fn add_pair(&mut self, at: &LinkRef, label: &'a Label, link: &'a Wanted, peer: &'a LinkRef) {
        let other = self.desired.link(peer);
        let far = match other {
            Some(other) => self.end(peer, &peer.netns, other),
            None => self.end_below(peer),
        };
        let ends = [self.end(at, label, link), far];
        let mut notes = Vec::new();
        notes.extend(Some(short(&link.kind)).filter(|kind| kind != "veth"));
        let at_bridge = [&ends[0], &ends[1]].map(|end| self.nodes[end.node].shape == Shape::Bridge);
        let known = [at, peer].into_iter().zip(at_bridge).filter(|(_, bridge)| *bridge);
        let known = known.filter_map(|(at, _)| self.bridge_mtu(at)).chain([USUAL_MTU]).next();
        notes.extend(link.mtu.filter(|mtu| Some(*mtu) != known).map(|mtu| format!("mtu {mtu}")));
        let sides = [(at, Some(link)), (peer, other)];
        let [one, two] = sides.map(|(at, link)| link.and_then(|link| self.impairment(at, link)));
        match (one, two) {
            (Some(one), Some(two)) if one == two => notes.push(one),
            (one, two) => {
                let from = |netns| if at_bridge == [false; 2] { format!(" from {netns}") } else { String::new() };
                notes.extend(one.map(|text| text + &from(&at.netns)));
                notes.extend(two.map(|text| text + &from(&peer.netns)));
            }
        }
        let [near, far] = sides.map(|(at, link)| link.map_or(Health::Fine, |link| self.eyes.link(at, link)));
        let health = if near.wrong().is_some() || far == Health::Fine { near } else { far };
        self.links.push(Link { ends, style: Style::Cable, notes, health });
    }

    /// The MTU of the bridge that a link is a port of.
    fn bridge_mtu(&self, at: &LinkRef) -> Option<u32> {
        let bridge = LinkRef::new(&at.netns, self.desired.link(at)?.controller?);
        self.desired.link(&bridge)?.mtu
    }

    /// Two tunnels that lead to each other are one line; others lead to the node that has the address, or out.
    fn add_tunnels(&mut self) {
        let tunnels = std::mem::take(&mut self.tunnels);
        let owners = tunnel::owners(self.desired);
        let mut done = vec![false; tunnels.len()];
        for (position, tunnel) in tunnels.iter().enumerate() {
            if std::mem::replace(&mut done[position], true) {
                continue;
            }
            let later = tunnels.iter().enumerate().skip(position + 1);
            let back = later.filter(|(at, _)| !done[*at]).find(|(_, other)| tunnel.leads_to(other, &owners));
            let far = match back {
                Some((other, back)) => {
                    done[other] = true;
                    self.end_of_tunnel(back)
                }
                None => self.far_end(tunnel, &owners),
            };
            let (Some(near), Some(far)) = (self.end_of_tunnel(tunnel), far) else { continue };
            let Some(link) = self.desired.link(&tunnel.at) else { continue };
            let mut notes = vec![short(&link.kind)];
            notes.extend(self.impairment(&tunnel.at, link));
            let health = self.eyes.link(&tunnel.at, link);
            self.links.push(Link { ends: [near, far], style: Style::Tunnel, notes, health });
        }
    }

    fn end_of_tunnel(&mut self, tunnel: &Tunnel) -> Option<End> {
        let (label, netns) = self.desired.namespaces.get_key_value(&tunnel.at.netns)?;
        let link = netns.links.get(&tunnel.at.ifname)?;
        Some(self.end(&tunnel.at, label, link))
    }

    fn far_end(&mut self, tunnel: &Tunnel, owners: &tunnel::Owners<'a>) -> Option<End> {
        if let Some(label) = owners.get(&tunnel.remote).filter(|label| ***label != tunnel.at.netns) {
            return Some(End { node: self.place(label), interface: None });
        }
        let name = tunnel.remote.to_string();
        let known = self.nodes.iter().position(|node| node.shape == Shape::Remote && node.name == name);
        let node = known.unwrap_or_else(|| {
            self.nodes.push(Node { name, shape: Shape::Remote, lines: Vec::new(), health: Health::Fine });
            self.nodes.len() - 1
        });
        Some(End { node, interface: None })
    }

    /// The end of a link that the document asks for: at its bridge, or at its node.
    fn end(&mut self, at: &LinkRef, label: &'a Label, link: &'a Wanted) -> End {
        let bridge = link.controller.and_then(|name| self.bridges.get(&LinkRef::new(label, name)).copied());
        let node = bridge.unwrap_or_else(|| self.place(label));
        let mut kind = link.kind.to_string();
        if let Some(controller) = link.controller.filter(|_| bridge.is_none()) {
            kind += &format!(", port of {controller}");
        }
        let (addresses, health) = (self.eyes.addresses(at, link), self.eyes.interface(at, link));
        let told = bridge.is_none() || !addresses.is_empty();
        End { node, interface: Some(Interface { name: at.ifname.to_string(), told, addresses, kind, health }) }
    }

    /// An interface that the document only uses.
    fn end_below(&mut self, at: &'a LinkRef) -> End {
        let node = self.place(&at.netns);
        let (name, kind) = (at.ifname.to_string(), String::new());
        let interface = Interface { name, told: true, addresses: Vec::new(), kind, health: Health::Fine };
        End { node, interface: Some(interface) }
    }

    /// What delays, loses or limits packets that leave here: as it is now, where that is known.
    fn impairment(&self, at: &LinkRef, link: &Wanted) -> Option<String> {
        let found = self.eyes.observed.and_then(|observed| observed.link(at));
        let qdisc = found.map_or(link.qdisc.as_ref(), |found| found.qdisc.as_ref());
        match qdisc? {
            Qdisc::Other(_) => None,
            qdisc => {
                let text = qdisc.to_string();
                let text = text.strip_prefix("netem ").or(text.strip_prefix("tbf ")).unwrap_or(&text);
                Some(text.split(" burst ").next().unwrap_or(text).to_owned())
            }
        }
    }
}

fn is_bridge(kind: &LinkKind) -> bool {
    kind.name() == "bridge"
}

/// Whether a namespace has more than its `lo` without addresses.
fn is_used(netns: &Namespace) -> bool {
    netns.links.values().any(|link| link.kind != LinkKind::Loopback || !link.addresses.is_empty())
}

/// Whether a link stays within its namespace.
fn is_inner(label: &Label, link: &Wanted) -> bool {
    let stays = link.kind.parent().is_none_or(|below| below.netns == *label);
    link.kind.peer().is_none() && !is_bridge(&link.kind) && stays && Tunnel::remote(&link.kind).is_none()
}

/// The bridge that a link is a port of.
fn bridge_of(netns: &Namespace, link: &Wanted) -> Option<IfName> {
    link.controller.filter(|name| netns.links.get(name).is_some_and(|controller| is_bridge(&controller.kind)))
}

/// Where a namespace is that exists anyway.
fn place_of(netns: &Namespace) -> Option<Line> {
    match &netns.source {
        Source::Named(name) if !netns.own => Some(Line::fine(format!("netns {name}"))),
        Source::Path(path) => Some(Line::fine(path.display().to_string())),
        _ => None,
    }
}

/// The kind and its number, without what the picture shows anyway.
fn short(kind: &LinkKind) -> String {
    const SHOWN: [&str; 7] = ["remote", "local", "over", "by", "port", "peer", "dev"];
    let text = kind.to_string();
    let words = text.split_whitespace().filter(|word| !matches!(*word, "vni" | "id" | "mode" | "(802.1q)"));
    words.take_while(|word| !SHOWN.contains(word)).take(3).collect::<Vec<_>>().join(" ")
}
