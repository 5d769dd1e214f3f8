//! veth pairs: between two nodes, or from a node to a bridge. Does not know the bridge's options.

use wireloom_engine::{IfName, LinkKind, LinkRef, Mac, Veth};

use crate::{
    document::address::Subnet,
    lower::{
        Builder, Copied, End, Mtu, Place, Wire,
        interface::{Interface, Side},
    },
    pool,
    read::Spanned,
    wrong::Wrong,
};

impl Builder {
    /// A link with two ends: one pair, no bridge.
    pub(crate) fn pair(&mut self, copy: &Copied<'_>) -> Option<()> {
        let (first, second) = (copy.at_end(self, 0), copy.at_end(self, 1));
        let (first, second) = (first?, second?);
        let closed = self.is_own(&first.netns) && self.is_own(&second.netns);
        let veth = |peer: &LinkRef| LinkKind::Veth(Veth { peer: Some(peer.clone()) });
        let a = self.interface(copy, veth(&second), &first, Side::First, closed);
        let b = self.interface(copy, veth(&first), &second, Side::Second, closed);
        let (mut a, mut b) = (a?, b?);
        let mtu = self.given_mtu(&copy.spec.mtu)?.unwrap_or(Mtu::USUAL);
        (a.link.mtu, b.link.mtu) = (Some(mtu), Some(mtu));
        let subnets = self.subnets(copy)?;
        let subnets = match copy.copies {
            None => subnets,
            Some(_) => self.share(copy, &subnets, &mut a, &mut b, closed)?,
        };
        let mut ends = Vec::with_capacity(2);
        for (Interface { link, end }, named) in [a, b].into_iter().zip(&copy.ends) {
            self.place(end.at.clone(), link, Place { span: named.span, mtu: copy.spec.mtu.span() })?;
            ends.push(end);
        }
        self.segments.push(Wire { bridge: None, ends, subnets, open: !closed });
        Some(())
    }

    fn subnets(&mut self, copy: &Copied<'_>) -> Option<Vec<Spanned<Subnet>>> {
        let texts = copy.spec.subnet.get().into_iter().flatten().map(|text| (text.span, &text.value));
        self.filled_all(texts, &copy.numbers)
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
        let at = copy.at(self);
        let Some(name) = self.filled(&copy.spec.bridge, &copy.numbers)? else {
            let help = "add `bridge: NAME`; or for a direct link `endpoints: [NODE:INTERFACE, NODE:INTERFACE]`; \
                        or a `type:` that needs neither, like dummy";
            self.wrong(copy.span, "a veth with one end and no bridge", help);
            return None;
        };
        let bridge = self.bridge(&name, copy.spec.bridge.span().unwrap_or(copy.span));
        let (at, bridge) = (at?, bridge?);
        let Interface { mut link, end } =
            self.interface(copy, LinkKind::Veth(Veth { peer: None }), &at, Side::Only, false)?;
        link.mtu = self.given_mtu(&copy.spec.mtu)?;
        let outer = self.filled(&copy.spec.outer_dev, &copy.numbers)?;
        let place = Place { span: copy.span, mtu: copy.spec.mtu.span() };
        if self.bridges[bridge].patch {
            return self.add_patch_end(bridge, link, end, place);
        }
        let outer = outer.map_or_else(|| self.outer_name(&at), Ok);
        let outer = LinkRef { netns: self.bridges[bridge].at.netns.clone(), ifname: self.noted(copy.span, outer)? };
        link.kind = LinkKind::Veth(Veth { peer: Some(outer.clone()) });
        let mut port = self.bare(LinkKind::Veth(Veth { peer: Some(at.clone()) }), &outer, None, None)?;
        (port.controller, port.queues) = (Some(self.bridges[bridge].at.ifname), link.queues);
        self.place(at, link, place)?;
        let place = Place { span: copy.spec.outer_dev.span().unwrap_or(copy.span), ..place };
        self.place(outer.clone(), port, place)?;
        self.add_port(bridge, end, outer);
        Some(())
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
    pub(super) fn join(&mut self, ends: [(wireloom_engine::Link, End, Place); 2]) -> Option<()> {
        let [(mut a, first, a_place), (mut b, second, b_place)] = ends;
        let veth = |peer: &LinkRef| LinkKind::Veth(Veth { peer: Some(peer.clone()) });
        (a.kind, b.kind) = (veth(&second.at), veth(&first.at));
        let mtu = a.mtu.or(b.mtu).unwrap_or(Mtu::USUAL);
        (a.mtu, b.mtu) = (Some(a.mtu.unwrap_or(mtu)), Some(b.mtu.unwrap_or(mtu)));
        self.place(first.at.clone(), a, a_place)?;
        self.place(second.at.clone(), b, b_place)?;
        let closed = self.is_own(&first.at.netns) && self.is_own(&second.at.netns);
        let wire = Wire { ends: vec![first, second], open: !closed, ..Wire::default() };
        self.settle_nodad(&wire);
        self.segments.push(wire);
        Some(())
    }
}
