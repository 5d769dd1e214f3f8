//! Ranges (`spine[1-4]`) and the templates (`{a}`) that use their numbers. Does not know what is repeated.

mod pattern;
mod template;

pub(crate) use self::{
    pattern::Pattern,
    template::{Numbers, Template},
};

/// How many links, nodes or checks one document may expand to, each.
pub(crate) const MOST: usize = 100_000;
