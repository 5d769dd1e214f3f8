//! Forwarded ports and translated addresses: where a port is open, and how the node is reached from there. Does not know
//! how ways out are made.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use ipnet::{IpNet, Ipv4Net};
use wireloom_engine::{IfName, IpFamily, Label, LinkRef, Nat, Protocol, Route};

use crate::{
    document::{address::Bare, forward::Ports},
    lower::{Builder, Gap},
    read::Spanned,
    source::Span,
};

/// What is asked for on links, until all links are there.
#[derive(Debug, Default)]
pub(super) struct Translations {
    forwards: Vec<(LinkRef, Spanned<Ports>)>,
    nats: Vec<(LinkRef, Spanned<Bare>)>,
}

/// How a node is reached from the namespace in which a port of it is open.
struct Way {
    /// The interface there.
    via: LinkRef,
    /// Addresses of the node, with their networks.
    targets: Vec<IpNet>,
    /// Families in which the node's answers find back wherever the client is.
    answers: Vec<IpFamily>,
}

/// Where a port is open, as far as it can be open once: the namespace, the protocol, the family, the address, the port.
type Open = (Label, Protocol, IpFamily, Option<IpAddr>, u16);

impl Builder {
    /// Notes ports that are to lead to an interface. One that is looked at twice because of a mistake counts once.
    pub(super) fn want_forwards(&mut self, at: &LinkRef, ports: Vec<Spanned<Ports>>) {
        let known: HashSet<Span> = self.translations.forwards.iter().filter(|w| w.0 == *at).map(|w| w.1.span).collect();
        let new = ports.into_iter().filter(|ports| !known.contains(&ports.span));
        self.translations.forwards.extend(new.map(|ports| (at.clone(), ports)));
    }

    /// Notes an address that the interface's own is to stand for.
    pub(super) fn want_nat(&mut self, at: &LinkRef, inner: Vec<Spanned<Bare>>) {
        if let [_, second, ..] = inner.as_slice() {
            let help = "write one; `forward` leads single ports to several nodes";
            self.wrong(second.span, "an interface stands for one address", help);
        }
        let known = self.translations.nats.iter().any(|(known, _)| known == at);
        let first = inner.into_iter().next().filter(|_| !known);
        self.translations.nats.extend(first.map(|inner| (at.clone(), inner)));
    }

    /// Nodes with forwards that no interface of theirs leads to.
    pub(super) fn unreached(&self) -> Vec<(Label, Span)> {
        let wanted = self.translations.forwards.iter().filter(|(at, _)| at.netns.as_str() != Label::HOST);
        let unreached = wanted.filter(|(at, _)| self.far_end(at).is_none());
        unreached.map(|(at, ports)| (at.netns.clone(), ports.span)).collect()
    }

    /// The other end of a cable, or the bridge there if that has an address: where a packet for the node comes from.
    /// Nobody comes by the namespace for bridges.
    fn far_end(&self, at: &LinkRef) -> Option<LinkRef> {
        let peer = self.state.link(at)?.kind.peer()?;
        let far = match self.state.link(peer)?.controller {
            None => peer.clone(),
            Some(bridge) => LinkRef::new(&peer.netns, bridge),
        };
        let is_bridge = far != *peer;
        let has_address = !is_bridge || self.state.link(&far).is_some_and(|bridge| !bridge.addresses.is_empty());
        (has_address && far.netns.as_str() != self.owner.hub()).then_some(far)
    }

    /// Puts the forwards and translations into the firewalls, once all addresses are known.
    pub(super) fn add_translations(&mut self) {
        let Translations { forwards, nats } = std::mem::take(&mut self.translations);
        let mut open = HashMap::new();
        for (at, ports) in &forwards {
            self.add_forward(at, ports, &mut open);
        }
        for (at, inner) in &nats {
            self.add_nat(at, inner);
        }
        for namespace in self.state.namespaces.values_mut() {
            // The first that fits is taken: one address before all.
            let forwards = namespace.firewall.iter_mut().map(|firewall| &mut firewall.forwards);
            forwards.for_each(|forwards| forwards.sort_by_key(|forward| forward.outer.is_none()));
        }
    }

    fn add_forward(&mut self, at: &LinkRef, ports: &Spanned<Ports>, open: &mut HashMap<Open, Span>) -> Option<()> {
        if at.netns.as_str() == Label::HOST {
            let help = "a port is open at the other end of the link: give `forward` to the end in the node";
            self.wrong(ports.span, format!("nothing is forwarded to `{}`", at.netns), help);
            return None;
        }
        let way = self.way(at)?;
        let outer = ports.value.outer;
        let fits = |net: &&IpNet| outer.is_none_or(|outer| IpFamily::of(outer) == IpFamily::of(net.addr()));
        let mut targets: Vec<IpNet> = Vec::new();
        for net in way.targets.iter().filter(fits) {
            if !targets.iter().any(|known| IpFamily::of(known.addr()) == IpFamily::of(net.addr())) {
                targets.push(*net);
            }
        }
        if targets.is_empty() && !self.doubt.about(&at.netns, Gap::Addresses) {
            self.no_target(at, &way, ports);
        }
        for target in targets {
            for (port, inner) in &ports.value.pairs {
                let key = (way.via.netns.clone(), ports.value.protocol, IpFamily::of(target.addr()), outer, *port);
                if let Some(first) = open.insert(key, ports.span) {
                    self.forwarded_twice(ports, *port, first, &way.via.netns);
                    return None;
                }
                self.lead(&way, ports, *port, SocketAddr::new(target.addr(), *inner), target);
            }
        }
        Some(())
    }

