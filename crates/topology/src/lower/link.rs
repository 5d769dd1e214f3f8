//! Links: ranges in their ends become copies, and each copy goes to its kind. Does not know the kinds.

use std::{net::IpAddr, ops::RangeInclusive};

use wireloom_engine::{Dummy, IfName, Label, LinkKind, LinkRef};

use crate::{
    document::{
        Document,
        keys::LATER,
        link::{Base, LinkSpec, OF_PORT, Pairs},
        text::{Number, PerEnd, Word},
    },
    expand::{MOST, Numbers, Pattern},
    lower::{Builder, Gap, Mtu, Place, Wire, interface::Side},
    read::{Field, Spanned, nearest},
    source::Span,
};

/// One copy of a link.
pub(crate) struct Copied<'d> {
    /// The link as the document has it.
    pub(crate) spec: &'d LinkSpec,
    /// Where.
    pub(crate) span: Span,
    /// The numbers of this copy.
    pub(crate) numbers: Numbers,
    /// Which copy it is.
    pub(crate) index: usize,
    /// How many there are; `None` where there is no range.
    pub(crate) copies: Option<usize>,
    /// The ends, as they are called in this copy: one name of a node, or two of interfaces.
    pub(crate) ends: Vec<Spanned<String>>,
}

/// The ends of a link before they are copied.
struct Ends<'d> {
    patterns: Vec<(Span, &'d Pattern)>,
    zip: bool,
}

impl Builder {
    pub(super) fn add_links(&mut self, document: &Document) {
        let mut total = 0;
        for spanned in document.links.get().into_iter().flatten() {
            let (spec, span) = (&spanned.value, spanned.span);
            self.check_keys(spec, span);
            let Some(ends) = self.ends(spec, span) else {
                self.doubt_ends(spec);
                continue;
            };
            total += ends.copies();
            if total > MOST {
                self.wrong(span, format!("more than {MOST} links"), format!("{MOST} are possible"));
                self.doubt.add_everywhere();
                return;
            }
            self.add_copies(spec, span, &ends);
        }
    }

    fn add_copies(&mut self, spec: &LinkSpec, span: Span, ends: &Ends<'_>) {
        let kind = spec.kind();
        let known = !spec.r#type.is_bad() && (spec.endpoints.is_absent() || kind.takes("endpoints").is_ok());
        let first = self.mistakes.len();
        for index in 0..ends.copies() {
            let before = self.mistakes.len();
            match ends.copy(self, spec, span, index) {
                Some(copy) if known && (kind.lower)(self, &copy).is_some() => {}
                Some(copy) => {
                    if !known && !spec.bridge.is_absent() {
                        self.doubt.add_bridge_end();
                    }
                    self.stand_in(&copy);
                }
                None => self.doubt_ends(spec),
            }
            self.say_once(first, before);
        }
    }

