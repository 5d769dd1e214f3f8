//! A serde deserialiser over one node: what shape or text it has, against what is asked for.

use std::cell::RefCell;

use serde::{Deserializer, de::Visitor, forward_to_deserialize_any};

use crate::{
    mistake::Mistake,
    read::{
        access::{Guarded, Keys, Placed, Sequence, Shaped, Variant},
        error::{ReadError, nearest},
        visit::{FIELD, GUARD, ONE_OR_MANY, SHAPE, SPANNED},
    },
    tree::{Entry, Node, Plain, Scalar, Value, push_key},
};

/// Where mistakes go while serde holds the reader by value.
pub(crate) type Sink = RefCell<Vec<Mistake>>;

/// How a node was reached: a list that lives on the stack, written out only for a mistake.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    pub(crate) parent: Option<&'a Path<'a>>,
    pub(crate) step: Step<'a>,
    /// The path that the node was written under, if merging has moved it.
    pub(crate) origin: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    Stay,
    Key(&'a str),
    Index(usize),
}

impl Path<'_> {
    const ROOT: Path<'static> = Path { parent: None, step: Step::Stay, origin: None };

    pub(crate) fn text(&self) -> String {
        if let Some(origin) = self.origin {
            return origin.to_owned();
        }
        let mut text = self.parent.map(Path::text).unwrap_or_default();
        match self.step {
            Step::Stay => {}
            Step::Key(key) => push_key(&mut text, key),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
        text
    }
}

/// One node, to be read as whatever is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: &'a Path<'a>,
    pub(crate) sink: &'a Sink,
    /// Keys that no help names.
    pub(crate) hidden: &'static [&'static str],
    /// The key that the node is the value of, and the keys that its struct knows: for a key that nobody asks for.
    pub(crate) key: Option<(&'a Entry, &'static [&'static str])>,
}

impl<'a> Reader<'a> {
    pub(crate) fn root(node: &'a Node, sink: &'a Sink, hidden: &'static [&'static str]) -> Reader<'a> {
        Reader { node, path: &Path::ROOT, sink, hidden, key: None }
    }

    /// Notes an error, here unless it has a place.
    pub(crate) fn note(&self, error: ReadError) {
        let raw = *error.place(self.node.span, || self.path.text()).0;
        let (span, field) = raw.place.expect("placed in the line above");
        self.sink.borrow_mut().push(Mistake { span, field, message: raw.message, help: raw.help });
    }

    /// A place for an error that has none yet.
    pub(crate) fn place(&self, error: ReadError) -> ReadError {
        error.place(self.node.span, || self.path.text())
    }

    /// The value is a variable that is not set.
    pub(crate) fn is_emptied(&self) -> bool {
        matches!(&self.node.value, Value::Scalar(scalar) if scalar.is_emptied())
    }

    fn expected(&self, what: &str, help: impl Into<String>) -> ReadError {
        self.place(ReadError::new(format!("expected {what}, found {}", self.node.describe()), help))
    }

    fn scalar(&self, what: &str) -> Result<&'a Scalar, ReadError> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            _ => Err(self.expected(what, "")),
        }
    }

    /// Any text that is not null: `1500` and `10.0.0.1/24` are texts when a text is asked for.
    fn text(&self) -> Result<&'a str, ReadError> {
        let scalar = self.scalar("a text")?;
        match scalar.resolve() {
            Plain::Null => Err(self.expected("a text", "")),
            _ => Ok(&scalar.text),
        }
    }

    fn integer(&self, least: i128, most: i128) -> Result<i128, ReadError> {
        let what = match least {
            0 => format!("a whole number up to {most}"),
            _ => format!("a whole number from {least} to {most}"),
        };
        let scalar = self.scalar(&what)?;
        match scalar.value() {
            Plain::Int(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(self.expected(&what, self.unquoted(scalar, |plain| matches!(plain, Plain::Int(_)))).needed()),
        }
    }

    fn float(&self) -> Result<f64, ReadError> {
        let scalar = self.scalar("a number")?;
        match scalar.value() {
            Plain::Float(number) => Ok(number),
            Plain::Int(number) => Ok(number as f64),
            _ => Err(self
                .expected("a number", self.unquoted(scalar, |p| matches!(p, Plain::Int(_) | Plain::Float(_))))
                .needed()),
        }
    }

    fn bool(&self) -> Result<bool, ReadError> {
        let scalar = self.scalar("true or false")?;
        match scalar.value() {
            Plain::Bool(bool) => Ok(bool),
            _ => {
                let help = match &*scalar.text.to_lowercase() {
                    "yes" | "on" => "write true".to_owned(),
                    "no" | "off" => "write false".to_owned(),
                    _ => self.unquoted(scalar, |plain| matches!(plain, Plain::Bool(_))),
                };
                Err(self.expected("true or false", help).needed())
            }
        }
    }

    /// Help for a text that would be right without its quotes.
    fn unquoted(&self, scalar: &Scalar, right: impl Fn(Plain<'_>) -> bool) -> String {
        if scalar.is_emptied() {
            return UNSET.to_owned();
        }
        let plain = Scalar::new(scalar.text.clone(), false);
        match scalar.quoted && right(plain.resolve()) {
            true => format!("write {} without quotes", scalar.text),
            false => String::new(),
        }
    }

    /// The entries of a mapping; null is an empty one.
    fn keys(&self, known: &'static [&'static str]) -> Result<Keys<'a>, ReadError> {
        match &self.node.value {
            Value::Mapping(entries) => Ok(Keys::new(*self, entries, known)),
            _ if self.node.is_null() => Ok(Keys::new(*self, &[], known)),
            Value::Sequence(items) if known.is_empty() => {
                let name = items.first().and_then(Node::as_text).unwrap_or("name");
                Err(self.expected("a mapping", format!("write each as a key, like `{name}: {{}}`, without `-` or [ ]")))
            }
            _ => Err(self.expected("a mapping", example(&self.shown(known)))),
        }
    }

    fn shown(&self, known: &'static [&'static str]) -> Vec<&'static str> {
        known.iter().copied().filter(|key| !self.hidden.contains(key)).collect()
    }

    /// The items of a sequence; null is an empty one.
    fn items(&self) -> Result<Sequence<'a>, ReadError> {
        match &self.node.value {
            Value::Sequence(items) => Ok(Sequence::new(*self, items)),
            Value::Scalar(_) if self.node.is_null() => Ok(Sequence::new(*self, &[])),
            Value::Scalar(scalar) => Err(self.expected("a list", format!("write [{}]", scalar.text))),
            Value::Mapping(_) => Err(self.expected("a list", "begin each item with `- `")),
        }
    }
}

