//! What all kinds of link have: addresses, MAC, alias, impairment, routes. Does not know the kinds.

use std::{fmt, str::FromStr};

use wireloom_engine::{DeviceSetting, Label, Link, LinkKind, LinkRef, Mac, Mark, Qdisc, Tbf};

use crate::{
    document::{
        ethtool::{EthtoolSpec, Setting},
        netem::NetemSpec,
        route::RouteLine,
        text::{PerEnd, Placed, Unfit, Word},
        units::Rate,
    },
    lower::{Builder, Copied, End, Gap, Mtu, Place, Wanted, Wire, segment::addresses},
    read::{Field, Spanned},
    source::Span,
};

/// Which end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// There is no other.
    Only,
    First,
    Second,
}

/// An interface that is ready to be placed.
pub(super) struct Interface {
    pub(super) link: Link,
    pub(super) end: End,
    /// Routes out of it.
    routes: Vec<Wanted>,
}

impl Builder {
    /// Places a link with one end that is no port of a bridge.
    pub(crate) fn single(
        &mut self,
        link: &Copied<'_>,
        at: LinkRef,
        kind: LinkKind,
        mtu: Mtu,
        closed: bool,
    ) -> Option<()> {
        let mut made = self.interface(link, kind, &at, Side::Only, closed);
        made.link.mtu = self.given_mtu(&link.spec.mtu, &at).or(matches!(mtu, Mtu::Usual).then_some(Mtu::USUAL));
        self.stack(&at, mtu, link.spec.outer_dev.span().unwrap_or(link.span));
        let end = self.put(made, Place { span: link.span, mtu: link.spec.mtu.span() })?;
        self.segments.push(Wire { ends: vec![end], open: !closed, ..Wire::default() });
        Some(())
    }

    /// Places an interface with its routes.
    pub(super) fn put(&mut self, made: Interface, place: Place) -> Option<End> {
        let Interface { link, end, routes } = made;
        if self.place(end.at.clone(), link, place).is_none() {
            self.doubt.add(&end.at.netns, Gap::Addresses);
            return None;
        }
        self.routes.extend(routes);
        Some(end)
    }

    /// An interface with all that the document says about it, except its MTU. What is wrong is noted and left out.
    pub(super) fn interface(
        &mut self,
        copy: &Copied<'_>,
        kind: LinkKind,
        at: &LinkRef,
        side: Side,
        closed: bool,
    ) -> Interface {
        let spec = copy.spec;
        let given = self.values(copy, &spec.ip, "ip", side);
        let macs = self.values(copy, &spec.mac, "mac", side).unwrap_or_default();
        let remark = self.remark(copy, side);
        let routes = self.values(copy, &spec.route, "route", side);
        let controller = self.values(copy, &spec.controller, "controller", side).unwrap_or_default();
        if given.is_none() {
            self.doubt.add(&at.netns, Gap::Addresses);
        }
        if let [_, second, ..] = macs.as_slice() {
            self.wrong(second.span, "an interface has one MAC address", "write one of them");
        }
        if let Some(mac) = macs.first().filter(|_| !kind.has_mac()) {
            let message = format!("a link of type `{}` has no MAC address to choose", kind.name());
            self.wrong(mac.span, message, "leave out `mac`");
        }
        let automatic = given.is_some();
        let given = given.into_iter().flatten().map(|a| Spanned { value: a.value.0, span: a.span }).collect();
        let end = End { at: at.clone(), addresses: given, mac: macs.into_iter().next(), automatic };
        let mut link = self.bare(kind, at, end.mac.as_ref().map(|mac| mac.value), remark.as_ref());
        link.up = Some(spec.up.get().copied().unwrap_or(true));
        link.qdisc = self.qdisc(&spec.netem, &spec.rate);
        link.addresses = addresses(&end, closed);
        self.join_controller(at, &mut link, controller.into_iter().next());
        if matches!(link.kind, LinkKind::Veth(_)) {
            link.queues = Some(spec.queues.get().map_or(1, |queues| queues.0));
        }
        let routes = routes.into_iter().flatten().map(|route| out_of(at, route)).collect();
        self.set_device(&spec.ethtool, at);
        let ports = self.values_of_inner(copy, &spec.forward, "forward", side).unwrap_or_default();
        self.want_forwards(at, ports);
        let inner = self.values_of_inner(copy, &spec.nat, "nat", side).unwrap_or_default();
        self.want_nat(at, inner);
        Interface { link, end, routes }
    }

    /// A link of ours with its marks.
    pub(super) fn bare(
        &mut self,
        kind: LinkKind,
        at: &LinkRef,
        mac: Option<Mac>,
        remark: Option<&Spanned<String>>,
    ) -> Link {
        let mut link = Link::new(kind);
        let (netns, ifname) = (at.netns.as_str(), at.ifname);
        let usual = || Mac::stable(&[self.owner.as_str(), netns, ifname.as_str()]);
        link.mac = link.kind.has_mac().then(|| mac.unwrap_or_else(usual));
        let alias = Mark::link(&self.owner, at, remark.map(|remark| remark.value.as_str())).to_string();
        if let Some(remark) = remark.filter(|_| alias.len() > Mark::MOST) {
            let over = alias.len() - Mark::MOST;
            self.wrong(remark.span, format!("the alias is {over} bytes too long"), "write a shorter one");
        }
        (link.alias, link.group, link.up) = (Some(alias), Some(self.owner.group()), Some(true));
        link
    }