    /// Whether all keys belong to such a link.
    fn check_keys(&mut self, spec: &LinkSpec, span: Span) {
        let two = !spec.endpoints.is_absent();
        let kind = spec.kind();
        for (key, at) in spec.given() {
            if let Err(wrong) = kind.takes(&key) {
                // What comes with a later version has been refused when it was read, and so has an unknown type.
                if !LATER.contains(&&*key) && !spec.r#type.is_bad() {
                    self.wrong(at, wrong.message, wrong.help);
                }
                continue;
            }
            let help = match &*key {
                "node" | "dev" if two => "the ends are in `endpoints` already, each as NODE:INTERFACE",
                "bridge" | "outer-dev" if two => "a link with two ends has no bridge: write `node` and `dev` instead",
                "pairs" if !two => "`pairs` says how the ranges of two `endpoints` are paired",
                key if two && OF_PORT.contains(&key) => {
                    "it is for a port of a bridge: write `node` and `bridge` instead"
                }
                "subnet" if !two => "give `subnet` to the bridge, under `bridges:`",
                _ => continue,
            };
            let ends = if two { "two ends" } else { "one end" };
            self.wrong(at, format!("a link with {ends} does not take `{key}`"), help);
        }
        if !two && spec.node.is_absent() && spec.container.is_absent() && spec.service.is_absent() {
            let help = "add `endpoints: [NODE:INTERFACE, NODE:INTERFACE]`, or `node` and `bridge`";
            self.wrong(span, "a link without ends", help);
        }
    }

    fn ends<'d>(&mut self, spec: &'d LinkSpec, span: Span) -> Option<Ends<'d>> {
        let patterns: Vec<(Span, &Pattern)> = match spec.endpoints.spanned() {
            None => spec.node.spanned().map(|node| (node.span, &node.value.0)).into_iter().collect(),
            Some(ends) => {
                if ends.len() != 2 {
                    let help = "write two, each NODE:INTERFACE; for a link to a bridge write `node` and `bridge`";
                    self.wrong(ends.span, format!("{} endpoints", ends.len()), help);
                    return None;
                }
                let good = ends.iter().filter_map(|end| end.value.spanned());
                good.map(|end| (end.span, &end.value.0)).collect()
            }
        };
        let zip = spec.pairs.get() == Some(&Pairs::Zip);
        match patterns.as_slice() {
            [] => None,
            [_] if !spec.endpoints.is_absent() => None,
            [(_, a), (_, b)] if zip && a.len() != b.len() => {
                let message =
                    format!("ranges of {} and {} numbers cannot be paired first with first", a.len(), b.len());
                self.wrong(span, message, "make them of the same length, or leave out `pairs: zip`");
                None
            }
            _ => Some(Ends { patterns, zip }),
        }
    }

    /// Whoever the link would have reached may lack it now.
    fn doubt_ends(&mut self, spec: &LinkSpec) {
        let ends = spec.endpoints.get().into_iter().flatten().filter_map(|end| end.value.get());
        for Word(pattern) in ends.chain(spec.node.get()) {
            for at in 0..pattern.len() {
                match pattern.plain(at).split(':').next().and_then(|node| node.parse().ok()) {
                    Some(node) => self.doubt.add(&node, Gap::Interfaces),
                    None => self.doubt.add_everywhere(),
                }
            }
        }
        if self.doubt.in_value(&spec.endpoints) || spec.node.is_bad() {
            self.doubt.add_everywhere();
        }
        if !spec.bridge.is_absent() {
            self.doubt.add_bridge_end();
        }
    }

    /// Puts something in the place of a link that is wrong, so that what needs its interfaces finds them, and what else
    /// is wrong with it is noted.
    fn stand_in(&mut self, copy: &Copied<'_>) {
        let sides: &[Side] = if copy.spec.endpoints.is_absent() { &[Side::Only] } else { &[Side::First, Side::Second] };
        for (end, side) in sides.iter().enumerate() {
            let (at, span) = match side {
                Side::Only => (copy.at(self), copy.span),
                _ => (copy.at_end(self, end), copy.ends.get(end).map_or(copy.span, |end| end.span)),
            };
            let Some(at) = at else { continue };
            self.doubt.add(&at.netns, Gap::Addresses);
            self.doubt.add_mtu(&at);
            // What this link has placed itself stays.
            if self.state.link(&at).is_none() || self.place_of(&at).span != span {
                let made = self.interface(copy, LinkKind::Dummy(Dummy {}), &at, *side, false);
                let end = self.put(made, Place { span, mtu: copy.spec.mtu.span() });
                self.segments.push(Wire { ends: end.into_iter().collect(), open: true, ..Wire::default() });
            }
        }
    }
}

impl Ends<'_> {
    fn copies(&self) -> usize {
        match self.patterns.as_slice() {
            [(_, a), (_, b)] if !self.zip => a.len().saturating_mul(b.len()),
            [(_, a), ..] => a.len(),
            [] => 0,
        }
    }

    fn copy<'d>(&self, builder: &mut Builder, spec: &'d LinkSpec, span: Span, index: usize) -> Option<Copied<'d>> {
        let places = match self.patterns.as_slice() {
            [_, (_, b)] if !self.zip => [index / b.len(), index % b.len()],
            _ => [index, index],
        };
        let number = |end: usize| self.patterns.get(end).and_then(|(_, pattern)| pattern.number(places[end]));
        let numbers = match self.patterns.len() {
            1 => Numbers::one(number(0), index),
            _ => Numbers::two(number(0), number(1), index),
        };
        let mut ends = Vec::with_capacity(self.patterns.len());
        for ((span, pattern), at) in self.patterns.iter().zip(places) {
            ends.push(Spanned { value: builder.noted(*span, pattern.name(at, &numbers))?, span: *span });
        }
        let ranged = self.patterns.iter().any(|(_, pattern)| pattern.is_range());
        Some(Copied { spec, span, numbers, index, copies: ranged.then(|| self.copies()), ends })
    }
}

