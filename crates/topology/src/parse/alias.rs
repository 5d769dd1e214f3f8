//! Anchors, aliases and merge keys, with a limit on what they may grow to.

use std::collections::{HashMap, HashSet};

use crate::{
    parse::{Builder, DEEPEST, MOST_EXPANDED, Stop},
    source::Span,
    tree::{Entry, Node, Value},
};

/// What anchors stand for, by the parser's number.
#[derive(Default)]
pub(super) struct Anchors {
    known: HashMap<usize, Anchor>,
    expanded: usize,
}

enum Anchor {
    /// Its value has begun and not ended.
    Open,
    Closed {
        node: Node,
        nodes: usize,
        height: usize,
    },
}

impl Anchors {
    /// A list or mapping begins; 0 is the parser's word for no anchor.
    pub(super) fn open(&mut self, anchor: usize) {
        if anchor != 0 {
            self.known.insert(anchor, Anchor::Open);
        }
    }

    pub(super) fn close(&mut self, anchor: usize, node: &Node) {
        if anchor != 0 {
            let (nodes, height) = measure(node);
            self.known.insert(anchor, Anchor::Closed { node: node.clone(), nodes, height });
        }
    }
}

/// How many nodes, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let parts = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    parts.map(measure).fold((1, 1), |(nodes, height), (more, below)| (nodes + more, height.max(below + 1)))
}

impl Builder<'_> {
    pub(super) fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Node, Stop> {
        let (nodes, height) = match self.anchors.known.get(&id) {
            Some(Anchor::Closed { nodes, height, .. }) => (*nodes, *height),
            Some(Anchor::Open) => {
                return Err(self.stop(
                    span,
                    "an alias stands inside its own anchor",
                    "an anchor cannot contain itself",
                ));
            }
            None => {
                return Err(self.stop(span, "unknown anchor", "give the value a name with `&name` before using it"));
            }
        };
        self.anchors.expanded += nodes;
        if self.anchors.expanded > MOST_EXPANDED {
            let message = format!("the aliases stand for more than {MOST_EXPANDED} values");
            return Err(self.stop(span, message, "use ranges such as `leaf[1-100]` for what repeats"));
        }
        if depth + height > DEEPEST + 1 {
            return Err(self.stop(
                span,
                format!("more than {DEEPEST} levels deep"),
                "use fewer aliases inside aliases",
            ));
        }
        match self.anchors.known.get(&id) {
            Some(Anchor::Closed { node, .. }) => Ok(node.clone()),
            _ => Err(Stop),
        }
    }

    /// The mappings that a `<<` names, the first is the strongest.
    pub(super) fn merge_key(&mut self, value: Node, merged: &mut Vec<Entry>) {
        let span = value.span;
        match value.value {
            Value::Mapping(entries) => merged.extend(entries),
            Value::Sequence(items) if items.iter().all(|item| matches!(item.value, Value::Mapping(_))) => {
                for item in items {
                    if let Value::Mapping(entries) = item.value {
                        merged.extend(entries);
                    }
                }
            }
            _ => self.say(span, "`<<` wants a mapping or a list of mappings", "write `<<: *name`"),
        }
    }
}

/// Explicit keys win over merged ones, earlier merged ones over later.
pub(super) fn merge(mut entries: Vec<Entry>, merged: Vec<Entry>) -> Vec<Entry> {
    if !merged.is_empty() {
        let mut known: HashSet<Box<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
        entries.extend(merged.into_iter().filter(|entry| known.insert(entry.key.clone())));
    }
    entries
}
