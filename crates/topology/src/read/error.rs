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
    /// Place and field path, once known.
    pub(crate) place: Option<(Span, String)>,
}

impl ReadError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> ReadError {
        ReadError(Box::new(Raw { message: message.into(), help: help.into(), place: None }))
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
        ReadError::new(format!("expected {expected}, found {}", name(found)), "")
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
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let likely = known
        .iter()
        .map(|candidate| (strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len().max(2))
        .min_by_key(|(distance, _)| *distance);
    let all = list(&known);
    match likely {
        Some((_, candidate)) if known.len() == 1 => format!("did you mean `{candidate}`?"),
        Some((_, candidate)) => format!("did you mean `{candidate}`? known here: {all}"),
        None if known.is_empty() => "nothing is known here".to_owned(),
        None => format!("known here: {all}"),
    }
}

/// As many as a reader takes in.
fn list(known: &[&str]) -> String {
    const MOST: usize = 40;
    let shown = known[..known.len().min(MOST)].join(", ");
    if known.len() > MOST { format!("{shown}, and {} more", known.len() - MOST) } else { shown }
}
