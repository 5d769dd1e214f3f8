//! Ways out: a veth pair between a node and the namespace that it leaves by, with addresses that nobody chose. Forwards to
//! a node that is reached in no other way take it, too. Does not know ports.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::Ipv4Addr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use wireloom_engine::{Address, Firewall, IfName, IpFamily, Label, LinkKind, LinkRef, Mac, Route, Veth};

use crate::{
    document::{address::Subnet, node::NodeSpec},
    expand::Numbers,
    lower::{Builder, End, Mtu, Place, Wanted, Wire},
    pool,
    read::Spanned,
    source::Span,
};

/// The interface in the node.
const INNER: &str = "uplink";

/// 198.18.0.0/15: set aside for networks that test devices, so that no other network is likely to be hidden.
const POOL: [u8; 4] = [198, 18, 0, 0];
const PAIRS: u32 = 1 << 16;

/// Behind any default route that the document gives the node itself.
const METRIC: u32 = 2048;

/// What a document says about a node's way out.
#[derive(Debug)]
pub(super) struct Internet {
    base: Option<Spanned<String>>,
    ipv6: bool,
    subnets: Vec<Spanned<Subnet>>,
    span: Span,
}

/// Ways out while they are collected.
#[derive(Debug, Default)]
pub(super) struct Uplinks {
    wanted: BTreeMap<Label, Internet>,
    /// By node: the end where it leads to, and the one in the node.
    made: BTreeMap<Label, (LinkRef, LinkRef)>,
    taken: HashSet<u32>,
    used: HashMap<IpNet, usize>,
}

impl Uplinks {
    /// The way out of a node: the end where it leads to, and the one in the node.
    pub(super) fn of(&self, node: &Label) -> Option<&(LinkRef, LinkRef)> {
        self.made.get(node)
    }
}

impl Builder {
    /// Notes that a node is to have a way out.
    pub(super) fn want_internet(&mut self, node: &Label, spec: &NodeSpec, numbers: &Numbers) -> Option<()> {
        let span = spec.internet.span()?;
        let keys = spec.internet.get()?.keys()?;
        let base = self.filled(&keys.base, numbers)?;
        let base = base.map(|value| Spanned { value, span: keys.base.span().unwrap_or(span) });
        let texts = keys.subnet.get().into_iter().flatten().map(|text| (text.span, &text.value));
        let subnets = self.filled_all(texts, numbers)?;
        let ipv6 = keys.ipv6.get() == Some(&true) || subnets.iter().any(|net| net.value.0.addr().is_ipv6());
        self.uplinks.wanted.insert(node.clone(), Internet { base, ipv6, subnets, span });
        Some(())
    }

    /// Makes the ways out, and those that `forwards` to these nodes need.
    pub(super) fn add_uplinks(&mut self, forwards: Vec<(Label, Span)>) {
        let wanted = std::mem::take(&mut self.uplinks.wanted);
        for (node, internet) in &wanted {
            self.add_uplink(node, internet, true);
        }
        for (node, span) in forwards {
            if !self.uplinks.made.contains_key(&node) && !wanted.contains_key(&node) {
                let only_in = Internet { base: None, ipv6: false, subnets: Vec::new(), span };
                self.add_uplink(&node, &only_in, false);
            }
        }
    }

    fn add_uplink(&mut self, node: &Label, wanted: &Internet, internet: bool) -> Option<()> {
        let base = match &wanted.base {
            None => self.host(),
            Some(base) => self.node(&base.value, base.span)?,
        };
        if base == *node {
            let span = wanted.base.as_ref().map_or(wanted.span, |base| base.span);
            self.wrong(span, format!("`{node}` cannot be its own way out"), "name another node, or leave `base` out");
            return None;
        }
        let pairs = self.pairs(node, wanted)?;
        let inner = LinkRef::new(node, INNER.parse().expect("a valid name"));
        let outer = LinkRef::new(&base, self.outer_end(node));
        for (index, (at, peer)) in [(&outer, &inner), (&inner, &outer)].into_iter().enumerate() {
            let mut link = self.bare(LinkKind::Veth(Veth { peer: Some(peer.clone()) }), at, None, None);
            (link.mtu, link.queues) = (Some(Mtu::USUAL), Some(1));
            link.addresses = pairs.iter().map(|pair| Address::new(pair[index], pair[index].addr().is_ipv6())).collect();
            self.place(at.clone(), link, Place { span: wanted.span, mtu: None })?;
        }
        let ends = [&inner, &outer].map(|at| End::bare(at.clone())).into();
        self.segments.push(Wire { ends, ..Wire::default() });
        if internet {
            self.lead_out(node, &inner, &outer, &pairs, wanted.span);
        }
        self.uplinks.made.insert(node.clone(), (outer, inner));
        Some(())
    }

