//! Values that a template may stand for, and values that may differ between the two ends of a link. Does not know
//! what they mean.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use crate::{
    expand::{Numbers, Template},
    read::{Field, Items, Shape},
    source::Span,
    wrong::Wrong,
};

/// A value, checked when it is read; or a template, checked whenever it is filled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Text<T> {
    /// The same for all copies.
    Plain(T),
    /// One for each copy.
    Template(Template),
}

impl<T: FromStr<Err: fmt::Display> + Clone> Text<T> {
    /// The value for one copy.
    pub(crate) fn fill(&self, numbers: &Numbers) -> Result<T, Wrong> {
        match self {
            Text::Plain(value) => Ok(value.clone()),
            Text::Template(template) => parse(&template.fill(numbers)?),
        }
    }
}

/// Reads a value; the error's second line, if there is one, is the help.
pub(crate) fn parse<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Wrong> {
    text.parse().map_err(|error: T::Err| {
        let error = error.to_string();
        match error.split_once('\n') {
            Some((message, help)) => Wrong::new(message, help),
            None if matches!(text, "." | "..") => Wrong::new(format!("`{text}` is no name"), "write one like eth0"),
            None => Wrong::new(&*error, name_help(&error)),
        }
    })
}

/// What to do about a name that the engine refuses: its errors have no help of their own.
fn name_help(error: &str) -> &'static str {
    let is = |what: &str| error.starts_with(what);
    match () {
        () if is("interface name") && error.ends_with("fit") => {
            "interfaces and bridges have names of at most 15 bytes, like eth0"
        }
        () if is("interface name") => "write a name like eth0",
        () if error.ends_with("fit") => "write a shorter name",
        () => "",
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Template::parse(&text) {
            Some(template) => Ok(Text::Template(template)),
            None => parse(&text).map(Text::Plain).map_err(D::Error::custom),
        }
    }
}

impl<T> JsonSchema for Text<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A text that is read by its own rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word<T>(pub(crate) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(&String::deserialize(deserializer)?).map(Word).map_err(D::Error::custom)
    }
}

impl<T> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A whole number, or a template for one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number(pub(crate) Text<u32>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor(PhantomData))
    }
}

struct NumberVisitor(PhantomData<Number>);

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        let number = u32::try_from(number).map_err(|_| E::custom(format!("the number {number} is too large")))?;
        Ok(Number(Text::Plain(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        Template::parse(text).map(|template| Number(Text::Template(template))).ok_or_else(|| {
            let help = if text.parse::<u32>().is_ok() { "write it without quotes" } else { "write a number, like 100" };
            E::custom(Wrong::new(format!("expected a whole number, found the text {text:?}"), help))
        })
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "[{$]"}]})
    }
}

/// One value, or several; for a link with two ends a list of two, each nothing, one or several.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(bound = "")]
#[serde(bound = "T: FromStr<Err: fmt::Display>")]
pub(crate) struct PerEnd<T>(Shape<Text<T>, Items<Field<End<T>>>>);

type End<T> = Option<Shape<Text<T>, Items<Field<Text<T>>>>>;

/// Values with their places.
pub(crate) type Placed<'d, T> = Vec<(Span, &'d Text<T>)>;

/// Why there are no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// One is wrong, which has been noted.
    Noted,
    /// A list in a list, here, for a link with one end.
    Nested(Span),
    /// No list of two for a link with two ends.
    NotTwo,
}

impl<T> PerEnd<T> {
    /// The values of a link with one end.
    pub(crate) fn of_one(&self, span: Span) -> Result<Placed<'_, T>, Unfit> {
        let items = match &self.0 {
            Shape::Scalar(text) => return Ok(vec![(span, text)]),
            Shape::List(items) => items,
            Shape::Mapping(never) => match *never {},
        };
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            if let Some(Some(Shape::List(_))) = item.get() {
                return Err(Unfit::Nested(item.span));
            }
            all.append(&mut values(item)?);
        }
        Ok(all)
    }

    /// The values of one of two ends.
    pub(crate) fn of_two(&self, second: bool) -> Result<Placed<'_, T>, Unfit> {
        match &self.0 {
            Shape::List(items) if items.len() == 2 => values(&items[usize::from(second)]),
            _ => Err(Unfit::NotTwo),
        }
    }

    /// The one value that is meant for both ends.
    pub(crate) fn shared(&self) -> Option<&Text<T>> {
        match &self.0 {
            Shape::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

fn values<T>(end: &Field<End<T>>) -> Result<Placed<'_, T>, Unfit> {
    let Some(spanned) = end.spanned() else {
        return if end.is_bad() { Err(Unfit::Noted) } else { Ok(Vec::new()) };
    };
    match &spanned.value {
        None => Ok(Vec::new()),
        Some(Shape::Scalar(text)) => Ok(vec![(spanned.span, text)]),
        Some(Shape::List(items)) if items.iter().any(|item| item.is_bad()) => Err(Unfit::Noted),
        Some(Shape::List(items)) => Ok(items.iter().filter_map(|i| Some((i.value.span()?, i.value.get()?))).collect()),
        Some(Shape::Mapping(never)) => match *never {},
    }
}
