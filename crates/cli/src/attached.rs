//! What the command line keeps in a topology's ledger beside the state. Read by later releases: fields are added, and
//! never change their meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wireloom_engine::{Label, State};
use wireloom_netns::NetnsId;
use wireloom_topology::{Check, Command, CommandLine, Inside};

/// An entry of the ledger as this program writes it.
pub(crate) type Entry = wireloom_ledger::Entry<Attached>;

/// What is kept with a desired state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attached {
    /// The commands of the document.
    #[serde(default)]
    pub(crate) commands: Vec<Command>,
    /// What nodes have beside their network.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) insides: BTreeMap<Label, Inside>,
    /// The checks of the document.
    #[serde(default)]
    pub(crate) checks: Vec<Check>,
    /// Commands that have run in the namespaces that are there now, and not to be run again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ran: Vec<Ran>,
    /// Which namespaces the nodes are: known again although somebody has taken their mark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) made: BTreeMap<Label, NetnsId>,
    /// What `up`s before this one were making when they were killed. Parts of it may exist without a mark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) interrupted: Vec<State>,
}

/// A command that has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ran {
    /// In which node.
    pub(crate) node: Label,
    /// In which namespace: one that was made anew has seen nothing yet.
    pub(crate) netns: String,
    /// What.
    pub(crate) command: CommandLine,
}

/// A command as a program and its arguments.
pub(crate) fn argv(command: &CommandLine) -> Vec<String> {
    match command {
        CommandLine::Shell(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        CommandLine::Argv(argv) => argv.clone(),
    }
}
