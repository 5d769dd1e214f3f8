//! undo(): the way back from steps that were done.

use std::collections::BTreeSet;

use super::{NewLink, Settings, Step};
use crate::{Label, LinkKind, Origin, firewall::Origin as FirewallOrigin};

/// Steps that take `done` back, last first. What lies in a namespace that goes away as a whole needs no step of its own.
pub fn undo(done: &[Step]) -> Vec<Step> {
    let fresh: BTreeSet<&Label> = done.iter().filter_map(fresh_netns).collect();
    let mut steps: Vec<Step> = done.iter().rev().filter(|step| !goes_with(step, &fresh)).flat_map(inverse).collect();
    // Addresses of a link that comes back need it first; the reversal has put them right behind it.
    steps.sort_by_key(|step| matches!(step, Step::DelNetns { .. }));
    steps
}

fn fresh_netns(step: &Step) -> Option<&Label> {
    match step {
        Step::AddNetns { netns, .. } => Some(netns),
        _ => None,
    }
}

fn goes_with(step: &Step, fresh: &BTreeSet<&Label>) -> bool {
    match step {
        // A namespace that stays may need the name of the other end, or what lies below, before the others go.
        Step::AddLink(new) => {
            let peer = new.peer.as_ref().map(|peer| &peer.at.netns);
            let all = [Some(&new.at.netns), peer, new.link.kind.made_from()];
            all.into_iter().flatten().all(|netns| fresh.contains(netns))
        }
        Step::SetLink { at, .. }
        | Step::AddAddress { at, .. }
        | Step::DelAddress { at, .. }
        | Step::SetQdisc { at, .. } => fresh.contains(&at.netns),
        Step::Add { netns, .. }
        | Step::Del { netns, .. }
        | Step::SetSysctl { netns, .. }
        | Step::SetFirewall { netns, .. } => fresh.contains(netns),
        Step::AddNetns { .. } | Step::DelNetns { .. } | Step::DelLink(_) => false,
    }
}

fn inverse(step: &Step) -> Vec<Step> {
    match step.clone() {
        Step::AddNetns { netns, .. } => vec![Step::DelNetns { netns }],
        Step::DelNetns { .. } => Vec::new(),
        Step::AddLink(new) => vec![Step::DelLink(new)],
        Step::DelLink(new) => restore(new),
        Step::SetLink { from, .. } if from.is_empty() => Vec::new(),
        Step::SetLink { at, from, to } => vec![Step::SetLink { at, from: to, to: from }],
        Step::AddAddress { at, address } => vec![Step::DelAddress { at, address }],
        Step::DelAddress { at, address } => vec![Step::AddAddress { at, address }],
        Step::Add { netns, object } => vec![Step::Del { netns, object }],
        Step::Del { netns, object } => vec![Step::Add { netns, object }],
        Step::SetQdisc { at, from, to } => vec![Step::SetQdisc { at, from: to, to: from }],
        // What it said before is not known.
        Step::SetFirewall { from: Some(from), .. } if from.origin == FirewallOrigin::Changed => Vec::new(),
        Step::SetFirewall { netns, from, to } => vec![Step::SetFirewall { netns, from: to, to: from }],
        Step::SetSysctl { netns, key, from, to, back } => {
            let back_to = from.map(|from| Step::SetSysctl { netns, key, from: Some(to), to: from, back: !back });
            back_to.into_iter().collect()
        }
    }
}

/// A link that was deleted, with the addresses and the qdisc that went with it. A pair whose other end was not to be
/// seen had lost it, or was about to: half a cable cannot be made. Nor can what does not tell enough about itself.
fn restore(new: NewLink) -> Vec<Step> {
    let half = matches!(new.link.kind, LinkKind::Veth(_) | LinkKind::Netkit(_)) && new.peer.is_none();
    if half || !new.link.kind.can_be_restored() {
        return Vec::new();
    }
    let bare = |new: &NewLink| {
        let link = crate::Link { addresses: Vec::new(), qdisc: None, claimed: false, ..new.link.clone() };
        NewLink { at: new.at.clone(), link, peer: None }
    };
    let mut first = bare(&new);
    first.peer = new.peer.as_deref().map(|peer| Box::new(bare(peer)));
    if first.peer.as_ref().is_some_and(|p| p.link.controller.is_some()) && first.link.controller.is_none() {
        let mut peer = *first.peer.take().expect("just looked at");
        std::mem::swap(&mut first, &mut peer);
        first.peer = Some(Box::new(peer));
    }
    let mut steps = vec![Step::AddLink(first)];
    if new.link.kind.is_configured_later() {
        let to = Settings { kind: Some(new.link.kind.clone()), ..Settings::default() };
        steps.push(Step::SetLink { at: new.at.clone(), from: Settings::default(), to });
    }
    for end in [Some(&new), new.peer.as_deref()].into_iter().flatten() {
        let addresses = end.link.addresses.iter().filter(|a| a.origin != Origin::Kernel);
        steps.extend(addresses.map(|address| Step::AddAddress { at: end.at.clone(), address: address.clone() }));
        if let Some(to) = end.link.qdisc.clone() {
            steps.push(Step::SetQdisc { at: end.at.clone(), from: None, to: Some(to) });
        }
    }
    steps
}