    /// What is behind the node leaves in the node's name, and the node in the name of the namespace that it leaves by.
    fn lead_out(&mut self, node: &Label, inner: &LinkRef, outer: &LinkRef, pairs: &[[IpNet; 2]], span: Span) {
        self.firewall(node).masquerade.insert(inner.ifname);
        let sources = pairs.iter().map(|[_, there]| IpNet::from(there.addr())).collect();
        let uplink = wireloom_engine::Uplink { dev: outer.ifname, sources };
        self.firewall(&outer.netns).uplinks.push(uplink);
        for [here, _] in pairs {
            self.switch_forwarding_on(&outer.netns, IpFamily::of(here.addr()));
            let anywhere = if here.addr().is_ipv4() { "0.0.0.0/0" } else { "::/0" };
            let destination = anywhere.parse().expect("a network");
            let mut route = Route::new(destination, Some(here.addr()), Some(inner.ifname));
            route.metric = Some(METRIC);
            self.routes.push(Wanted { netns: node.clone(), route, span });
        }
    }

    /// The firewall of a namespace, made if there is none yet.
    pub(super) fn firewall(&mut self, netns: &Label) -> &mut Firewall {
        let namespace = self.state.namespaces.get_mut(netns).expect("made before its firewall");
        namespace.firewall.get_or_insert_with(Firewall::default)
    }

    /// Unless the document says otherwise.
    pub(super) fn switch_forwarding_on(&mut self, netns: &Label, family: IpFamily) {
        let key = match family {
            IpFamily::V4 => "net.ipv4.ip_forward",
            IpFamily::V6 => "net.ipv6.conf.all.forwarding",
        };
        let namespace = self.state.namespaces.get_mut(netns).expect("made before its settings");
        namespace.sysctls.entry(key.to_owned()).or_insert_with(|| "1".to_owned());
    }

    /// The same from run to run, whatever nodes come and go, and another one for each topology.
    fn outer_end(&self, node: &Label) -> IfName {
        let Mac([_, a, b, c, d, e]) = Mac::stable(&["uplink", self.owner.as_str(), node.as_str()]);
        format!("wl-{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}").parse().expect("13 letters and digits")
    }

    fn pairs(&mut self, node: &Label, wanted: &Internet) -> Option<Vec<[IpNet; 2]>> {
        let given = |v4: bool| wanted.subnets.iter().find(move |net| net.value.0.addr().is_ipv4() == v4);
        let v4 = match given(true) {
            Some(subnet) => self.next_pair(subnet)?,
            None => self.pair_of_the_pool(node),
        };
        if !wanted.ipv6 {
            return Some(vec![v4]);
        }
        let v6 = match given(false) {
            Some(subnet) => self.next_pair(subnet)?,
            None => self.local_pair(node),
        };
        Some(vec![v4, v6])
    }

    fn next_pair(&mut self, subnet: &Spanned<Subnet>) -> Option<[IpNet; 2]> {
        let used = self.uplinks.used.entry(subnet.value.0).or_default();
        *used += 1;
        let index = *used - 1;
        self.noted(subnet.span, pool::pair(subnet.value.0, index, index + 1))
    }

    /// By the names of topology and node, so that several topologies hardly meet: each does not know the others.
    fn pair_of_the_pool(&mut self, node: &Label) -> [IpNet; 2] {
        let Mac([_, _, _, _, a, b]) = Mac::stable(&["uplink", self.owner.as_str(), node.as_str()]);
        let start = u32::from(u16::from_be_bytes([a, b]));
        let free = (0..PAIRS).map(|n| (start + n) % PAIRS).find(|pair| !self.uplinks.taken.contains(pair));
        let pair = free.unwrap_or(start);
        self.uplinks.taken.insert(pair);
        let address =
            |end| Ipv4Net::new(Ipv4Addr::from(u32::from_be_bytes(POOL) + 2 * pair + end), 31).expect("a valid length");
        [0, 1].map(|end| address(end).into())
    }

    /// Of a network that is ours alone (RFC 4193), by the same names.
    fn local_pair(&self, node: &Label) -> [IpNet; 2] {
        let Mac([_, a, b, c, d, e]) = Mac::stable(&["uplink", self.owner.as_str()]);
        let Mac([_, h, i, j, k, l]) = Mac::stable(&["uplink", self.owner.as_str(), node.as_str()]);
        let address = |end| {
            let octets = [0xfd, a, b, c, d, e, 0, 0, 0, h, i, j, k, l, 0, end];
            Ipv6Net::new(octets.into(), 127).expect("a valid length")
        };
        [0, 1].map(|end| address(end).into())
    }
}
