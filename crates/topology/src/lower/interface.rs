//! What all kinds of link have: addresses, MAC, alias, impairment, routes. Does not know the kinds.

use std::{fmt, str::FromStr};

use wireloom_engine::{Link, LinkKind, LinkRef, Mac, Mark, Qdisc, Tbf};

use crate::{
    document::{
        netem::NetemSpec,
        text::{PerEnd, Placed, Unfit, Word},
        units::Rate,
    },
    lower::{Builder, Copied, End, Mtu, Place, Wanted, Wire, segment::addresses},
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
        let Interface { link: mut made, end } = self.interface(link, kind, &at, Side::Only, closed)?;
        made.mtu = self.given_mtu(&link.spec.mtu)?.or(if matches!(mtu, Mtu::Usual) { Some(Mtu::USUAL) } else { None });
        self.stack(&at, mtu, link.span);
        self.place(at, made, Place { span: link.span, mtu: link.spec.mtu.span() })?;
        self.segments.push(Wire { ends: vec![end], open: !closed, ..Wire::default() });
        Some(())
    }

    /// An interface with all that the document says about it, except its MTU.
    pub(super) fn interface(
        &mut self,
        copy: &Copied<'_>,
        kind: LinkKind,
        at: &LinkRef,
        side: Side,
        closed: bool,
    ) -> Option<Interface> {
        let spec = copy.spec;
        let addresses_given = self.values(copy, &spec.ip, "ip", side)?;
        let macs = self.values(copy, &spec.mac, "mac", side)?;
        let remark = self.remark(copy, side)?;
        let qdisc = self.qdisc(&spec.netem, &spec.rate)?;
        self.routes_of(copy, at, side)?;
        let given: Vec<Spanned<_>> =
            addresses_given.into_iter().map(|a| Spanned { value: a.value.0, span: a.span }).collect();
        if let [_, second, ..] = macs.as_slice() {
            self.wrong(second.span, "an interface has one MAC address", "write one of them");
        }
        let end = End { at: at.clone(), addresses: given, mac: macs.into_iter().next(), automatic: true };
        let mut link = self.bare(kind, at, end.mac.as_ref().map(|mac| mac.value), remark.as_ref())?;
        link.up = Some(spec.up.get().copied().unwrap_or(true));
        link.qdisc = qdisc;
        link.addresses = addresses(&end, closed);
        if matches!(link.kind, LinkKind::Veth(_)) {
            link.queues = Some(self.queues(&spec.queues)?);
        }
        Some(Interface { link, end })
    }

    /// A link of ours with its marks.
    pub(super) fn bare(
        &mut self,
        kind: LinkKind,
        at: &LinkRef,
        mac: Option<Mac>,
        remark: Option<&Spanned<String>>,
    ) -> Option<Link> {
        let mut link = Link::new(kind);
        let (netns, ifname) = (at.netns.as_str(), at.ifname);
        link.mac = Some(mac.unwrap_or_else(|| Mac::stable(&[self.owner.as_str(), netns, ifname.as_str()])));
        let alias = Mark::link(&self.owner, at, remark.map(|remark| remark.value.as_str())).to_string();
        if let Some(remark) = remark.filter(|_| alias.len() > Mark::MOST) {
            let over = alias.len() - Mark::MOST;
            self.wrong(remark.span, format!("the alias is {over} bytes too long"), "write a shorter one");
            return None;
        }
        (link.alias, link.group, link.up) = (Some(alias), Some(self.owner.group()), Some(true));
        Some(link)
    }

    fn queues(&mut self, field: &Field<u32>) -> Option<u32> {
        match field.spanned() {
            None => (!field.is_bad()).then_some(1),
            Some(queues) if (1..=4096).contains(&queues.value) => Some(queues.value),
            Some(queues) => {
                self.wrong(queues.span, format!("{} queues", queues.value), "an interface has 1 to 4096 queues");
                None
            }
        }
    }

    /// The values that one end has for a key.
    fn values<T>(
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

    fn remark(&mut self, copy: &Copied<'_>, side: Side) -> Option<Option<Spanned<String>>> {
        let Some(spanned) = copy.spec.alias.spanned() else { return (!copy.spec.alias.is_bad()).then_some(None) };
        let texts = match spanned.value.shared() {
            Some(text) => vec![(spanned.span, text)],
            None => self.texts(&spanned.value, spanned.span, "alias", side)?,
        };
        Some(self.filled_all(texts, &copy.numbers)?.into_iter().next())
    }

    fn routes_of(&mut self, copy: &Copied<'_>, at: &LinkRef, side: Side) -> Option<()> {
        for Spanned { value, span } in self.values(copy, &copy.spec.route, "route", side)? {
            let mut route = value.0;
            if let [hop] = route.hops.as_mut_slice() {
                hop.dev.get_or_insert(at.ifname);
            }
            self.routes.push(Wanted { netns: at.netns.clone(), route, span });
        }
        Some(())
    }

    /// The root qdisc for an impairment and a rate.
    pub(super) fn qdisc(&mut self, netem: &Field<NetemSpec>, rate: &Field<Word<Rate>>) -> Option<Option<Qdisc>> {
        if netem.is_bad() || netem.get().is_some_and(NetemSpec::has_bad) || rate.is_bad() {
            return None;
        }
        let rate = rate.spanned().map(|rate| Spanned { value: rate.value.0.0, span: rate.span });
        let Some(spec) = netem.spanned() else { return Some(rate.map(|rate| tbf(rate.value))) };
        let mut netem = self.noted(spec.span, spec.value.netem())?;
        if let Some(rate) = rate {
            if netem.rate_bit != 0 {
                self.wrong(rate.span, "the rate is given twice", "keep `rate` here or in `netem`");
                return None;
            }
            netem.rate_bit = rate.value;
        }
        Some(Some(Qdisc::Netem(netem)))
    }
}

/// A bucket of 4 ms, but of ten full packets at least, and 50 ms of waiting.
fn tbf(rate_bit: u64) -> Qdisc {
    let bytes = rate_bit / 8;
    let burst = (bytes / 250).max(15_140);
    let limit = burst + bytes / 20;
    let most = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Qdisc::Tbf(Tbf { rate_bit, burst: most(burst), limit: most(limit) })
}