impl Copied<'_> {
    /// The interface of a link with one end.
    pub(crate) fn at(&self, builder: &mut Builder) -> Option<LinkRef> {
        let end = self.ends.first()?;
        let netns = builder.node(end, end.span);
        let ifname = builder.filled(&self.spec.dev, &self.numbers);
        let ifname = ifname.map(|ifname| ifname.unwrap_or_else(|| "eth0".parse().expect("a valid name")));
        builder.located(netns, ifname)
    }

    /// The interface of one of two ends.
    pub(crate) fn at_end(&self, builder: &mut Builder, end: usize) -> Option<LinkRef> {
        let end = self.ends.get(end)?;
        let (node, ifname) = match end.split_once(':') {
            Some((node, ifname)) => (node, builder.noted(end.span, crate::document::text::parse::<IfName>(ifname))),
            None => {
                let help = format!("write {}:INTERFACE, like {}:eth0", end.value, end.value);
                builder.wrong(end.span, format!("endpoint `{}` names no interface", end.value), help);
                (&*end.value, None)
            }
        };
        let netns = builder.node(node, end.span);
        builder.located(netns, ifname)
    }

    /// The interface below, `outer-dev`, in the host's namespace or in the node itself.
    pub(crate) fn below(&self, builder: &mut Builder, at: &LinkRef, usual: Base) -> Option<LinkRef> {
        let Some(ifname) = builder.filled(&self.spec.outer_dev, &self.numbers)? else {
            let help = "add `outer-dev: INTERFACE`, and `base: local` if that is in the node itself";
            builder.wrong(self.span, "no interface below is given", help);
            return None;
        };
        let netns = match self.spec.base.get().copied().unwrap_or(usual) {
            Base::Host => builder.host(),
            Base::Local => at.netns.clone(),
        };
        Some(LinkRef { netns, ifname })
    }

    /// What is below, noted where the link itself cannot be made.
    pub(crate) fn stacked_on<T>(
        &self,
        builder: &mut Builder,
        at: &LinkRef,
        parent: &LinkRef,
        settings: Option<T>,
    ) -> Option<T> {
        if settings.is_none() {
            builder.stack(at, Mtu::Parent(parent.clone()), self.spec.outer_dev.span().unwrap_or(self.span));
        }
        settings
    }

    /// The other end of a tunnel, which must be given.
    pub(crate) fn remote(&self, builder: &mut Builder) -> Option<IpAddr> {
        let Some(remote) = builder.filled(&self.spec.remote, &self.numbers)? else {
            builder.wrong(
                self.span,
                "`remote` is missing",
                "add the address of the other end, like `remote: 192.0.2.7`",
            );
            return None;
        };
        Some(remote.0)
    }

    /// Hops that an outer packet may take.
    pub(crate) fn ttl(&self) -> Option<u8> {
        let ttl = self.spec.ttl.get();
        ttl.map(|ttl| u8::try_from(ttl.0).expect("the range was checked"))
    }

    /// One of some words, the first where none is given. One that is none of them is noted.
    pub(crate) fn word<T: Copy>(
        &self,
        builder: &mut Builder,
        field: &Field<Word<String>>,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let given = field.spanned().map(|word| Spanned { value: word.value.0.clone(), span: word.span });
        given.map_or(Some(words[0].1), |given| self.one_of(builder, &given, key, words))
    }

    /// The same for each of two ends.
    pub(crate) fn words_of_ends<T: Copy>(
        &self,
        builder: &mut Builder,
        field: &Field<PerEnd<String>>,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<[T; 2]> {
        let [first, second] = [Side::First, Side::Second].map(|side| {
            let given = builder.values(self, field, key, side)?.into_iter().next();
            given.map_or(Some(words[0].1), |given| self.one_of(builder, &given, key, words))
        });
        Some([first?, second?])
    }

    fn one_of<T: Copy>(
        &self,
        builder: &mut Builder,
        given: &Spanned<String>,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == given.value) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("unknown {key} `{}` of a link of type `{}`", given.value, self.spec.kind().name);
        builder.wrong(given.span, message, nearest(&given.value, &known));
        None
    }

    /// A number that must be given.
    pub(crate) fn number(
        &self,
        builder: &mut Builder,
        field: &Field<Number>,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        builder.number(field, key, range, &self.numbers, self.span)
    }
}

impl Builder {
    /// An interface whose name may be wrong: then its node may seem to lack it.
    fn located(&mut self, netns: Option<Label>, ifname: Option<IfName>) -> Option<LinkRef> {
        let netns = netns?;
        if ifname.is_none() {
            self.doubt.add(&netns, Gap::Interfaces);
        }
        ifname.map(|ifname| LinkRef { netns, ifname })
    }

    /// A number that must be given, and be in the range.
    pub(super) fn number(
        &mut self,
        field: &Field<Number>,
        key: &str,
        range: RangeInclusive<u32>,
        numbers: &Numbers,
        span: Span,
    ) -> Option<u32> {
        let help = format!("write `{key}:` with a number from {} to {}", range.start(), range.end());
        let Some(spanned) = field.spanned() else {
            if field.is_absent() {
                self.wrong(span, format!("`{key}` is missing"), help);
            }
            return None;
        };
        let number = self.noted(spanned.span, spanned.value.0.fill(numbers))?;
        if range.contains(&number) {
            return Some(number);
        }
        self.wrong(spanned.span, format!("`{key}: {number}` is out of range"), help);
        None
    }
}
