//! The error that travels through serde until the reader gives it a place and notes it.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::source::Span;

/// A mistake on its way to be noted. Boxed: serde's results stay small.
#[derive(Debug)]
pub(crate) struct ReadError(pub(crate) Box<Raw>);

#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) message: String,
    pub(crate) help: String,
    /// A text would not have been wrong for being none: a number was wanted.
    pub(crate) needed: bool,
    /// Place and field path, once known.
    pub(crate) place: Option<(Span, String)>,
}

impl ReadError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> ReadError {
        ReadError(Box::new(Raw { message: message.into(), help: help.into(), needed: false, place: None }))
    }

    /// Says that leaving the value out is no way to be right.
    pub(crate) fn needed(mut self) -> ReadError {
        self.0.needed = true;
        self
    }

    /// Gives it a place, unless it has one from deeper inside.
    pub(crate) fn place(mut self, span: Span, path: impl FnOnce() -> String) -> ReadError {
        if self.0.place.is_none() {
            self.0.place = Some((span, path()));
        }
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(text: T) -> ReadError {
        let text = text.to_string();
        let (message, help) = text.split_once('\n').unwrap_or((&text, ""));
        ReadError::new(message, help)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> ReadError {
        let error = ReadError::new(format!("expected {expected}, found {}", name(found)), "");
        if found == Unexpected::Unit { error.needed() } else { error }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> ReadError {
        ReadError::new(format!("expected {expected}, found {}", name(found)), "")
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> ReadError {
        let items = if length == 1 { "item" } else { "items" };
        ReadError::new(format!("expected {expected}, found {length} {items}"), "")
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> ReadError {
        ReadError::new(format!("unknown value `{variant}`"), nearest(variant, known))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> ReadError {
        ReadError::new(format!("unknown key `{field}`"), nearest(field, known))
    }

    fn missing_field(field: &'static str) -> ReadError {
        ReadError::new(format!("missing key `{field}`"), format!("add `{field}: ...`"))
    }

    fn duplicate_field(field: &'static str) -> ReadError {
        ReadError::new(format!("key `{field}` is given twice"), "keep one of them")
    }
}

fn name(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(bool) => format!("`{bool}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// Help for a word that is not among the known ones: the nearest of them, and all of them.
pub fn nearest<T: AsRef<str>>(word: &str, known: &[T]) -> String {
    nearest_or(word, known, "")
}

/// The same, with something else to do if the nearest is not meant.
pub(crate) fn nearest_or<T: AsRef<str>>(word: &str, known: &[T], otherwise: &str) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let likely = likely(word, &known).map(|candidate| format!("did you mean `{candidate}`?"));
    let rest = match (otherwise.is_empty(), known.as_slice(), &likely) {
        (true, [], _) => "nothing is known here".to_owned(),
        (true, [_], Some(_)) => String::new(),
        (true, known, _) => format!("known here: {}", list(known)),
        (false, [], _) => otherwise.to_owned(),
        (false, known, Some(_)) => format!("if not, {otherwise}; known here: {}", list(known)),
        (false, known, None) => format!("{otherwise}; known here: {}", list(known)),
    };
    likely.into_iter().chain((!rest.is_empty()).then_some(rest)).collect::<Vec<_>>().join(" ")
}

/// The nearest word, if at most two and at most half of the letters are wrong.
fn likely<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let most = (word.chars().count() / 2).min(2);
    let distances = known
        .iter()
        .filter(|candidate| **candidate != word)
        .map(|candidate| (strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase()), *candidate));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, found)| found)
}

/// As many as a reader takes in.
fn list(known: &[&str]) -> String {
    const MOST: usize = 64;
    let shown = known[..known.len().min(MOST)].join(", ");
    if known.len() > MOST { format!("{shown}, and {} more", known.len() - MOST) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_near() {
        for (word, known, help) in [
            ("mtuu", &["mtu", "mac"][..], "did you mean `mtu`? known here: mtu, mac"),
            ("a", &["b"], "known here: b"),
            ("r9", &["r1"], "did you mean `r1`?"),
            ("eth0", &["eth0", "eth1"], "did you mean `eth1`? known here: eth0, eth1"),
            ("xy", &["abc"], "known here: abc"),
            ("x", &[], "nothing is known here"),
        ] {
            assert_eq!(nearest(word, known), help);
        }
        let help = nearest_or("lea1", &["leaf1"], "add it under `nodes:`");
        assert_eq!(help, "did you mean `leaf1`? if not, add it under `nodes:`; known here: leaf1");
        assert_eq!(nearest_or("z", &["a", "b"], "add it under `nodes:`"), "add it under `nodes:`; known here: a, b");
    }
}
