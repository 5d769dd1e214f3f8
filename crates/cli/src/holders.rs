//! Which processes of others are inside the namespaces that are about to go. Does not end them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;
use wireloom_engine::{Label, Source, State};

/// A process inside a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Holder {
    pub(crate) node: Label,
    pub(crate) pid: u32,
    pub(crate) command: String,
}

/// Namespaces that may go: known by their inodes, which are all that is left when their names are gone.
#[derive(Debug, Default)]
pub(crate) struct Going(BTreeMap<u64, Label>);

impl Going {
    /// The namespaces of ours that `states` name, as far as `goes` says that they may go.
    pub(crate) fn of<'a>(states: impl Iterator<Item = &'a State>, goes: impl Fn(&Label, &Source) -> bool) -> Going {
        let namespaces = states.flat_map(|state| &state.namespaces).filter(|(_, netns)| netns.own);
        let going = namespaces.filter(|(label, netns)| goes(label, &netns.source));
        Going(going.filter_map(|(label, netns)| Some((inode(&netns.source)?, label.clone()))).collect())
    }

    /// The processes inside, in the order of the nodes.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let inodes: BTreeSet<u64> = self.0.keys().copied().collect();
        let mut found: Vec<Holder> = Vec::new();
        for (inode, processes) in wireloom_netns::holders(&inodes) {
            let node = &self.0[&inode];
            found.extend(processes.into_iter().map(|p| Holder { node: node.clone(), pid: p.pid, command: p.command }));
        }
        found.sort_by(|a, b| (&a.node, a.pid).cmp(&(&b.node, b.pid)));
        found
    }

    /// Looks again for who holds those that did not go, and adds them to `known`. The second answer is those that
    /// nobody is seen to hold: the kernel finishes with them, packets that wait for a neighbour take it three seconds.
    pub(crate) fn late<'a>(&self, held: &'a [Label], known: &mut Vec<Holder>) -> Vec<&'a Label> {
        let unseen = |known: &[Holder]| -> Vec<&'a Label> {
            held.iter().filter(|label| known.iter().all(|holder| holder.node != **label)).collect()
        };
        let missed = unseen(known);
        if missed.is_empty() {
            return missed;
        }
        known.extend(self.holders().into_iter().filter(|holder| missed.contains(&&holder.node)));
        unseen(known)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { node, pid, command } = self;
        write!(f, "process {pid} (`{command}`) is inside node {node}: its namespace lives on, nameless, until it ends")
    }
}

fn inode(source: &Source) -> Option<u64> {
    source.open().ok()?.inode().ok()
}
