//! What a document comes to: the engine's state, and what to run and check on it. Does not know how it was written.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wireloom_engine::{IfName, Label, LinkRef, Owner, State};

use crate::mistake::Mistakes;

/// A document that is right, in the terms of the engine.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// What the topology is called.
    pub owner: Owner,
    /// What the kernel is to have.
    pub desired: State,
    /// The nodes of the document: not the namespace for bridges, and not the host.
    pub nodes: BTreeMap<Label, NodeInfo>,
    /// What nodes have beside their network, where they say anything of it.
    pub insides: BTreeMap<Label, Inside>,
    /// What to run once the links are up, in this order.
    pub commands: Vec<Command>,
    /// What must work.
    pub checks: Vec<Check>,
    /// Who can talk to whom without a router.
    pub segments: Vec<Segment>,
    /// Namespaces that exist and hold what links of the document stand on; nothing else is said about them.
    pub below: State,
    /// What is no mistake, but worth saying.
    pub warnings: Mistakes,
}

/// What kind of node it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// A namespace that the topology makes and removes; else one that exists.
    pub own: bool,
}

/// A command in a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The node.
    pub node: Label,
    /// What to run.
    pub command: CommandLine,
    /// Whether it keeps running, and ends with `down`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supervised: bool,
    /// Of a process that its node runs: what happens to it when a file of the node changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_change: Option<OnChange>,
}

/// What happens to a process when a file of its node changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// It is ended and started anew.
    #[default]
    Restart,
    /// It gets a SIGHUP.
    Hup,
    /// Nothing.
    Leave,
}

/// What a node has beside its network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// What it calls itself.
    pub hostname: String,
    /// Whether it has files of its own, which last while the topology is up.
    pub room: bool,
    /// Folders that are empty at first; those that lie in others after these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<OwnFolder>,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<OwnFile>,
}

/// A folder that only its node sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFolder {
    /// Where.
    pub path: String,
    /// `USER` or `USER:GROUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// A file that only its node sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFile {
    /// Where.
    pub path: String,
    /// What is in it.
    pub content: String,
    /// `USER` or `USER:GROUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// For the shell.
    Shell(String),
    /// As it is.
    Argv(Vec<String>),
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandLine::Shell(text) => f.write_str(text),
            CommandLine::Argv(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// What must work, or must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Packets come back.
    Ping {
        /// The node that asks.
        from: Label,
        /// Who is asked, as the document says it.
        to: Target,
        /// The address that is asked.
        address: IpAddr,
        /// How many packets.
        count: u32,
        /// How long to wait for each answer, milliseconds.
        timeout_ms: u32,
        /// Whether it must not work.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        expect_fail: bool,
    },
    /// A connection can be made.
    Tcp {
        /// The node that connects.
        from: Label,
        /// Who is asked, as the document says it.
        to: Target,
        /// Where to.
        address: SocketAddr,
        /// How long to wait, milliseconds.
        timeout_ms: u32,
        /// Whether it must not work.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        expect_fail: bool,
    },
    /// A route is there.
    Route {
        /// The node whose route it is.
        from: Label,
        /// Where to, as the document says it.
        to: Target,
        /// Where to.
        net: IpNet,
        /// Whether it is to be a route to this very network; else the one that packets to its address take counts.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
        /// The next hop that it leads to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<Via>,
        /// How long to wait for it, milliseconds.
        timeout_ms: u32,
        /// Whether it must not be there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        expect_fail: bool,
    },
}

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// As the document says it.
    pub text: String,
    /// The addresses that it has.
    pub addresses: Vec<IpAddr>,
    /// The interfaces of the node that lead to it alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ifnames: Vec<IfName>,
}

/// Who a check asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// As the document says it.
    pub text: String,
    /// The node that has the address, if it is one of the document's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Label>,
    /// The interface that has the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ifname: Option<IfName>,
}

/// Interfaces that talk without a router between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The bridge, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<LinkRef>,
    /// The interfaces; the bridge itself is one of them.
    pub ends: Vec<LinkRef>,
}

/// What is done to a network that is up, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// How often.
    pub repeat: u32,
    /// In the order of their times.
    pub steps: Vec<ScriptStep>,
}

/// A step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStep {
    /// From the beginning of the round.
    pub at_ms: u64,
    /// What.
    pub action: Action,
}

/// What a step of a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Impairs links.
    Set {
        /// Which.
        links: Vec<LinkRef>,
        /// How.
        qdisc: wireloom_engine::Qdisc,
    },
    /// Makes links as they were before the script.
    Reset {
        /// Which; all, where none is named.
        links: Vec<LinkRef>,
    },
    /// Takes links up or down.
    Link {
        /// Which.
        links: Vec<LinkRef>,
        /// Up, or down.
        up: bool,
    },
    /// Tries whether something works.
    Check(Vec<Check>),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |links: &[LinkRef]| links.iter().map(LinkRef::to_string).collect::<Vec<_>>().join(" ");
        match self {
            Action::Set { links, qdisc } => write!(f, "set {} {qdisc}", list(links)),
            Action::Reset { links } if links.is_empty() => f.write_str("reset all"),
            Action::Reset { links } => write!(f, "reset {}", list(links)),
            Action::Link { links, up } => write!(f, "link {} {}", if *up { "up" } else { "down" }, list(links)),
            Action::Check(_) => f.write_str("check"),
        }
    }
}
