//! The order of links: what others stand on comes first.

use super::{Settings, Step};
use crate::{LinkRef, State};

/// Stacks are a handful of links high; a loop of a broken state ends here.
const HIGHEST: i32 = 16;

/// Sorts by height, stably. A link of height 0 stands on nothing; a port is above its bridge, a vlan above its parent.
/// An MTU that shrinks goes the other way round: it may never be above that of the parent, also not on the way back.
pub(super) fn by_depth(state: &State, steps: &mut [Step]) {
    steps.sort_by_cached_key(|step| match step {
        Step::SetLink { at, from, to } if shrinks_on_parent(state, at, from, to) => -height(state, at, 0),
        Step::AddLink(new) | Step::DelLink(new) => {
            let peer = new.peer.as_ref().map_or(0, |peer| height(state, &peer.at, 0));
            height(state, &new.at, 0).max(peer)
        }
        Step::SetLink { at, .. } => height(state, at, 0),
        _ => 0,
    });
}

fn shrinks_on_parent(state: &State, at: &LinkRef, from: &Settings, to: &Settings) -> bool {
    let shrinks = from.mtu.zip(to.mtu).is_some_and(|(from, to)| from > to);
    // One that also becomes a port waits for its bridge.
    shrinks && to.controller.is_none() && state.link(at).is_some_and(|link| link.kind.parent().is_some())
}

fn height(state: &State, at: &LinkRef, depth: i32) -> i32 {
    let Some(link) = state.link(at).filter(|_| depth < HIGHEST) else { return 0 };
    let controller = link.controller.map(|c| LinkRef::new(&at.netns, c));
    let below = controller.iter().chain(link.kind.parent());
    below.map(|below| 1 + height(state, below, depth + 1)).max().unwrap_or(0)
}
