//! Commands: what to run in a node.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    document::{
        keys::{Container, keys},
        text::{Text, Word},
    },
    expand::Pattern,
    read::{Items, Shape},
};

keys! {
    /// A command and the node to run it in.
    pub(crate) struct NodeCommand {
        /// The node; a range like `r[1-4]` stands for several, and `{n}` in the command for its number.
        node: Word<Pattern>,
        /// A text for the shell, or a list of words.
        command: Line,
        /// Whether it keeps running, and ends with `down`.
        supervised: bool,
        /// Not yet.
        container: Container,
        /// Not yet.
        service: Container,
    }
}

keys! {
    /// A command of a node.
    pub(crate) struct CommandKeys {
        /// A text for the shell, or a list of words.
        command: Line,
        /// Whether it keeps running, and ends with `down`.
        supervised: bool,
    }
}

/// A command of a node: a text for the shell, a list of words, or a mapping.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct CommandSpec(pub(crate) Shape<Text<String>, Items<Text<String>>, CommandKeys>);

/// A text for the shell, or a list of words.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Line(pub(crate) Shape<Text<String>, Items<Text<String>>>);
