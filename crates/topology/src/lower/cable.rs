//! veth pairs: between two nodes, or from a node to a bridge. Does not know the bridge's options.

use wireloom_engine::{BridgePort, IfName, LinkKind, LinkRef, Mac, Veth};

use crate::{
    document::address::Subnet,
    lower::{
        Builder, Copied, Gap, Mtu, Place, Wire,
        interface::{Interface, Side},
    },
    pool,
    read::Spanned,
    wrong::Wrong,
};

impl Builder {
    /// A link with two ends: one pair, no bridge. `kind` says what each end is, given the other.
    pub(crate) fn pair(&mut self, copy: &Copied<'_>, kind: &dyn Fn(usize, &LinkRef) -> LinkKind) -> Option<()> {
        let (first, second) = (copy.at_end(self, 0), copy.at_end(self, 1));
        let (first, second) = (first?, second?);
        let closed = self.is_own(&first.netns) && self.is_own(&second.netns);
        let mut a = self.interface(copy, kind(0, &second), &first, Side::First, closed);
        let mut b = self.interface(copy, kind(1, &first), &second, Side::Second, closed);
        a.link.mtu = Some(self.given_mtu(&copy.spec.mtu, &first).unwrap_or(Mtu::USUAL));
        b.link.mtu = Some(self.given_mtu(&copy.spec.mtu, &second).unwrap_or(Mtu::USUAL));
        let subnets = self.subnets(copy);
        let subnets = match copy.copies {
            Some(_) => subnets.and_then(|subnets| self.share(copy, &subnets, &mut a, &mut b, closed)),
            None => subnets,
        };
        if subnets.is_none() {
            self.doubt.add(&first.netns, Gap::Addresses);
            self.doubt.add(&second.netns, Gap::Addresses);
        }
        let mut ends = Vec::with_capacity(2);
        for (interface, named) in [a, b].into_iter().zip(&copy.ends) {
            ends.extend(self.put(interface, Place { span: named.span, mtu: copy.spec.mtu.span() }));
        }
        self.segments.push(Wire { ends, subnets: subnets.unwrap_or_default(), open: !closed, ..Wire::default() });
        Some(())
    }

    fn subnets(&mut self, copy: &Copied<'_>) -> Option<Vec<Spanned<Subnet>>> {
        let texts = copy.spec.subnet.get().into_iter().flatten().map(|text| (text.span, &text.value));
        self.filled_all(texts, &copy.numbers).filter(|_| !self.doubt.in_value(&copy.spec.subnet))
    }

    /// One of many links takes the next two addresses. What is left of the subnets is nothing.
    fn share(
        &mut self,
        copy: &Copied<'_>,
        subnets: &[Spanned<Subnet>],
        a: &mut Interface,
        b: &mut Interface,
        closed: bool,
    ) -> Option<Vec<Spanned<Subnet>>> {
        for subnet in subnets {
            let copies = copy.copies.unwrap_or(1);
            let pair = self.noted(subnet.span, pool::pair(subnet.value.0, copy.index, copies))?;
            for (interface, net) in [&mut *a, b].into_iter().zip(pair) {
                let v6 = net.addr().is_ipv6();
                if !interface.end.addresses.iter().any(|given| given.addr().is_ipv6() == v6) {
                    interface.link.addresses.push(wireloom_engine::Address::new(net, closed && v6));
                }
            }
        }
        Some(Vec::new())
    }

    /// A link with one end: its other end is a port of a bridge.
    pub(crate) fn port(&mut self, copy: &Copied<'_>) -> Option<()> {
        let (at, bridge) = (copy.at(self), self.bridge_of(copy));
        let bridge = bridge?;
        let Some(at) = at else {
            self.bridges[bridge].lost_end = true;
            return None;
        };
        let mut made = self.interface(copy, LinkKind::Veth(Veth { peer: None }), &at, Side::Only, false);
        made.link.mtu = self.given_mtu(&copy.spec.mtu, &at);
        let place = Place { span: copy.span, mtu: copy.spec.mtu.span() };
        let outer = self.filled(&copy.spec.outer_dev, &copy.numbers);
        let settings = self.port_settings(copy);
        if self.bridges[bridge].patch {
            self.refuse_port_keys(copy);
            self.add_patch_end(bridge, made, place);
            return Some(());
        }
        let (netns, controller) = (self.bridges[bridge].at.netns.clone(), self.bridges[bridge].at.ifname);
        if outer.is_none() {
            self.doubt.add(&netns, Gap::Interfaces);
        }
        let outer = outer.flatten().map_or_else(|| self.outer_name(&at), Ok);
        let outer = LinkRef { netns, ifname: self.noted(copy.span, outer)? };
        made.link.kind = LinkKind::Veth(Veth { peer: Some(outer.clone()) });
        let mut port = self.bare(LinkKind::Veth(Veth { peer: Some(at.clone()) }), &outer, None, None);
        (port.controller, port.queues) = (Some(controller), made.link.queues);
        port.port = settings.filter(|settings| *settings != BridgePort::default()).map(Box::new);
        let end = self.put(made, place)?;
        self.place(outer.clone(), port, Place { span: copy.spec.outer_dev.span().unwrap_or(copy.span), ..place });
        self.add_port(bridge, end, outer);
        Some(())
    }

