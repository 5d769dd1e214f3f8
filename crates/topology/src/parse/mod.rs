//! Text to tree: YAML events (JSON is YAML too) become nodes, aliases are expanded, merge keys applied. Owns the
//! limits that make hostile YAML harmless. Knows no key of the document but `<<`.

mod advice;
mod alias;
mod place;

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use crate::{
    mistake::Mistake,
    parse::{
        alias::{Anchors, merge},
        place::Places,
    },
    source::{FileId, Sources, Span},
    tree::{Entry, Node, Scalar, Value, push_key},
};

/// How deep lists and mappings may stand inside each other.
pub const DEEPEST: usize = 64;
/// How many values a file may have.
pub const MOST_NODES: usize = 1_000_000;
/// How many values all aliases of a file together may stand for.
pub const MOST_EXPANDED: usize = 100_000;

/// The tree of a file. Mistakes that leave a tree to go on with (a key given twice, a tag) still give one.
pub fn parse(sources: &Sources, file: FileId, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    let text = sources.text(file);
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        places: Places::new(file, text),
        mistakes,
        anchors: Anchors::default(),
        path: String::new(),
        nodes: 0,
        text,
    };
    builder.document().ok()
}

/// Parsing cannot go on; the mistake has been noted.
#[derive(Debug)]
struct Stop;

struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    places: Places<'a>,
    mistakes: &'a mut Vec<Mistake>,
    anchors: Anchors,
    path: String,
    nodes: usize,
    text: &'a str,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let root = loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) => {}
                Event::StreamEnd => return Err(self.empty()),
                event => break self.node(event, span, 1)?,
            }
        };
        if root.is_null() {
            return Err(self.empty());
        }
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentStart(_), span) => {
                    let help = "a file holds one document: put each into a file of its own and name all files";
                    return Err(self.stop(span, "a second document begins here", help));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.places.span(span))),
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Err(error)) => {
                let span = advice::place(error.info(), self.text, self.places.at(error.marker()));
                if let Some((bracket, place)) = advice::unclosed(self.text, span) {
                    let close = if bracket == '{' { '}' } else { ']' };
                    let message = format!("not valid YAML: this `{bracket}` is not closed before line {}", span.line);
                    return Err(self.stop(place, message, format!("add the `{close}`")));
                }
                let (message, help) = advice::on(error.info(), self.text, span);
                Err(self.stop(span, message, help))
            }
        }
    }

    fn empty(&mut self) -> Stop {
        self.stop(Span::whole(self.places.file()), "the file is empty", "begin with `links:` and a list of links")
    }

    fn say(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, message, help).in_field(self.path.as_str()));
    }

    fn stop(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) -> Stop {
        self.say(span, message, help);
        Stop
    }

    fn count(&mut self, span: Span, depth: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if depth > DEEPEST {
            self.path.clear();
            let help = "no document of ours needs more than a handful of levels";
            return Err(self.stop(span, format!("more than {DEEPEST} levels deep"), help));
        }
        if self.nodes > MOST_NODES {
            let help = "use ranges such as `leaf[1-100]`, or several topologies";
            return Err(self.stop(span, format!("more than {MOST_NODES} values in one file"), help));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Stop> {
        self.count(span, depth)?;
        let (anchor, node) = match event {
            Event::Alias(id) => return self.alias(id, span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = self.is_text(tag.as_deref(), span).unwrap_or(style != ScalarStyle::Plain);
                (anchor, Node::new(Value::Scalar(Scalar::new(text, quoted)), span))
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", span);
                self.anchors.open(anchor);
                (anchor, self.sequence(span, depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", span);
                self.anchors.open(anchor);
                (anchor, self.mapping(span, depth)?)
            }
            _ => return Err(self.stop(span, "expected a value", "")),
        };
        self.anchors.close(anchor, &node);
        Ok(node)
    }

    fn sequence(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        let (mut items, base) = (Vec::new(), self.path.len());
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                span.len = (at.offset + at.len).saturating_sub(span.offset);
                return Ok(Node::new(Value::Sequence(items), span));
            }
            self.path.push_str(&format!("[{}]", items.len()));
            items.push(self.node(event, at, depth + 1)?);
            self.path.truncate(base);
        }
    }

    fn mapping(&mut self, mut span: Span, depth: usize) -> Result<Node, Stop> {
        let (mut keys, mut merged, base) = (KeySet::default(), Vec::new(), self.path.len());
        let mut merged_at = None;
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                span.len = (at.offset + at.len).saturating_sub(span.offset);
                let entries = merge(keys.entries, merged);
                return Ok(Node::new(Value::Mapping(entries), span));
            }
            let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.key(event, at, depth + 1)?;
            push_key(&mut self.path, key.as_deref().unwrap_or("?"));
            let first = if merges { merged_at.replace(at) } else { key.as_ref().and_then(|key| keys.find(key)) };
            if let Some(first) = first {
                self.given_twice(key.as_deref().unwrap_or_default(), at, first);
            }
            let (event, value_at) = self.next()?;
            let value = self.node(event, value_at, depth + 1)?;
            match key.filter(|_| first.is_none()) {
                Some(_) if merges => self.merge_key(value, &mut merged),
                Some(key) => keys.push(Entry { key: key.into(), key_span: at, value }),
                None => {}
            }
            self.path.truncate(base);
        }
    }

    fn given_twice(&mut self, key: &str, at: Span, first: Span) {
        let message = format!("key `{key}` is given twice, first in line {} column {}", first.line, first.column);
        let help = if key == "<<" { "write `<<: [*a, *b]`" } else { "keep one of the two" };
        self.say(at, message, help);
    }

    /// The text of a key, or nothing after noting that it is none.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Option<String>, Stop> {
        let node = self.node(event, span, depth)?;
        let help = "a key is a text: quote it if it has to begin with { or [";
        match node.value {
            Value::Scalar(scalar) if scalar.text.is_empty() && !scalar.quoted => {
                self.say(span, "a key is missing here", "write `key: value`");
                Ok(None)
            }
            Value::Scalar(scalar) => Ok(Some(scalar.text.into())),
            Value::Sequence(_) => {
                self.say(span, "a list cannot be a key", help);
                Ok(None)
            }
            Value::Mapping(_) => {
                self.say(span, "a mapping cannot be a key", help);
                Ok(None)
            }
        }
    }

    /// Whether a tag makes a scalar a text; nothing if it leaves that to the style.
    fn is_text(&mut self, tag: Option<&Tag>, span: Span) -> Option<bool> {
        let tag = tag?;
        if is_non_specific(tag) {
            return Some(true);
        }
        match (tag.is_yaml_core_schema(), &*tag.suffix) {
            (true, "str") => Some(true),
            (true, "null" | "bool" | "int" | "float") => Some(false),
            _ => {
                self.refuse_tag(tag, span);
                None
            }
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, shape: &str, span: Span) {
        let allowed = |tag: &&Tag| is_non_specific(tag) || (tag.is_yaml_core_schema() && tag.suffix == shape);
        if let Some(tag) = tag.filter(|tag| !allowed(tag)) {
            self.refuse_tag(tag, span);
        }
    }

    fn refuse_tag(&mut self, tag: &Tag, span: Span) {
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        self.say(span, format!("tag {name} has no meaning here"), "remove it; values are told apart by their form");
    }
}

/// `!` alone: the value is what its shape says, a scalar is a text.
fn is_non_specific(tag: &Tag) -> bool {
    format!("{}{}", tag.handle, tag.suffix) == "!"
}

/// The keys of a mapping so far; found by hash once there are many.
#[derive(Default)]
struct KeySet {
    entries: Vec<Entry>,
    index: HashMap<Box<str>, Span>,
}

impl KeySet {
    const FEW: usize = 16;

    fn find(&mut self, key: &str) -> Option<Span> {
        if self.entries.len() <= KeySet::FEW {
            return self.entries.iter().find(|entry| &*entry.key == key).map(|entry| entry.key_span);
        }
        if self.index.is_empty() {
            self.index = self.entries.iter().map(|entry| (entry.key.clone(), entry.key_span)).collect();
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, entry: Entry) {
        if !self.index.is_empty() {
            self.index.insert(entry.key.clone(), entry.key_span);
        }
        self.entries.push(entry);
    }
}

#[cfg(test)]
mod tests;
