//! Why there is no plan.

use ipnet::IpNet;
use thiserror::Error;

use crate::{IfName, Label, LinkRef, Object, Owner};

/// Something of others stands in the way, or something is missing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Conflict {
    /// A namespace of that name is there, and does not carry our mark.
    #[error(
        "namespace {name} for node {netns} exists already and is not ours; remove it, or give the topology another name"
    )]
    ForeignNetns {
        /// The node.
        netns: Label,
        /// The namespace's name.
        name: String,
    },
    /// A namespace that the document says exists does not.
    #[error("namespace {place} for node {netns} does not exist; make it first, or leave `netns` out to have one made")]
    MissingNetns {
        /// The node.
        netns: Label,
        /// Its name or path.
        place: String,
    },
    /// An interface of that name is there, and is not ours.
    #[error("{at} exists already and is not ours ({kind}{}); rename one of the two", owner.as_ref().map(|o| format!(", of topology {o}")).unwrap_or_default())]
    ForeignLink {
        /// Which.
        at: LinkRef,
        /// What it is.
        kind: String,
        /// The other topology that it belongs to, if it is one of Wireloom's.
        owner: Option<Owner>,
    },
    /// The address is there with another prefix, and is not ours.
    #[error("address {wanted} on {at}: {found} is there already and is not ours; delete it first")]
    ForeignAddress {
        /// The link.
        at: LinkRef,
        /// What was asked for.
        wanted: IpNet,
        /// What is there.
        found: IpNet,
    },
    /// A table of our name is there, and is not ours.
    #[error(
        "nftables table {table} in {netns} exists already and is not ours; delete it, or give the topology another name"
    )]
    ForeignTable {
        /// Where.
        netns: Label,
        /// Its family and name.
        table: String,
    },
    /// An object is there that the kernel takes for the same (a route to the same destination with the same metric), and
    /// it is not ours.
    #[error("{} {wanted} in {netns}: {found} is there already and is not ours; {}", wanted.name(), wanted.held().remedy())]
    ForeignObject {
        /// Where.
        netns: Label,
        /// What was asked for.
        wanted: Box<Object>,
        /// What is there.
        found: Box<Object>,
    },
    /// The interface below is not there.
    #[error("parent {parent} of {at} does not exist")]
    MissingParent {
        /// The link that needs it.
        at: LinkRef,
        /// What is missing.
        parent: LinkRef,
    },
    /// The bridge is not there.
    #[error("bridge {controller} for port {at} does not exist")]
    MissingController {
        /// The port.
        at: LinkRef,
        /// What is missing.
        controller: IfName,
    },
}

impl Conflict {
    /// The namespace that it is in.
    pub fn netns(&self) -> &Label {
        match self {
            Conflict::ForeignNetns { netns, .. }
            | Conflict::MissingNetns { netns, .. }
            | Conflict::ForeignTable { netns, .. }
            | Conflict::ForeignObject { netns, .. } => netns,
            Conflict::ForeignLink { at, .. }
            | Conflict::ForeignAddress { at, .. }
            | Conflict::MissingParent { at, .. }
            | Conflict::MissingController { at, .. } => &at.netns,
        }
    }
}