    /// A link with one end that is itself a port of a bridge in its node.
    pub(crate) fn port_here(&mut self, copy: &Copied<'_>, at: LinkRef, kind: LinkKind) -> Option<()> {
        let bridge = self.bridge_of(copy)?;
        let (home, patch) = (self.bridges[bridge].at.clone(), self.bridges[bridge].patch);
        if home.netns != at.netns || patch {
            let help = format!("add it under `bridges:`, like {{bridge: {}, node: {}}}", home.ifname, at.netns);
            let span = copy.spec.bridge.span().unwrap_or(copy.span);
            self.wrong(
                span,
                format!("bridge `{}` is not one of node `{}`, where {at} is", home.ifname, at.netns),
                help,
            );
            return None;
        }
        let mut made = self.interface(copy, kind, &at, Side::Only, false);
        made.link.mtu = self.given_mtu(&copy.spec.mtu, &at);
        made.link.controller = Some(home.ifname);
        let end = self.put(made, Place { span: copy.span, mtu: copy.spec.mtu.span() })?;
        self.add_port(bridge, end, at);
        Some(())
    }

    fn bridge_of(&mut self, copy: &Copied<'_>) -> Option<usize> {
        let name = self.filled(&copy.spec.bridge, &copy.numbers);
        if !matches!(name, Some(Some(_))) {
            self.doubt.add_bridge_end();
        }
        let Some(name) = name? else {
            let help = "add `bridge: NAME`; or for a direct link `endpoints: [NODE:INTERFACE, NODE:INTERFACE]`; \
                        or a `type:` that needs neither, like dummy";
            self.wrong(copy.span, "a veth with one end and no bridge", help);
            return None;
        };
        self.bridge(&name, copy.spec.bridge.span().unwrap_or(copy.span))
    }

    /// `NODE-DEV` if that fits and can be read only one way; else a piece of the node's name and a hash.
    fn outer_name(&self, at: &LinkRef) -> Result<IfName, Wrong> {
        let (node, dev) = (at.netns.as_str(), at.ifname.as_str());
        let plain = format!("{node}-{dev}");
        let name = if plain.len() <= IfName::MOST && !dev.contains('-') {
            plain
        } else {
            let Mac([_, a, b, c, d, e]) = Mac::stable(&["outer-dev", self.owner.as_str(), node, dev]);
            let piece: String = node.chars().take(4).collect();
            format!("{piece}-{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}")
        };
        name.parse().map_err(|e| Wrong::new(format!("{e}"), "give the end at the bridge a name: `outer-dev: NAME`"))
    }

    /// The two ends of a patch become one pair.
    pub(super) fn join(&mut self, ends: [(Interface, Place); 2]) -> Option<()> {
        let [(mut a, a_place), (mut b, b_place)] = ends;
        let veth = |peer: &LinkRef| LinkKind::Veth(Veth { peer: Some(peer.clone()) });
        (a.link.kind, b.link.kind) = (veth(&b.end.at), veth(&a.end.at));
        let mtu = a.link.mtu.or(b.link.mtu).unwrap_or(Mtu::USUAL);
        (a.link.mtu, b.link.mtu) = (Some(a.link.mtu.unwrap_or(mtu)), Some(b.link.mtu.unwrap_or(mtu)));
        let closed = self.is_own(&a.end.at.netns) && self.is_own(&b.end.at.netns);
        let ends = [self.put(a, a_place), self.put(b, b_place)];
        let wire = Wire { ends: ends.into_iter().flatten().collect(), open: !closed, ..Wire::default() };
        self.settle_nodad(&wire);
        self.segments.push(wire);
        Some(())
    }
}