    fn lead(&mut self, way: &Way, ports: &Spanned<Ports>, port: u16, to: SocketAddr, net: IpNet) {
        let family = IpFamily::of(to.ip());
        let (netns, via) = (&way.via.netns, way.via.ifname);
        self.switch_forwarding_on(netns, family);
        if family == IpFamily::V4 {
            let name = via.as_str().replace('.', "/");
            let namespace = self.state.namespaces.get_mut(netns).expect("it has this link");
            namespace.sysctls.entry(format!("net.ipv4.conf.{name}.route_localnet")).or_insert_with(|| "1".to_owned());
        }
        let hide = if way.answers.contains(&family) { hidden(net) } else { vec![anywhere(family)] };
        let Ports { outer, protocol, .. } = ports.value;
        let forward = wireloom_engine::Forward { protocol, outer, port, to, via, hide };
        self.firewall(netns).forwards.push(forward);
    }

    fn way(&self, at: &LinkRef) -> Option<Way> {
        let (far, at) = match self.far_end(at) {
            Some(far) => (far, at.clone()),
            None => self.uplinks.of(&at.netns)?.clone(),
        };
        let near: Vec<IpNet> = self.state.link(&far)?.addresses.iter().map(|address| address.net).collect();
        let own = self.state.link(&at)?.addresses.iter().map(|address| address.net);
        let targets = own.filter(|own| near.iter().any(|near| own.contains(&near.addr()))).collect();
        let gateways: Vec<IpAddr> = near.iter().map(IpNet::addr).collect();
        let answers = |family: &IpFamily| self.has_default(&at.netns, at.ifname, &gateways, *family);
        Some(Way { via: far, targets, answers: IpFamily::ALL.into_iter().filter(answers).collect() })
    }

    /// Whether the node's default route leads there.
    fn has_default(&self, node: &Label, dev: IfName, gateways: &[IpAddr], family: IpFamily) -> bool {
        let of_node = self.routes.iter().filter(|wanted| wanted.netns == *node).map(|wanted| &wanted.route);
        let defaults = of_node.filter(|route| route.destination == anywhere(family) && route.table == Route::MAIN);
        // Behind another one, it leads nobody anywhere.
        let first = defaults.min_by_key(|route| route.metric.unwrap_or(0));
        first.is_some_and(|route| match route.hops.as_slice() {
            [hop] => hop.dev.is_none_or(|found| found == dev) && hop.via.is_some_and(|via| gateways.contains(&via)),
            _ => false,
        })
    }

    fn no_target(&mut self, at: &LinkRef, way: &Way, ports: &Spanned<Ports>) {
        let via = &way.via;
        let message = match ports.value.outer {
            Some(outer) if !way.targets.is_empty() => {
                let family = if outer.is_ipv4() { "IPv4" } else { "IPv6" };
                format!("{outer} is {family}, and {at} has no {family} address to forward to")
            }
            _ => format!("{at} has no address in a network of {via} to forward to"),
        };
        self.wrong(ports.span, message, "give it one, with `ip` on the link or `subnet`");
    }

    fn forwarded_twice(&mut self, ports: &Spanned<Ports>, port: u16, first: Span, netns: &Label) {
        let (protocol, line) = (ports.value.protocol, first.line);
        let place = if first.line == ports.span.line { String::new() } else { format!(", first in line {line}") };
        let help = "open another port; `{i}` in it counts the copies of a link: \"{i+8080}:80/tcp\"";
        self.wrong(ports.span, format!("port {port}/{protocol} of `{netns}` is forwarded twice{place}"), help);
    }

    fn add_nat(&mut self, at: &LinkRef, inner: &Spanned<Bare>) -> Option<()> {
        let inner_address = inner.value.0;
        let family = IpFamily::of(inner_address);
        let addresses = self.state.link(at)?.addresses.iter().map(|address| address.net.addr());
        let Some(outer) = addresses.into_iter().find(|address| IpFamily::of(*address) == family) else {
            if !self.doubt.about(&at.netns, Gap::Addresses) {
                let message = format!("{at} has no address that could stand for {inner_address}");
                self.wrong(inner.span, message, "give it one of the same family, with `ip` on the link");
            }
            return None;
        };
        self.switch_forwarding_on(&at.netns, family);
        let nat = Nat { dev: at.ifname, outer, inner: inner_address };
        self.firewall(&at.netns).nats.push(nat);
        Some(())
    }
}

/// Clients whose answers would take another way: programs at 127.0.0.1, and whoever is in the node's own network.
fn hidden(net: IpNet) -> Vec<IpNet> {
    let loopback = Ipv4Net::new(Ipv4Addr::new(127, 0, 0, 0), 8).expect("a valid length");
    match net {
        IpNet::V4(_) => vec![loopback.into(), net.trunc()],
        IpNet::V6(_) => vec![net.trunc()],
    }
}

fn anywhere(family: IpFamily) -> IpNet {
    let text = match family {
        IpFamily::V4 => "0.0.0.0/0",
        IpFamily::V6 => "::/0",
    };
    text.parse().expect("a network")
}
