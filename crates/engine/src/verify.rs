//! verify(): is the kernel as desired now? Desired is a part of observed, and no address is a duplicate.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Address, Label, LinkRef, Missing, Scope, State, Step, observe, plan_leaving};

/// Duplicate address detection takes 1.6 s; past this the kernel is not going to finish it (no carrier).
const DETECTION: Duration = Duration::from_secs(3);

/// What is missing; nothing when all is well.
pub(crate) fn verify(desired: &State, held: &BTreeSet<Label>, scope: &Scope, cancelled: &AtomicBool) -> Vec<Missing> {
    let start = Instant::now();
    loop {
        let observed = match observe(scope) {
            Ok(observed) => observed,
            Err(error) => return vec![Missing::Unread(error.to_string())],
        };
        let tentative = wanted(desired, &observed).any(|(_, address)| address.tentative && !address.dadfailed);
        if tentative && start.elapsed() < DETECTION && !cancelled.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
            continue;
        }
        return compare(desired, held, &observed);
    }
}

fn compare(desired: &State, held: &BTreeSet<Label>, observed: &State) -> Vec<Missing> {
    let plan = match plan_leaving(desired, observed, held) {
        Ok(plan) => plan,
        Err(conflicts) => return conflicts.into_iter().map(|c| Missing::Conflict(Box::new(c))).collect(),
    };
    let again = plan
        .steps
        .into_iter()
        .filter(|step| !is_put_back(step) && !is_to_come(step))
        .map(|step| Missing::Step(Box::new(step)));
    let failed = wanted(desired, observed).filter(|(at, address)| address.dadfailed && !held.contains(&at.netns));
    again.chain(failed.map(|(at, address)| Missing::Duplicate { at, net: address.net })).collect()
}

/// A setting that has its value of before, or whose link is gone: the scope was made when that was still to come.
fn is_put_back(step: &Step) -> bool {
    matches!(step, Step::SetSysctl { from, to, back: true, .. } if from.as_ref().is_none_or(|from| from == to))
}

/// Namespaces go when all else is right.
fn is_to_come(step: &Step) -> bool {
    matches!(step, Step::DelNetns { .. })
}

/// The observed addresses that a desired state asks for.
fn wanted<'a>(desired: &'a State, observed: &'a State) -> impl Iterator<Item = (LinkRef, &'a Address)> {
    let links =
        desired.namespaces.iter().flat_map(|(label, netns)| netns.links.iter().map(move |(n, l)| (label, n, l)));
    links.flat_map(move |(label, name, link)| {
        let at = LinkRef::new(label, *name);
        let found = observed.link(&at).into_iter().flat_map(|found| &found.addresses);
        let asked = found.filter(|found| link.addresses.iter().any(|wanted| wanted.net == found.net));
        asked.map(move |address| (at.clone(), address)).collect::<Vec<_>>()
    })
}
