//! The order of links: what others stand on comes first.

use super::Step;
use crate::{LinkRef, State};

/// Stacks are a handful of links high; a loop of a broken state ends here.
const HIGHEST: usize = 16;

/// Sorts by height, stably. A link of height 0 stands on nothing; a port is above its bridge, a vlan above its parent.
pub(super) fn by_depth(state: &State, steps: &mut [Step]) {
    steps.sort_by_cached_key(|step| match step {
        Step::AddLink(new) | Step::DelLink(new) => {
            let peer = new.peer.as_ref().map_or(0, |peer| height(state, &peer.at, 0));
            height(state, &new.at, 0).max(peer)
        }
        Step::SetLink { at, .. } => height(state, at, 0),
        _ => 0,
    });
}

fn height(state: &State, at: &LinkRef, depth: usize) -> usize {
    let Some(link) = state.link(at).filter(|_| depth < HIGHEST) else { return 0 };
    let controller = link.controller.map(|c| LinkRef::new(&at.netns, c));
    let below = controller.iter().chain(link.kind.parent());
    below.map(|below| 1 + height(state, below, depth + 1)).max().unwrap_or(0)
}
