//! From a sketch to the desired state of one of its versions. Only what can be: parts without their nodes are left out,
//! gateways are neighbours. Deliberately knows nothing about the kernel.

use std::net::IpAddr;

use wireloom_engine::{
    Address, Bridge, BridgePort, Entry, Hop, IfName, Label, Link, LinkKind, LinkRef, Mac, MacvlanMode, Mark, Namespace,
    Neighbour, Netem, Nexthop, Origin, Owner, Qdisc, Route as EngineRoute, RouteKind, Rule, RuleAction, Source, State,
    Tbf, Veth, Vxlan, Way,
};

use super::sketch::{Cable, Case, Macvlan, OFFICE, Route, Shape, Switch, Sysctl, Tunnel, Versions};

/// The interface of others in the namespace that we run in.
pub(crate) const UPLINK: &str = "uplink";
/// The interface of others in their namespace.
pub(crate) const OFFICE_BRIDGE: &str = "br0";

pub(crate) fn owner() -> Owner {
    "prop".parse().unwrap()
}

/// The desired state of the first (0) or second (1) version.
pub(crate) fn build(case: &Case, version: usize) -> State {
    let mut builder = Builder { case, version, state: State::empty(owner()) };
    builder.namespaces();
    each(&case.cables, version, |id, cable| builder.cable(id, cable));
    each(&case.switches, version, |id, switch| builder.switch(id, switch));
    each(&case.tunnels, version, |id, tunnel| builder.tunnel(id, tunnel));
    each(&case.macvlans, version, |id, macvlan| builder.macvlan(id, macvlan));
    each(&case.routes, version, |id, route| builder.route(id, route));
    each(&case.sysctls, version, |_, sysctl| builder.sysctl(sysctl));
    each(&case.loopbacks, version, |id, node| builder.loopback(id, *node));
    builder.state
}

fn each<T>(parts: &[Versions<T>], version: usize, mut f: impl FnMut(usize, &T)) {
    let there = parts.iter().enumerate().filter_map(|(id, part)| Some((id, part[version].as_ref()?)));
    there.for_each(|(id, part)| f(id, part));
}

fn label(node: usize) -> Label {
    let name = if node == OFFICE { "office".to_owned() } else { format!("n{node}") };
    name.parse().unwrap()
}

fn host() -> Label {
    Label::HOST.parse().unwrap()
}

fn hub() -> Label {
    owner().hub().parse().unwrap()
}

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

fn cable_end(id: usize, end: usize) -> IfName {
    name(&format!("c{id}{}", ["a", "b"][end]))
}

fn address(text: &str) -> Address {
    let net: ipnet::IpNet = text.parse().unwrap();
    Address::new(net, net.addr().is_ipv6())
}

/// Some routes lead on by a nexthop object, and some have a rule for their table or a neighbour on their link. The kernel takes
/// no nexthop over a link without carrier, as one is whose other end is down.
fn accompany(netns: &mut Namespace, id: usize, route: &Route, dark: &[IfName], built: &mut EngineRoute) {
    let number = 100 + u32::try_from(id).unwrap();
    if route.table != EngineRoute::MAIN {
        let action = if route.source { RuleAction::Lookup(route.table) } else { RuleAction::Unreachable };
        netns.rules.push(Rule { to: Some(built.destination), ..Rule::new(number, route.v6, action) });
    }
    let [Hop { via, dev: Some(dev), .. }] = built.hops[..] else { return };
    if route.pick.is_multiple_of(3) {
        let address = if route.v6 { format!("fd77::{id}") } else { format!("198.18.0.{id}") }.parse().unwrap();
        let lladdr = format!("c2:77:00:00:00:0{}", route.pick % 4).parse().unwrap();
        let entry = if route.source { Entry::Proxy { address } } else { Entry::Lladdr { address, lladdr } };
        netns.neighbours.push(Neighbour { dev, entry, origin: Origin::Ours });
    }
    if route.pick.is_multiple_of(4) && !dark.contains(&dev) {
        let to = via.map_or(Way::Dev { dev, v6: route.v6 }, |via| Way::Via { via, dev, onlink: false });
        netns.nexthops.push(Nexthop { id: number, to, origin: Origin::Ours });
        built.hops.clear();
        built.nexthop = Some(number);
        if route.source {
            let group = Way::Group([(number, 1)].into());
            netns.nexthops.insert(0, Nexthop { id: number - 90, to: group, origin: Origin::Ours });
            built.nexthop = Some(number - 90);
        }
    }
}

