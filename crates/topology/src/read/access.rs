//! The parts of a node as serde walks them: keys, items, variants, and what the wrappers are made from.

use std::slice;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::StrDeserializer,
};

use crate::{
    read::{
        error::ReadError,
        reader::{Path, Reader, Step, UNSET},
    },
    tree::{Entry, Node, Value},
};

/// Reads a part of a node, one step further down.
fn descend<'de, T: DeserializeSeed<'de>>(
    reader: Reader<'_>,
    node: &Node,
    step: Step<'_>,
    key: Option<(&Entry, &'static [&'static str])>,
    seed: T,
) -> Result<T::Value, ReadError> {
    let path = Path { parent: Some(reader.path), step, origin: node.origin.as_deref() };
    let part = Reader { node, path: &path, key, ..reader };
    seed.deserialize(part).map_err(|error| part.place(error))
}

/// The entries of a mapping.
pub(crate) struct Keys<'a> {
    reader: Reader<'a>,
    entries: slice::Iter<'a, Entry>,
    known: &'static [&'static str],
    current: Option<&'a Entry>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(reader: Reader<'a>, entries: &'a [Entry], known: &'static [&'static str]) -> Keys<'a> {
        Keys { reader, entries: entries.iter(), known, current: None }
    }
}

impl<'de> MapAccess<'de> for Keys<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        self.current = self.entries.next();
        let Some(entry) = self.current else { return Ok(None) };
        let node = Node::text(&entry.key, entry.key_span);
        descend(self.reader, &node, Step::Key(&entry.key), None, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let entry = self.current.expect("serde asks for the key first");
        descend(self.reader, &entry.value, Step::Key(&entry.key), Some((entry, self.known)), seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The items of a sequence.
pub(crate) struct Sequence<'a> {
    reader: Reader<'a>,
    items: slice::Iter<'a, Node>,
    next: usize,
    alone: bool,
}

impl<'a> Sequence<'a> {
    pub(crate) fn new(reader: Reader<'a>, items: &'a [Node]) -> Sequence<'a> {
        Sequence { reader, items: items.iter(), next: 0, alone: false }
    }

    /// The node itself as the only item.
    pub(crate) fn one(reader: Reader<'a>) -> Sequence<'a> {
        Sequence { reader, items: slice::from_ref(reader.node).iter(), next: 0, alone: true }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

impl<'de> SeqAccess<'de> for Sequence<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let step = if self.alone { Step::Stay } else { Step::Index(self.next) };
        self.next += 1;
        descend(self.reader, item, step, None, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A value and its place: two elements.
pub(crate) struct Placed<'a> {
    reader: Reader<'a>,
    next: usize,
}

impl<'a> Placed<'a> {
    pub(crate) fn new(reader: Reader<'a>) -> Placed<'a> {
        Placed { reader, next: 0 }
    }
}

impl<'de> SeqAccess<'de> for Placed<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.reader).map(Some),
            2 => seed.deserialize(self.reader.node.span.parts()).map(Some),
            _ => Ok(None),
        }
    }
}

/// Its place, and then the value, unless it is wrong: that is noted here, and there is no second element.
pub(crate) struct Guarded<'a> {
    reader: Reader<'a>,
    next: usize,
    /// The value may be left out.
    optional: bool,
    nothing: bool,
}

impl<'a> Guarded<'a> {
    pub(crate) fn new(reader: Reader<'a>, optional: bool) -> Guarded<'a> {
        Guarded { reader, next: 0, optional, nothing: false }
    }
}

impl<'de> SeqAccess<'de> for Guarded<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.reader.node.span.parts()).map(Some),
            2 => Ok(seed.deserialize(self.reader).map_err(|error| self.wrong(error)).ok()),
            _ => Ok(None),
        }
    }

    /// Nothing is left where a variable that is not set stands for a text: then nothing is said.
    fn size_hint(&self) -> Option<usize> {
        self.nothing.then_some(0)
    }
}

impl Guarded<'_> {
    fn wrong(&mut self, mut error: ReadError) {
        if self.reader.is_emptied() {
            if self.optional && !error.0.needed && self.reader.node.is_null() {
                self.nothing = true;
                return;
            }
            if error.0.help.is_empty() {
                error.0.help = UNSET.to_owned();
            }
        }
        self.reader.note(error);
    }
}

/// Which shape (0 scalar, 1 list, 2 mapping), and the value: two elements.
pub(crate) struct Shaped<'a> {
    reader: Reader<'a>,
    next: usize,
}

impl<'a> Shaped<'a> {
    pub(crate) fn new(reader: Reader<'a>) -> Shaped<'a> {
        Shaped { reader, next: 0 }
    }
}

impl<'de> SeqAccess<'de> for Shaped<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.next += 1;
        let shape: u8 = match &self.reader.node.value {
            Value::Scalar(_) => 0,
            Value::Sequence(_) => 1,
            Value::Mapping(_) => 2,
        };
        match self.next {
            1 => seed.deserialize(shape.into_deserializer()).map(Some),
            2 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

/// A variant: a text alone, or a mapping of one key.
pub(crate) struct Variant<'a> {
    reader: Reader<'a>,
    entry: Option<&'a Entry>,
}

impl<'a> Variant<'a> {
    pub(crate) fn text(reader: Reader<'a>) -> Variant<'a> {
        Variant { reader, entry: None }
    }

    pub(crate) fn entry(reader: Reader<'a>, entry: &'a Entry) -> Variant<'a> {
        Variant { reader, entry: Some(entry) }
    }

    fn value<'de, T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        match self.entry {
            Some(entry) => descend(self.reader, &entry.value, Step::Key(&entry.key), None, seed),
            None => {
                let text = self.reader.node.as_text().unwrap_or_default();
                let help = format!("write {text}: ...");
                Err(self.reader.place(ReadError::new(format!("`{text}` wants a value"), help)))
            }
        }
    }
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = ReadError;
    type Variant = Variant<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Variant<'a>), ReadError> {
        let (word, span) = match self.entry {
            Some(entry) => (&*entry.key, entry.key_span),
            None => (self.reader.node.as_text().unwrap_or_default(), self.reader.node.span),
        };
        let name: StrDeserializer<'_, ReadError> = word.into_deserializer();
        let variant = seed.deserialize(name).map_err(|error| error.place(span, || self.reader.path.text()))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.entry {
            Some(entry) if !entry.value.is_null() => {
                let error = ReadError::new(format!("`{}` takes no value", entry.key), format!("write {}", entry.key));
                Err(error.place(entry.value.span, || self.reader.path.text()))
            }
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        self.value(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.value(Tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.value(Struct(known, visitor))
    }
}

struct Tuple<V>(usize, V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Tuple<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_tuple(self.0, self.1)
    }
}

struct Struct<V>(&'static [&'static str], V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Struct<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_struct("", self.0, self.1)
    }
}
