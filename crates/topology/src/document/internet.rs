//! A way out for a node. Does not know how it is made.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    document::{address::Subnet, keys::keys, text::Text},
    read::{Never, OneOrMany, Shape},
};

/// `true`, or keys.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct InternetSpec(Shape<bool, Never, InternetKeys>);

keys! {
    /// A way out for a node.
    pub(crate) struct InternetKeys {
        /// The node through which it leads; `host`, the namespace that wireloom runs in, without it.
        base: Text<String>,
        /// Whether it is one for IPv6, too.
        ipv6: bool,
        /// Networks to take the addresses of the way out from, one of each family; without it, out of 198.18.0.0/15.
        subnet: OneOrMany<Text<Subnet>>,
    }
}

impl InternetSpec {
    /// Its keys; nothing where there is to be no way out.
    pub(crate) fn keys(&self) -> Option<InternetKeys> {
        match &self.0 {
            Shape::Scalar(true) => Some(InternetKeys::default()),
            Shape::Scalar(false) => None,
            Shape::Mapping(keys) => Some(keys.clone()),
            Shape::List(never) => match *never {},
        }
    }
}
