//! Checks: who asks whom, and by which address. Does not ask.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use wireloom_engine::{IfName, Label, Link, LinkRef};

use crate::{
    document::{
        Document,
        check::{CheckSpec, PingSpec, RouteSpec, TcpSpec},
        text::{Word, parse},
        units::Timeout,
    },
    expand::{MOST, Numbers, Pattern},
    lower::{Builder, Gap},
    lowered::{Check, Target, Via},
    read::{Field, Spanned, nearest},
    source::Span,
    wrong::Wrong,
};

const TIMEOUT_MS: u32 = 2000;
/// Routers need a while to agree.
const PATIENCE_MS: u32 = 30_000;

/// Who has an address.
pub(super) type Owners = HashMap<IpAddr, LinkRef>;

impl Builder {
    pub(super) fn add_checks(&mut self, document: &Document) {
        let checks = document.checks.get().into_iter().flatten();
        let mut owners = None;
        for Spanned { value: spec, span } in checks {
            let owners = owners.get_or_insert_with(|| self.owners());
            self.add_check(spec, *span, owners);
        }
    }

    /// One check of all those that it stands for.
    pub(super) fn add_check(&mut self, spec: &CheckSpec, span: Span, owners: &Owners) {
        match (spec.ping.get(), spec.tcp.get(), spec.route.get()) {
            (Some(ping), None, None) => self.add_pings(ping, span, owners),
            (None, Some(tcp), None) => self.add_connections(tcp, span, owners),
            (None, None, Some(route)) => self.add_route_checks(route, span, owners),
            (None, None, None) if spec.has_bad() => {}
            _ => {
                let help = "write {ping: {from: NODE, to: NODE}}";
                self.wrong(span, "a check is one of `ping`, `tcp` and `route`", help);
            }
        }
    }

    pub(super) fn owners(&self) -> Owners {
        let mut owners = Owners::new();
        for (netns, namespace) in &self.state.namespaces {
            for (ifname, link) in &namespace.links {
                for address in &link.addresses {
                    owners.entry(address.net.addr()).or_insert_with(|| LinkRef::new(netns, *ifname));
                }
            }
        }
        owners
    }

    fn add_pings(&mut self, spec: &PingSpec, span: Span, owners: &Owners) {
        let count = spec.count.get().copied().unwrap_or(1).max(1);
        let (timeout_ms, expect_fail) =
            (timeout(&spec.timeout, TIMEOUT_MS), spec.fails.get().copied().unwrap_or(false));
        self.each(&spec.from, &spec.to, span, |builder, from, to, at, _| {
            let (to, address) = builder.target(&from, &to, at, owners)?;
            builder.checks.push(Check::Ping { from, to, address, count, timeout_ms, expect_fail });
            Some(())
        });
    }

    fn add_connections(&mut self, spec: &TcpSpec, span: Span, owners: &Owners) {
        let (timeout_ms, expect_fail) =
            (timeout(&spec.timeout, TIMEOUT_MS), spec.fails.get().copied().unwrap_or(false));
        self.each(&spec.from, &spec.to, span, |builder, from, to, at, _| {
            let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
            let Some((host, port)) = to.rsplit_once(':').and_then(|(host, p)| Some((host, port(p)?))) else {
                let help = "write NODE:PORT, NODE:INTERFACE:PORT, 10.0.0.1:80 or [2001:db8::1]:80";
                builder.wrong(at, format!("`{to}` names no port"), help);
                return None;
            };
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            let (target, address) = builder.target(&from, host, at, owners)?;
            let (to, address) = (Target { text: to, ..target }, SocketAddr::new(address, port));
            builder.checks.push(Check::Tcp { from, to, address, timeout_ms, expect_fail });
            Some(())
        });
    }

    fn add_route_checks(&mut self, spec: &RouteSpec, span: Span, owners: &Owners) {
        let (timeout_ms, expect_fail) =
            (timeout(&spec.timeout, PATIENCE_MS), spec.fails.get().copied().unwrap_or(false));
        self.each(&spec.from, &spec.to, span, |builder, from, to, at, numbers| {
            let exact = to.contains('/');
            let (to, net) = match exact {
                true => (Target { text: to.clone(), node: None, ifname: None }, builder.noted(at, network(&to))?),
                false => builder.target(&from, &to, at, owners).map(|(to, address)| (to, IpNet::from(address)))?,
            };
            let via = match builder.filled(&spec.via, numbers)? {
                Some(text) => Some(builder.next_hop(&from, &text, spec.via.span().unwrap_or(span))?),
                None => None,
            };
            builder.checks.push(Check::Route { from, to, net, exact, via, timeout_ms, expect_fail });
            Some(())
        });
    }