/// The addresses of one end; the first of each family is the gateway of the other end's routes.
fn cable_addresses(id: usize, cable: &Cable, end: usize) -> Vec<Address> {
    let (net, salt) = (10 + id, cable.salt);
    let v4 = match cable.v4 {
        0 => vec![],
        1 => vec![format!("10.{net}.{salt}.{}/24", 1 + end)],
        2 => vec![format!("10.{net}.{salt}.{}/31", 4 + end)],
        // The second address of one version is the first of the other.
        _ => [usize::from(salt) + 1, usize::from(salt) + 2].map(|n| format!("10.{net}.9.{}/24", 10 * n + end)).to_vec(),
    };
    let v6 = match cable.v6 {
        0 => vec![],
        1 => vec![format!("fd00:{net}:{salt}::{}/64", 1 + end)],
        2 => vec![format!("fd00:{net}:{salt}::{}/127", 2 + end)],
        _ => vec![format!("fd00:{net}:{salt}::{}/64", 1 + end), format!("fd00:{net}:8::{}/64", 1 + end)],
    };
    v4.iter().chain(&v6).map(|text| address(text)).collect()
}

struct Builder<'a> {
    case: &'a Case,
    version: usize,
    state: State,
}

impl Builder<'_> {
    fn namespaces(&mut self) {
        let own =
            (0..self.case.nodes[self.version]).map(|n| (label(n), Source::Named(owner().netns_of(&format!("n{n}")))));
        let uses_hub = self.case.switches.iter().any(|s| s[self.version].is_some());
        let hub = uses_hub.then(|| (hub(), Source::Named(owner().hub())));
        for (label, source) in own.chain(hub) {
            let mut lo = Link::new(LinkKind::Loopback);
            lo.up = Some(true);
            lo.alias = Some(Mark::netns(&owner(), &label).to_string());
            let mut netns = Namespace::new(source, true);
            netns.links.insert(IfName::lo(), lo);
            self.state.namespaces.insert(label, netns);
        }
        self.state.namespaces.insert(host(), Namespace::new(Source::Current, false));
        if self.case.office[self.version] {
            self.state.namespaces.insert(label(OFFICE), Namespace::new(Source::Named("office".to_owned()), false));
        }
    }

    fn has(&self, node: usize) -> bool {
        self.state.namespaces.contains_key(&label(node))
    }

    fn put(&mut self, at: &LinkRef, salt: u8, mut link: Link) {
        let text = at.to_string();
        link.mac = Some(Mac::stable(&["prop", &text, &salt.to_string()]));
        link.group = Some(owner().group());
        link.up = link.up.or(Some(true));
        link.alias = Some(Mark::link(&owner(), at, link.alias.as_deref()).to_string());
        self.state.namespaces.get_mut(&at.netns).unwrap().links.insert(at.ifname, link);
    }

    fn cable(&mut self, id: usize, cable: &Cable) {
        if !cable.ends.iter().all(|node| self.has(*node)) {
            return;
        }
        let ends = [0, 1].map(|end| LinkRef::new(&label(cable.ends[end]), cable_end(id, end)));
        for end in [0, 1] {
            let mut link = Link::new(LinkKind::Veth(Veth { peer: Some(ends[1 - end].clone()) }));
            link.mtu = Some(cable.mtu);
            link.queues = Some(cable.queues);
            link.up = Some(cable.down != Some(end));
            link.addresses = cable_addresses(id, cable, end);
            link.alias = cable.remark.then(|| "to the other end".to_owned());
            let rate = cable.rate.filter(|_| end == 0);
            // Where the kernel has no netem, the second one is a token bucket as well, with another burst.
            link.qdisc = rate.map(|rate_bit| match cable.remark {
                false => Qdisc::Tbf(Tbf { rate_bit, burst: 32_000, limit: 100_000 }),
                true => Qdisc::Netem(Netem { rate_bit, ..Netem::default() }),
            });
            self.put(&ends[end], cable.salt, link);
        }
    }

    fn switch(&mut self, id: usize, switch: &Switch) {
        let at = LinkRef::new(&hub(), name(&format!("s{id}")));
        let mut bridge = Link::new(LinkKind::Bridge(Bridge {
            stp: switch.stp,
            group_fwd_mask: switch.mask,
            priority: switch.mask.map(|_| 4096),
            ..Bridge::default()
        }));
        bridge.mtu = Some(switch.mtu);
        bridge.addresses = switch.address.then(|| address(&format!("10.{}.0.254/24", 100 + id))).into_iter().collect();
        self.put(&at, 0, bridge);
        let ports: Vec<_> = switch.ports.iter().enumerate().filter(|(_, node)| self.has(**node)).collect();
        for (k, node) in ports {
            let port = LinkRef::new(&hub(), name(&format!("s{id}p{k}")));
            let end = LinkRef::new(&label(*node), name(&format!("e{id}x{k}")));
            let mut link = Link::new(LinkKind::Veth(Veth { peer: Some(end.clone()) }));
            (link.mtu, link.queues) = (Some(switch.mtu), Some(1));
            link.controller = (k > 0 || !switch.unplugged).then_some(at.ifname);
            // Settings of a port, each other one.
            let settings =
                BridgePort { isolated: k % 2 == 0, hairpin: true, learning: k % 2 == 1, ..BridgePort::default() };
            link.port = (switch.settings && link.controller.is_some()).then(|| Box::new(settings));
            self.put(&port, 0, link.clone());
            link.port = None;
            link.kind = LinkKind::Veth(Veth { peer: Some(port) });
            link.controller = None;
            let net = 100 + id;
            link.addresses =
                vec![address(&format!("10.{net}.0.{}/24", k + 1)), address(&format!("fd00:{net}::{}/64", k + 1))];
            self.put(&end, 0, link);
        }
    }

    fn tunnel(&mut self, id: usize, tunnel: &Tunnel) {
        let underlay = tunnel.underlay.filter(|node| self.has(*node)).map_or_else(host, label);
        let remote =
            if tunnel.v6 { format!("2001:db8::{}", tunnel.remote) } else { format!("192.0.2.{}", tunnel.remote) };
        let vni = 100 + 2 * u32::try_from(id).unwrap() + tunnel.vni;
        let mut link = Link::new(LinkKind::Vxlan(Box::new(Vxlan {
            vni,
            remote: Some(remote.parse().unwrap()),
            local: None,
            port: 4789,
            underlay: Some(underlay),
            dev: None,
        })));
        link.mtu = Some(1400);
        let switch = tunnel.switch.filter(|s| self.case.switches.get(*s).is_some_and(|s| s[self.version].is_some()));
        let netns = match switch {
            Some(switch) => {
                link.controller = Some(name(&format!("s{switch}")));
                hub()
            }
            None if self.has(tunnel.node) => {
                link.addresses = vec![address(&format!("10.{}.0.1/24", 80 + id))];
                label(tunnel.node)
            }
            None => return,
        };
        self.put(&LinkRef::new(&netns, name(&format!("vx{id}"))), 0, link);
    }

    fn macvlan(&mut self, id: usize, macvlan: &Macvlan) {
        let (parent, most) = match macvlan.cable {
            None => (LinkRef::new(&host(), name(UPLINK)), 1500),
            Some(cable) => match self.there(cable) {
                Some(found) => (LinkRef::new(&label(found.ends[0]), cable_end(cable, 0)), found.mtu),
                None => return,
            },
        };
        if !self.has(macvlan.node) {
            return;
        }
        let mode = [MacvlanMode::Bridge, MacvlanMode::Private, MacvlanMode::Vepa][usize::from(macvlan.mode)];
        let mut link = Link::new(LinkKind::Macvlan(wireloom_engine::Macvlan { parent: Some(parent), mode }));
        link.mtu = [Some(most), Some(most.min(1300)), None][usize::from(macvlan.mtu)];
        link.addresses = vec![address(&format!("10.{}.0.1/24", 60 + id))];
        if link.mtu.is_some_and(|mtu| mtu >= 1280) {
            link.addresses.push(address(&format!("fd00:{}::1/64", 60 + id)));
        }
        self.put(&LinkRef::new(&label(macvlan.node), name(&format!("mv{id}"))), 0, link);
    }

    /// The cable, if it is part of this version.
    fn there(&self, id: usize) -> Option<&Cable> {
        let cable = self.case.cables.get(id)?[self.version].as_ref()?;
        cable.ends.iter().all(|node| self.has(*node)).then_some(cable)
    }

    /// The cables of a node by the node's end, that end being up.
    fn cables_of(&self, node: usize) -> Vec<(usize, usize, &Cable)> {
        let all = (0..self.case.cables.len()).filter_map(|id| Some((id, self.there(id)?)));
        let ends = all.flat_map(|(id, cable)| [0, 1].map(|end| (id, end, cable)));
        ends.filter(|(_, end, cable)| cable.ends[*end] == node && cable.down != Some(*end)).collect()
    }

    fn route(&mut self, id: usize, route: &Route) {
        if !self.has(route.node) {
            return;
        }
        let net = if route.v6 { format!("fd99:{id}::/48") } else { format!("172.16.{id}.0/24") };
        let kind = match route.shape {
            Shape::Via | Shape::Dev | Shape::Multipath => RouteKind::Unicast,
            Shape::Blackhole => RouteKind::Blackhole,
            Shape::Unreachable => RouteKind::Unreachable,
            Shape::Prohibit => RouteKind::Prohibit,
        };
        let mut built = EngineRoute::new(net.parse().unwrap(), None, None);
        (built.kind, built.metric, built.table) = (kind, route.metric, route.table);
        built.hops.clear();
        if kind == RouteKind::Unicast {
            let Some((hops, source)) = self.hops(route) else { return };
            built.hops = hops;
            built.mtu = route.mtu;
            built.source = source.filter(|_| route.source && !route.v6);
            if id == 0 && route.table == EngineRoute::MAIN {
                built.destination = if route.v6 { "::/0" } else { "0.0.0.0/0" }.parse().unwrap();
            }
        }
        let dark = (0..self.case.cables.len()).filter(|id| self.there(*id).is_some_and(|cable| cable.down.is_some()));
        let dark: Vec<IfName> = dark.flat_map(|id| [cable_end(id, 0), cable_end(id, 1)]).collect();
        let netns = self.state.namespaces.get_mut(&label(route.node)).unwrap();
        accompany(netns, id, route, &dark, &mut built);
        netns.routes.push(built);
    }

    /// Next hops, and the address of the first one's own end.
    fn hops(&self, route: &Route) -> Option<(Vec<Hop>, Option<IpAddr>)> {
        let family = |id, end, cable: &Cable| {
            let all = cable_addresses(id, cable, end);
            all.iter().map(|a| a.net.addr()).find(|a| a.is_ipv6() == route.v6)
        };
        let usable = |(id, end, cable): (usize, usize, &Cable)| {
            let own = family(id, end, cable)?;
            let peer = family(id, 1 - end, cable).filter(|_| cable.ends[0] != cable.ends[1]);
            (route.shape == Shape::Dev || peer.is_some()).then_some((cable_end(id, end), own, peer))
        };
        let cables: Vec<_> = self.cables_of(route.node).into_iter().filter_map(usable).collect();
        let first = route.pick.checked_rem(cables.len())?;
        let many = if route.shape == Shape::Multipath { cables.len().min(2) } else { 1 };
        let picked = (0..many).map(|n| cables[(first + n) % cables.len()]);
        let hop = |(n, (dev, _, peer)): (usize, (IfName, IpAddr, Option<IpAddr>))| {
            let via = peer.filter(|_| route.shape != Shape::Dev);
            // The kernel finds the link of a gateway by itself.
            let dev = (via.is_none() || route.pick.is_multiple_of(2)).then_some(dev);
            Hop { weight: if many > 1 { u16::try_from(n + 1).unwrap() } else { 1 }, ..Hop::new(via, dev) }
        };
        Some((picked.enumerate().map(hop).collect(), Some(cables[first].1)))
    }

    fn sysctl(&mut self, sysctl: &Sysctl) {
        if !self.has(sysctl.node) {
            return;
        }
        let cables = self.cables_of(sysctl.node);
        let cable = sysctl.link.and_then(|link| cables.get(link.checked_rem(cables.len())?));
        let (key, value) = match cable {
            Some((id, end, _)) => (format!("net.ipv4.conf.{}.rp_filter", cable_end(*id, *end)), sysctl.value),
            None if sysctl.node == OFFICE && sysctl.value == 2 => {
                (format!("net.ipv4.conf.{OFFICE_BRIDGE}.rp_filter"), 2)
            }
            None if sysctl.link.is_some() => ("net.ipv4.conf.all.rp_filter".to_owned(), sysctl.value),
            None => ("net.ipv4.ip_forward".to_owned(), sysctl.value & 1),
        };
        let netns = self.state.namespaces.get_mut(&label(sysctl.node)).unwrap();
        netns.sysctls.insert(key, value.to_string());
    }

    fn loopback(&mut self, id: usize, node: usize) {
        let Some(netns) = self.state.namespaces.get_mut(&label(node)) else { return };
        let lo = netns.links.entry(IfName::lo()).or_insert_with(|| Link::new(LinkKind::Loopback));
        lo.addresses.extend([address(&format!("10.255.{id}.1/32")), address(&format!("fd00:ff:{id}::1/128"))]);
    }
}
