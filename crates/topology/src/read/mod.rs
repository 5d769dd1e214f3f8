//! From the tree to typed structs, collecting mistakes instead of stopping at the first. Structs derive plain serde;
//! the wrappers here ([`Field`], [`Spanned`], [`Items`], [`Entries`], [`OneOrMany`], [`Shape`]) are known to the
//! reader by name and carry places across serde. Knows no key of the document.

mod access;
mod error;
mod reader;
mod schema;
#[cfg(test)]
mod tests;
mod visit;

use std::{cell::RefCell, ops::Deref};

pub use error::nearest;
pub(crate) use error::nearest_or;
use serde::de::DeserializeOwned;

use crate::{mistake::Mistakes, read::reader::Reader, source::Span, tree::Tree};

/// Reads a tree as `T`. Everything wrong with it is pushed to the mistakes; nothing comes back only if the top of the
/// tree is no `T` at all. Error texts of types that parse themselves from a text become messages; what they say
/// after a line break becomes the help.
pub fn read<T: DeserializeOwned>(tree: &Tree, mistakes: &mut Mistakes) -> Option<T> {
    read_without(&[], tree, mistakes)
}

/// The same, where nobody is to be led to the keys in `hidden`.
pub(crate) fn read_without<T: DeserializeOwned>(
    hidden: &'static [&'static str],
    tree: &Tree,
    mistakes: &mut Mistakes,
) -> Option<T> {
    let sink = RefCell::new(Vec::new());
    let reader = Reader::root(&tree.root, &sink, hidden);
    let value = T::deserialize(reader).map_err(|error| reader.note(error)).ok();
    mistakes.list.append(&mut sink.borrow_mut());
    value
}

/// A value and its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What a struct's key may hold. Wants `#[serde(default)]` on the struct or the field. Null counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// The key is not there, or says nothing.
    #[default]
    Absent,
    /// The key is there and right.
    Good(Spanned<T>),
    /// The key is there and wrong, and the mistake has been noted.
    Bad(Span),
}

impl<T> Field<T> {
    /// The value, if it is there and right.
    pub fn get(&self) -> Option<&T> {
        self.spanned().map(|spanned| &spanned.value)
    }

    /// The value with its place, if it is there and right.
    pub fn spanned(&self) -> Option<&Spanned<T>> {
        match self {
            Field::Good(spanned) => Some(spanned),
            _ => None,
        }
    }

    /// The value with its place, by value.
    pub fn into_spanned(self) -> Option<Spanned<T>> {
        match self {
            Field::Good(spanned) => Some(spanned),
            _ => None,
        }
    }

    /// Where it stands, right or wrong, if it is there.
    pub fn span(&self) -> Option<Span> {
        match self {
            Field::Absent => None,
            Field::Good(spanned) => Some(spanned.span),
            Field::Bad(span) => Some(*span),
        }
    }

    /// Whether it is there and wrong: then say no more about it.
    pub fn is_bad(&self) -> bool {
        matches!(self, Field::Bad(_))
    }

    /// Whether it is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }
}

/// A list whose wrong items have been noted and dropped. Null is an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T>(pub Vec<Spanned<T>>);

/// One value, or a list of them; wrong ones have been noted and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<Spanned<T>>);

/// A mapping with free keys in the order of the document; wrong values have been noted and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<T>(pub Vec<(Spanned<String>, Spanned<T>)>);

/// What may be written in several shapes, told apart by the shape alone: so that a mistake inside is named, rather
/// than "none of the variants matched". [`Never`] closes a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape<S, L = Never, M = Never> {
    /// A text, number, bool or null.
    Scalar(S),
    /// A list.
    List(L),
    /// A mapping.
    Mapping(M),
}

/// The type without a value, for shapes that are not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Never {}

macro_rules! list_of {
    ($($name:ident<$item:ty>),*) => {$(
        impl<T> Default for $name<T> {
            fn default() -> $name<T> {
                $name(Vec::new())
            }
        }

        impl<T> Deref for $name<T> {
            type Target = [$item];

            fn deref(&self) -> &[$item] {
                &self.0
            }
        }

        impl<T> IntoIterator for $name<T> {
            type Item = $item;
            type IntoIter = std::vec::IntoIter<$item>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }

        impl<'a, T> IntoIterator for &'a $name<T> {
            type Item = &'a $item;
            type IntoIter = std::slice::Iter<'a, $item>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }
    )*};
}

list_of!(Items<Spanned<T>>, OneOrMany<Spanned<T>>, Entries<(Spanned<String>, Spanned<T>)>);