/// Help for a variable without a value where there must be one.
pub(crate) const UNSET: &str = "a variable is empty here: set it, or give it a default: `${NAME:-5}`";

fn example(known: &[&str]) -> String {
    match known {
        [] => String::new(),
        known => format!("known here: {}", known.join(", ")),
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = self.integer(<$type>::MIN as i128, <$type>::MAX as i128)?;
            visitor.$visit(<$type>::try_from(number).expect("in range, as checked"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    integers! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Sequence(_) => visitor.visit_seq(self.items()?),
            Value::Mapping(_) => visitor.visit_map(self.keys(&[])?),
            Value::Scalar(scalar) => match scalar.value() {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(bool) => visitor.visit_bool(bool),
                Plain::Float(number) => visitor.visit_f64(number),
                Plain::Text(text) => visitor.visit_str(text),
                Plain::Int(number) => match (u64::try_from(number), i64::try_from(number)) {
                    (Ok(number), _) => visitor.visit_u64(number),
                    (_, Ok(number)) => visitor.visit_i64(number),
                    _ => visitor.visit_str(&scalar.text),
                },
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bool(self.bool()?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f32(self.float()? as f32)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.float()?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match name {
            FIELD if self.node.is_null() && !self.is_emptied() => visitor.visit_unit(),
            FIELD | GUARD => visitor.visit_seq(Guarded::new(self, name == FIELD)),
            SPANNED => visitor.visit_seq(Placed::new(self)),
            SHAPE => visitor.visit_seq(Shaped::new(self)),
            ONE_OR_MANY => match &self.node.value {
                Value::Scalar(_) if self.node.is_null() => visitor.visit_seq(Sequence::new(self, &[])),
                Value::Sequence(items) => visitor.visit_seq(Sequence::new(self, items)),
                _ => visitor.visit_seq(Sequence::one(self)),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, ReadError> {
        let items = self.items()?;
        if items.len() != length {
            let message = format!("expected a list of {length}, found a list of {}", items.len());
            return Err(self.place(ReadError::new(message, "")));
        }
        visitor.visit_seq(items)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_map(self.keys(&[])?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_map(self.keys(known)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(_) if !self.node.is_null() => visitor.visit_enum(Variant::text(self)),
            Value::Mapping(entries) if entries.len() == 1 => visitor.visit_enum(Variant::entry(self, &entries[0])),
            Value::Mapping(_) => Err(self.expected("a mapping with one key", example(known))),
            _ => Err(self.expected("a text", example(known))),
        }
    }

    /// Only asked for by a struct for the value of a key that it does not know.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if let Some((entry, known)) = self.key {
            let known = self.shown(known);
            let help = if known.is_empty() { String::new() } else { nearest(&entry.key, &known) };
            let error = ReadError::new(format!("unknown key `{}`", entry.key), help);
            self.note(error.place(entry.key_span, || self.path.text()));
        }
        visitor.visit_unit()
    }
}