    /// The values that one end has for a key.
    pub(super) fn values<T>(
        &mut self,
        copy: &Copied<'_>,
        field: &Field<PerEnd<T>>,
        key: &str,
        side: Side,
    ) -> Option<Vec<Spanned<T>>>
    where
        T: FromStr<Err: fmt::Display> + Clone,
    {
        let Some(spanned) = field.spanned() else { return (!field.is_bad()).then(Vec::new) };
        let texts = self.texts(&spanned.value, spanned.span, key, side)?;
        self.filled_all(texts, &copy.numbers)
    }

    /// The same for a key that is about a node: where one end of a cable is at `host`, one text is for the other.
    fn values_of_inner<T>(
        &mut self,
        copy: &Copied<'_>,
        field: &Field<PerEnd<T>>,
        key: &str,
        side: Side,
    ) -> Option<Vec<Spanned<T>>>
    where
        T: FromStr<Err: fmt::Display> + Clone,
    {
        let shared = field.spanned().and_then(|spanned| Some((spanned.span, spanned.value.shared()?)));
        let at_host = |end: &Spanned<String>| end.value.split(':').next() == Some(Label::HOST);
        match (shared, copy.ends.iter().position(at_host)) {
            (Some(text), Some(host)) if side != Side::Only => {
                let is_host = (host == 1) == (side == Side::Second);
                self.filled_all((!is_host).then_some(text), &copy.numbers)
            }
            _ => self.values(copy, field, key, side),
        }
    }

    fn texts<'d, T>(&mut self, values: &'d PerEnd<T>, span: Span, key: &str, side: Side) -> Option<Placed<'d, T>> {
        let texts = match side {
            Side::Only => values.of_one(span),
            _ => values.of_two(side == Side::Second),
        };
        match texts {
            Ok(texts) => return Some(texts),
            Err(Unfit::Noted) => {}
            Err(Unfit::Nested(at)) => {
                self.wrong(at, "a list in a list", format!("a link with one end has one list under `{key}`"))
            }
            Err(Unfit::NotTwo) => {
                let help =
                    format!("write a list of two, one for each end, like `{key}: [FIRST, SECOND]`; null for none");
                self.wrong(span, format!("`{key}` of a link with two ends"), help);
            }
        }
        None
    }

    fn remark(&mut self, copy: &Copied<'_>, side: Side) -> Option<Spanned<String>> {
        let spanned = copy.spec.alias.spanned()?;
        let texts = match spanned.value.shared() {
            Some(text) => vec![(spanned.span, text)],
            None => self.texts(&spanned.value, spanned.span, "alias", side)?,
        };
        self.filled_all(texts, &copy.numbers)?.into_iter().next()
    }

    /// Settings of ethtool.
    fn set_device(&mut self, ethtool: &Field<EthtoolSpec>, at: &LinkRef) {
        let given = ethtool.spanned().map(|spec| spec.value.settings(spec.span));
        for Spanned { value: Setting { group, name, value }, span } in given.into_iter().flatten() {
            match DeviceSetting::new(at.ifname, group, &name, &value) {
                Err(error) => self.wrong(span, error.to_string(), error.help()),
                Ok(setting) => {
                    let netns = self.state.namespaces.get_mut(&at.netns);
                    netns.and_then(|netns| netns.sysctls.insert(setting.to_string(), value));
                }
            }
        }
    }

    /// The root qdisc for an impairment and a rate.
    pub(super) fn qdisc(&mut self, netem: &Field<NetemSpec>, rate: &Field<Word<Rate>>) -> Option<Qdisc> {
        let rate = rate.spanned().map(|rate| Spanned { value: rate.value.0.0, span: rate.span });
        let Some(spec) = netem.spanned().filter(|spec| !spec.value.has_bad()) else {
            return rate.map(|rate| Qdisc::Tbf(Tbf::of_rate(rate.value)));
        };
        let mut netem = self.noted(spec.span, spec.value.netem())?;
        if let Some(rate) = rate {
            if netem.rate_bit != 0 {
                self.wrong(rate.span, "the rate is given twice", "keep `rate` here or in `netem`");
            }
            netem.rate_bit = rate.value;
        }
        Some(Qdisc::Netem(netem))
    }
}

/// Out of the interface, unless the route says another.
fn out_of(at: &LinkRef, Spanned { value, span }: Spanned<RouteLine>) -> Wanted {
    let mut route = value.0;
    if let [hop] = route.hops.as_mut_slice() {
        hop.dev.get_or_insert(at.ifname);
    }
    Wanted { netns: at.netns.clone(), route, span }
}