    /// A node, by all of its addresses and by the cables that lead to it; one of its interfaces; or an address.
    fn next_hop(&mut self, from: &Label, text: &str, span: Span) -> Option<Via> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Via { text: text.into(), addresses: vec![address], ifnames: Vec::new() });
        }
        let (name, ifname) = match text.split_once(':') {
            Some((name, ifname)) => (name, Some(self.noted(span, parse::<IfName>(ifname))?)),
            None => (text, None),
        };
        let node = self.node(name, span)?;
        let is_meant = |name: &IfName| ifname.is_none_or(|ifname| ifname == *name);
        let links = &self.state.namespaces.get(&node)?.links;
        if let Some(ifname) =
            ifname.filter(|ifname| !links.contains_key(ifname) && !self.doubt.about(&node, Gap::Interfaces))
        {
            let (message, help) = self.no_address(&node, Some(ifname));
            self.wrong(span, message, help);
            return None;
        }
        let meant = links.iter().filter(|(name, _)| is_meant(name));
        let addresses = meant.flat_map(|(_, link)| link.addresses.iter().map(|address| address.net.addr())).collect();
        let leads = |link: &Link| link.kind.peer().is_some_and(|peer| peer.netns == node && is_meant(&peer.ifname));
        let own = &self.state.namespaces.get(from)?.links;
        let ifnames = own.iter().filter(|(_, link)| leads(link)).map(|(name, _)| *name).collect();
        Some(Via { text: text.into(), addresses, ifnames })
    }

    /// All pairs of the two ranges; a node is not paired with itself. The first wrong pair speaks for all.
    fn each(
        &mut self,
        from: &Field<Word<Pattern>>,
        to: &Field<Word<Pattern>>,
        span: Span,
        mut add: impl FnMut(&mut Builder, Label, String, Span, &Numbers) -> Option<()>,
    ) -> Option<()> {
        for (key, field) in [("from", from), ("to", to)].iter().filter(|(_, field)| field.is_absent()) {
            let help = if field.is_absent() { format!("add `{key}: NODE`") } else { String::new() };
            self.wrong(span, format!("a check without `{key}`"), help);
        }
        let (from, to) = (from.spanned()?, to.spanned()?);
        let (Word(a), Word(b)) = (&from.value, &to.value);
        if a.len().saturating_mul(b.len()).saturating_add(self.checks.len()) > MOST {
            self.wrong(span, format!("more than {MOST} checks"), format!("{MOST} are possible"));
            return None;
        }
        let ranges = a.is_range() && b.is_range();
        for (i, j) in (0..a.len()).flat_map(|i| (0..b.len()).map(move |j| (i, j))) {
            let numbers = Numbers::two(a.number(i), b.number(j), i * b.len() + j);
            let asker = self.noted(from.span, a.name(i, &numbers))?;
            let asked = self.noted(to.span, b.name(j, &numbers))?;
            if ranges && asked.split(':').next() == Some(asker.as_str()) {
                continue;
            }
            let Some(asker) = self.node(&asker, from.span) else {
                // Who is asked may be wrong too.
                let host = self.host();
                add(self, host, asked, to.span, &numbers);
                return None;
            };
            add(self, asker, asked, to.span, &numbers)?;
        }
        Some(())
    }

    /// Who is asked, and by which address.
    fn target(&mut self, from: &Label, text: &str, span: Span, owners: &Owners) -> Option<(Target, IpAddr)> {
        if let Ok(address) = text.parse::<IpAddr>() {
            let owner = owners.get(&address);
            let (node, ifname) = (owner.map(|at| at.netns.clone()), owner.map(|at| at.ifname));
            return Some((Target { text: text.into(), node, ifname }, address));
        }
        let (name, ifname) = match text.split_once(':') {
            Some((name, ifname)) => (name, Some(self.noted(span, parse::<IfName>(ifname))?)),
            None => (text, None),
        };
        let node = self.node(name, span)?;
        let found = self.choose(from, &node, ifname);
        let missing = ifname.is_some_and(|ifname| self.state.link(&LinkRef::new(&node, ifname)).is_none());
        let gap = if missing { Gap::Interfaces } else { Gap::Addresses };
        if found.is_none() && !self.doubt.about(&node, gap) {
            let (message, help) = self.no_address(&node, ifname);
            self.wrong(span, message, help);
        }
        let (ifname, address) = found?;
        Some((Target { text: text.into(), node: Some(node), ifname: Some(ifname) }, address))
    }

    fn no_address(&self, node: &Label, ifname: Option<IfName>) -> (String, String) {
        let links = &self.state.namespaces[node].links;
        match ifname {
            Some(ifname) if !links.contains_key(&ifname) => {
                let known: Vec<&str> = links.keys().map(IfName::as_str).collect();
                (format!("`{node}` has no interface `{ifname}`"), nearest(ifname.as_str(), &known))
            }
            Some(ifname) => (format!("{node}:{ifname} has no address"), "give it one with `ip:`".into()),
            None => {
                (format!("`{node}` has no address"), "give one of its links an `ip:`, or write an address here".into())
            }
        }
    }

    /// An address of the node: one on a network of the asker, else one of `lo`, else the first.
    fn choose(&self, from: &Label, node: &Label, ifname: Option<IfName>) -> Option<(IfName, IpAddr)> {
        let near = self.state.namespaces.get(from)?;
        let near: Vec<_> = near.links.values().flat_map(|link| &link.addresses).map(|address| address.net).collect();
        let links = self.state.namespaces.get(node)?.links.iter();
        let links = links.filter(|(name, _)| ifname.is_none_or(|ifname| ifname == **name));
        let all = links.flat_map(|(name, link)| link.addresses.iter().map(|address| (*name, address.net.addr())));
        all.min_by_key(|(name, address)| {
            let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
            let direct = near.iter().any(|net| net.contains(address));
            (link_local, !direct, *name != IfName::lo())
        })
    }
}

fn timeout(field: &Field<Word<Timeout>>, usual: u32) -> u32 {
    field.get().map_or(usual, |Word(timeout)| timeout.0)
}

/// A network, and no host in it.
fn network(text: &str) -> Result<IpNet, Wrong> {
    let help = "write a network like 10.0.5.0/24, or a node";
    let net: IpNet = text.parse().map_err(|_| Wrong::new(format!("`{text}` is not a network"), help))?;
    if net.addr() != net.network() {
        return Err(Wrong::new(format!("`{text}` is a host in a network"), format!("write {}", net.trunc())));
    }
    Ok(net)
}
