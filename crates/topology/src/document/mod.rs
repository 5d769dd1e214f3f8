//! The typed document: every key, its type and its meaning in words (which become the schema's). Does not know what
//! becomes of it.

pub(crate) mod address;
pub(crate) mod bridge;
pub(crate) mod check;
pub(crate) mod command;
mod encap;
pub(crate) mod ethtool;
pub(crate) mod forward;
pub(crate) mod internet;
pub(crate) mod keys;
pub(crate) mod link;
pub(crate) mod netem;
pub(crate) mod node;
pub(crate) mod room;
pub(crate) mod route;
pub(crate) mod script;
pub(crate) mod text;
pub(crate) mod tunnel;
pub(crate) mod units;

use self::{
    bridge::BridgeSpec, check::CheckSpec, command::NodeCommand, keys::keys, link::LinkSpec, node::NodeSpec, text::Word,
    tunnel::TunnelSpec,
};
use crate::read::{Entries, Field, Items};

keys! {
    /// A topology: nodes, the links between them, and what is to be run and checked on it. A network file of conlink is
    /// one too.
    pub(crate) struct Document {
        /// What the topology is called: letters, digits, `_` and `-`. Without it, the name of the file, or of its folder.
        name: Word<wireloom_engine::Owner>,
        /// The nodes by name; a name with a range like `r[1-4]` stands for several. Without this key, the nodes that
        /// the links name are namespaces of our own.
        nodes: Entries<Option<Field<NodeSpec>>>,
        /// The links. A link has two `endpoints`, or one `node` (and then often a `bridge`).
        links: Items<LinkSpec>,
        /// Options of the bridges that links name; a bridge without options needs no entry.
        bridges: Items<BridgeSpec>,
        /// Tunnels that join a bridge with one elsewhere.
        tunnels: Items<TunnelSpec>,
        /// Commands to run once the links of their node are up.
        commands: Items<NodeCommand>,
        /// What must work: `wireloom check` tries it.
        checks: Items<CheckSpec>,
    }
}
