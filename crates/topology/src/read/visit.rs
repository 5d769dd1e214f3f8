//! The wrappers' side of the agreement with the reader: by which name they ask, and what they are handed. With any
//! other deserialiser they read as what they wrap, without places.

use std::{any::type_name, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use crate::{
    read::{Entries, Field, Items, Never, OneOrMany, Shape, Spanned},
    source::{FileId, Span},
};

pub(crate) const FIELD: &str = "$wireloom::Field";
pub(crate) const GUARD: &str = "$wireloom::Guard";
pub(crate) const SPANNED: &str = "$wireloom::Spanned";
pub(crate) const SHAPE: &str = "$wireloom::Shape";
pub(crate) const ONE_OR_MANY: &str = "$wireloom::OneOrMany";

struct Made<T>(PhantomData<T>);

type Parts = (u16, u32, u32, usize, usize);

fn span((file, line, column, offset, len): Parts) -> Span {
    Span { file: FileId(file), line, column, offset, len }
}

/// An element that the reader always hands over.
fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| A::Error::custom("the value has no place"))
}

/// `Some` item, or one that has been noted as wrong.
struct Guard<T>(Span, Option<T>);

macro_rules! wrapper {
    ($name:ident by $key:ident) => {
        impl<'de, T: Deserialize<'de>> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct($key, Made::<Self>(PhantomData))
            }
        }
    };
}

wrapper!(Field by FIELD);
wrapper!(Guard by GUARD);
wrapper!(Spanned by SPANNED);
wrapper!(OneOrMany by ONE_OR_MANY);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<Field<T>> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Absent)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Field::Good(Spanned { value, span: Span::default() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<T>, A::Error> {
        let span = span(next(&mut seq)?);
        Ok(match seq.next_element()? {
            Some(value) => Field::Good(Spanned { value, span }),
            None if seq.size_hint() == Some(0) => Field::Absent,
            None => Field::Bad(span),
        })
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<Guard<T>> {
    type Value = Guard<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Guard<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Guard(Span::default(), Some(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Guard<T>, A::Error> {
        Ok(Guard(span(next(&mut seq)?), seq.next_element()?))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<Spanned<T>> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Spanned<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Spanned { value, span: Span::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Spanned<T>, A::Error> {
        Ok(Spanned { value: next(&mut seq)?, span: span(next(&mut seq)?) })
    }
}

/// The items that are right.
fn good<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Spanned<T>>, A::Error> {
    let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0));
    while let Some(Guard(span, value)) = seq.next_element()? {
        items.extend(value.map(|value| Spanned { value, span }));
    }
    Ok(items)
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<OneOrMany<T>> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany<T>, A::Error> {
        good(seq).map(OneOrMany)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Items<T>, D::Error> {
        deserializer.deserialize_seq(Made::<Items<T>>(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<Items<T>> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Items<T>, A::Error> {
        good(seq).map(Items)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<T>, D::Error> {
        deserializer.deserialize_map(Made::<Entries<T>>(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Made<Entries<T>> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
        while let Some((key, Guard(span, value))) = map.next_entry()? {
            entries.extend(value.map(|value| (key, Spanned { value, span })));
        }
        Ok(Entries(entries))
    }
}

impl<'de, S, L, M> Deserialize<'de> for Shape<S, L, M>
where
    S: Deserialize<'de>,
    L: Deserialize<'de>,
    M: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SHAPE, Made::<Self>(PhantomData))
    }
}

impl<'de, S, L, M> Visitor<'de> for Made<Shape<S, L, M>>
where
    S: Deserialize<'de>,
    L: Deserialize<'de>,
    M: Deserialize<'de>,
{
    type Value = Shape<S, L, M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a document")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let shape: u8 = next(&mut seq)?;
        let closed = [is_never::<S>(), is_never::<L>(), is_never::<M>()];
        if closed[usize::from(shape.min(2))] {
            return Err(A::Error::custom(other_shape(shape, closed)));
        }
        match shape {
            0 => next(&mut seq).map(Shape::Scalar),
            1 => next(&mut seq).map(Shape::List),
            _ => next(&mut seq).map(Shape::Mapping),
        }
    }
}

/// By name: a `TypeId` would ask for types that live for ever.
fn is_never<T>() -> bool {
    type_name::<T>() == type_name::<Never>()
}

/// `expected a text or a mapping, found a list`.
fn other_shape(found: u8, closed: [bool; 3]) -> String {
    let names = ["a text", "a list", "a mapping"];
    let open: Vec<_> = names.into_iter().zip(closed).filter(|(_, closed)| !closed).map(|(name, _)| name).collect();
    format!("expected {}, found {}", open.join(" or "), names[usize::from(found.min(2))])
}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Never, D::Error> {
        deserializer.deserialize_any(Made::<Never>(PhantomData))
    }
}

impl Visitor<'_> for Made<Never> {
    type Value = Never;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of another shape")
    }
}
