//! What cannot be known because of a mistake that has been noted: what follows from it alone is not worth a word,
//! everything else is. Does not know the mistakes.

use std::collections::{BTreeSet, HashMap, HashSet};

use wireloom_engine::{Label, LinkRef};

use crate::{
    lower::Builder,
    mistake::Mistake,
    read::Field,
    source::{FileId, Span},
};

/// What may seem to be missing in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Addresses, and ways to others.
    Addresses,
    /// Interfaces, with their addresses.
    Interfaces,
}

/// What cannot be known.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    read: BTreeSet<(FileId, usize)>,
    nodes: bool,
    node_names: Vec<String>,
    bridges: bool,
    bridge_ends: bool,
    everywhere: bool,
    gaps: HashMap<Label, Gap>,
    mtus: HashSet<LinkRef>,
}

impl Doubt {
    /// The doubt that comes with the mistakes of reading a document; `whole` says that all its files could be read.
    pub(super) fn new(whole: bool, mistakes: &[Mistake]) -> Doubt {
        let lost = |list: &str| {
            let mut fields = mistakes.iter().filter_map(|mistake| mistake.field.strip_prefix(list));
            !whole || fields.any(|rest| !rest.contains('.'))
        };
        let read = mistakes.iter().map(|mistake| (mistake.span.file, mistake.span.offset)).collect();
        Doubt { read, nodes: !whole, bridges: lost("bridges"), everywhere: lost("links"), ..Doubt::default() }
    }

    /// Whether something in a value could not be read.
    pub(super) fn in_value<T>(&self, field: &Field<T>) -> bool {
        field.is_bad() || field.span().is_some_and(|span| self.in_span(span))
    }

    fn in_span(&self, span: Span) -> bool {
        let covered = (span.file, span.offset)..=(span.file, span.offset + span.len);
        self.read.range(covered).next().is_some()
    }

    /// The name of a node could not be read; others that begin like it may be this one.
    pub(super) fn add_node_name(&mut self, text: &str) {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(text.len());
        self.node_names.push(text[..end].to_owned());
    }

    /// Whether a node of that name may be there.
    pub(super) fn may_be_node(&self, name: &str) -> bool {
        self.nodes || self.node_names.iter().any(|beginning| name.starts_with(beginning))
    }

    /// A bridge could not be read.
    pub(super) fn add_bridge(&mut self) {
        self.bridges = true;
    }

    /// Whether a bridge may be there.
    pub(super) fn about_bridges(&self) -> bool {
        self.bridges
    }

    /// A link to a bridge could not be read.
    pub(super) fn add_bridge_end(&mut self) {
        self.bridge_ends = true;
    }

    /// Whether a link to a bridge may be there.
    pub(super) fn about_bridge_ends(&self) -> bool {
        self.bridge_ends || self.everywhere
    }

    /// A link could not be read at all.
    pub(super) fn add_everywhere(&mut self) {
        self.everywhere = true;
    }

    /// Something in the namespace could not be read.
    pub(crate) fn add(&mut self, label: &Label, gap: Gap) {
        let known = self.gaps.entry(label.clone()).or_insert(gap);
        *known = gap.max(*known);
    }

    /// Whether what is missing in the namespace may be missing because of another mistake.
    pub(crate) fn about(&self, label: &Label, gap: Gap) -> bool {
        self.everywhere || self.gaps.get(label).is_some_and(|known| *known >= gap)
    }

    /// The MTU of a link could not be read.
    pub(super) fn add_mtu(&mut self, at: &LinkRef) {
        self.mtus.insert(at.clone());
    }

    /// Whether the MTU of a link is known.
    pub(crate) fn about_mtu(&self, at: &LinkRef) -> bool {
        self.mtus.contains(at)
    }
}

impl Builder {
    /// Drops the mistakes from `copy` on whose place has a mistake from `first` on already: one wrong copy speaks for
    /// all.
    pub(super) fn say_once(&mut self, first: usize, copy: usize) {
        if first == copy || self.mistakes.len() == copy {
            return;
        }
        let new = self.mistakes.split_off(copy);
        let known: HashSet<_> = self.mistakes[first..].iter().map(|mistake| mistake.span).collect();
        self.mistakes.extend(new.into_iter().filter(|mistake| !known.contains(&mistake.span)));
    }

    /// What is on top of a link whose MTU is not known, or at one bridge with it, has no known one either.
    pub(super) fn spread_doubt(&mut self) {
        if self.doubt.mtus.is_empty() {
            return;
        }
        for _ in 0..2 {
            let stacked = self.stacked().iter().filter_map(|link| Some((self.below(link)?, &link.at)));
            let doubtful: Vec<_> =
                stacked.filter(|(below, _)| self.doubt.about_mtu(below)).map(|(_, at)| at.clone()).collect();
            self.doubt.mtus.extend(doubtful);
            let members = self.bridges.iter().map(|bridge| bridge.members());
            let doubtful = members.filter(|members| members.iter().any(|at| self.doubt.about_mtu(at)));
            let doubtful: Vec<_> = doubtful.flatten().collect();
            self.doubt.mtus.extend(doubtful);
        }
    }
}
