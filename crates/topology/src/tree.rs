//! The tree that YAML text becomes: scalars, sequences and mappings, each with its place. Owns shape and scalar
//! resolution (YAML 1.2 core schema); knows neither the parser nor the keys of the document.

use std::{borrow::Cow, collections::HashMap, fmt::Write, sync::Arc};

use crate::{
    mistake::Mistakes,
    source::{Sources, Span},
};

/// A document: one tree out of all its files.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The texts it came from.
    pub sources: Arc<Sources>,
    /// The top of the document.
    pub root: Node,
    /// What was wrong on the way here, and still left a tree.
    pub mistakes: Mistakes,
    /// What is no mistake, but worth saying.
    pub warnings: Mistakes,
    /// Whether all files could be read to their end.
    pub whole: bool,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
    /// The field path it was written under, if merging has moved it elsewhere.
    pub origin: Option<Arc<str>>,
}

/// The three shapes of YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, which a reader may want as a number, a bool or nothing.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the document, no key twice.
    Mapping(Vec<Entry>),
}

/// A key, its value, and the key's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// What it says.
    pub value: Node,
}

/// A text, and whether it can be anything but a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, interpolated.
    pub text: Box<str>,
    /// Quoted (or `|`, `>`, `!!str`): never a number, a bool or null.
    pub quoted: bool,
    /// It came from variables; for a quoted text, from one variable that is all of it. Then it may be a number.
    pub interpolated: bool,
}

/// What a scalar is when nobody asks for anything in particular.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain<'a> {
    /// `~`, `null` or no text.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// Everything else.
    Text(&'a str),
}

impl Scalar {
    /// A text as it is written.
    pub fn new(text: impl Into<Box<str>>, quoted: bool) -> Scalar {
        Scalar { text: text.into(), quoted, interpolated: false }
    }

    /// Resolves the text where a number or a truth value is wanted: the quotes around a variable do not count.
    pub fn value(&self) -> Plain<'_> {
        if self.interpolated { plain(&self.text) } else { self.resolve() }
    }

    /// Whether there would be a text, were its variables set.
    pub fn is_emptied(&self) -> bool {
        self.interpolated && self.text.is_empty()
    }

    /// Resolves the text by the core schema of YAML 1.2 (so `yes` is a text and `0o17` is 15).
    pub fn resolve(&self) -> Plain<'_> {
        if self.quoted { Plain::Text(&self.text) } else { plain(&self.text) }
    }
}

fn plain(text: &str) -> Plain<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ => int(text).map(Plain::Int).or_else(|| float(text).map(Plain::Float)).unwrap_or(Plain::Text(text)),
    }
}

fn int(text: &str) -> Option<i128> {
    let digits = |rest: &str, radix| {
        let valid = !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
        valid.then(|| i128::from_str_radix(rest, radix).ok()).flatten()
    };
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    let (negative, rest) = (text.starts_with('-'), text.strip_prefix(['-', '+']).unwrap_or(text));
    digits(rest, 10).map(|number| if negative { -number } else { number })
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => Some(f64::NAN),
        _ => {
            let shape = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && unsigned.contains(|c: char| c.is_ascii_digit())
                && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
            shape.then(|| text.parse().ok()).flatten()
        }
    }
}

impl Node {
    /// A node at a place.
    pub fn new(value: Value, span: Span) -> Node {
        Node { value, span, origin: None }
    }

    /// A text at a place, as if it had been quoted there.
    pub fn text(text: &str, span: Span) -> Node {
        Node::new(Value::Scalar(Scalar::new(text, true)), span)
    }

    /// The entry of a key, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entries of a mapping, none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence, none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar that is not null.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.resolve() != Plain::Null => Some(&scalar.text),
            _ => None,
        }
    }

    /// Null, which stands for "nothing said" wherever a value may be left out.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.resolve() == Plain::Null)
    }

    /// In words, for messages: `a mapping`, `the text "x"`.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar(scalar) => match scalar.resolve() {
                Plain::Null => "nothing".to_owned(),
                Plain::Bool(bool) => format!("`{bool}`"),
                Plain::Int(_) | Plain::Float(_) => format!("the number {}", clip(&scalar.text)),
                Plain::Text(text) if scalar.quoted => format!("the quoted text {:?}", clip(text)),
                Plain::Text(text) => format!("{:?}", clip(text)),
            },
        }
    }
}

/// As much of a text as a message takes.
fn clip(text: &str) -> Cow<'_, str> {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}...", &text[..at]).into(),
        None => text.into(),
    }
}

impl Tree {
    /// Fills the empty field paths of mistakes by looking for their places, in one walk over the tree.
    pub fn name_fields(&self, mistakes: &mut Mistakes) {
        let mut wanted: HashMap<Span, String> = HashMap::new();
        for mistake in mistakes.list.iter().filter(|mistake| mistake.field.is_empty()) {
            wanted.insert(mistake.span, String::new());
        }
        if wanted.is_empty() {
            return;
        }
        name(&self.root, &mut String::new(), &mut wanted);
        for mistake in mistakes.list.iter_mut().filter(|mistake| mistake.field.is_empty()) {
            mistake.field = wanted[&mistake.span].clone();
        }
    }
}

fn name(node: &Node, path: &mut String, wanted: &mut HashMap<Span, String>) {
    note(node.span, path, wanted);
    let base = path.len();
    for (index, item) in node.items().iter().enumerate() {
        let _ = write!(path, "[{index}]");
        descend(item, path, base, wanted);
    }
    for entry in node.entries() {
        push_key(path, &entry.key);
        note(entry.key_span, path, wanted);
        descend(&entry.value, path, base, wanted);
    }
}

fn descend(node: &Node, path: &mut String, base: usize, wanted: &mut HashMap<Span, String>) {
    match &node.origin {
        Some(origin) => name(node, &mut origin.to_string(), wanted),
        None => name(node, path, wanted),
    }
    path.truncate(base);
}

fn note(span: Span, path: &str, wanted: &mut HashMap<Span, String>) {
    if let Some(found) = wanted.get_mut(&span).filter(|found| found.is_empty()) {
        found.push_str(path);
    }
}

/// Appends a key to a field path.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar::new(text, false)
    }

    #[test]
    fn scalars_resolve_by_the_core_schema() {
        assert_eq!(plain("~").resolve(), Plain::Null);
        assert_eq!(plain("True").resolve(), Plain::Bool(true));
        assert_eq!(plain("0x1F").resolve(), Plain::Int(31));
        assert_eq!(plain("0o17").resolve(), Plain::Int(15));
        assert_eq!(plain("-7").resolve(), Plain::Int(-7));
        assert_eq!(plain("1e3").resolve(), Plain::Float(1000.0));
        assert_eq!(plain("-.inf").resolve(), Plain::Float(f64::NEG_INFINITY));
    }

    #[test]
    fn what_looks_almost_like_a_number_is_a_text() {
        for text in
            ["yes", "10.0.0.1", "02:00:00:00:00:01", "1.2.3", "0x", "-", "+", ".", "1_000", "infinity", "nan", "e5"]
        {
            assert_eq!(plain(text).resolve(), Plain::Text(text));
        }
        assert_eq!(Scalar::new("5", true).resolve(), Plain::Text("5"));
    }
}
