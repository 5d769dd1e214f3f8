//! Which processes of others are inside the namespaces that are about to go. Does not end them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wireloom_engine::{Label, Source, State};

use crate::place;

/// A process inside a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Holder {
    pub(crate) node: Label,
    pub(crate) pid: u32,
    pub(crate) command: String,
}

/// Those inside the namespaces of ours that `states` name, in the order of the nodes.
pub(crate) fn find<'a>(states: impl Iterator<Item = &'a State>) -> Vec<Holder> {
    let namespaces = states.flat_map(|state| &state.namespaces).filter(|(_, netns)| netns.own);
    let nodes: BTreeMap<u64, &Label> =
        namespaces.filter_map(|(label, netns)| Some((inode(&netns.source)?, label))).collect();
    if nodes.is_empty() {
        return Vec::new();
    }
    let inodes: BTreeSet<u64> = nodes.keys().copied().collect();
    let mut found: Vec<Holder> = Vec::new();
    for (inode, processes) in wireloom_netns::holders(&inodes) {
        let node = nodes[&inode];
        found.extend(processes.into_iter().map(|p| Holder { node: node.clone(), pid: p.pid, command: p.command }));
    }
    found.sort_by(|a, b| (&a.node, a.pid).cmp(&(&b.node, b.pid)));
    found
}

fn inode(source: &Source) -> Option<u64> {
    place::open(source).ok()?.inode().ok()
}
