//! Many checks at once, and so that they do not disturb each other. Does not know how one is made.
//!
//! The kernel has one table of neighbours for all namespaces, 1024 entries large as it comes
//! (net.ipv4.neigh.default.gc_thresh3), and keeps a neighbour that has answered for half a minute, whoever else needs the
//! place. A ping between two hosts that have not met takes two places; where there is none left, nobody hears of it. So
//! after some hundred checks the neighbours that they have made are forgotten again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use wireloom_engine::Label;
use wireloom_netns::Netns;

use crate::{Check, CheckKind, CheckResult, Outcome, Why, neighbour::Neighbours};

/// How many checks are made at the same time: they mostly wait.
const THREADS: usize = 16;
/// After how many checks the neighbours are forgotten: half of what the kernel has room for.
const ROUND: usize = 512;
/// How often those that had no answer are tried again, where there are that many, while fewer and fewer are left.
const AGAIN: usize = 2;

/// Makes the checks, up to 16 at the same time, and gives the results in their order. `resolver` opens the namespace of
/// a node; it is asked anew for each check, so that none is held open longer. Of more than 512, those without any answer
/// are tried again, as there may have been too many at once.
///
/// Routes are looked for before anything is sent: those who wait for them wait for the routers.
pub fn run_checks<E: Display>(
    checks: &[Check],
    resolver: impl Fn(&Label) -> Result<Netns, E> + Sync,
) -> Vec<CheckResult> {
    let many = checks.len() > ROUND;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; checks.len()];
    let is_route = |index: &usize| matches!(checks[*index].kind, CheckKind::Route(_));
    let (routes, mut due): (Vec<usize>, Vec<usize>) = in_pairs(checks).into_iter().partition(is_route);
    for (index, outcome) in at_once(checks, &routes, &resolver) {
        outcomes[index] = Some(outcome);
    }
    let senders: BTreeSet<&Label> = checks.iter().map(|check| &check.from).collect();
    let opened = || senders.iter().filter_map(|label| Some((*label, resolver(label).ok()?)));
    let before: BTreeMap<&Label, Neighbours> =
        if many { opened().map(|(label, netns)| (label, Neighbours::of(&netns))).collect() } else { BTreeMap::new() };
    for turn in 0..=AGAIN {
        for round in due.chunks(ROUND) {
            for (index, outcome) in at_once(checks, round, &resolver) {
                outcomes[index] = Some(outcome);
            }
            if many {
                opened()
                    .filter_map(|(label, netns)| Some((before.get(label)?, netns)))
                    .for_each(|(b, n)| b.restore(&n));
            }
        }
        let tried = due.len();
        due.retain(|index| !checks[*index].expect_fail && outcomes[*index].as_ref().is_some_and(is_silence));
        if !many || due.is_empty() || (turn > 0 && due.len() == tried) {
            break;
        }
    }
    let outcomes = outcomes.into_iter().map(|outcome| outcome.expect("every check was due"));
    checks.iter().zip(outcomes).map(|(check, outcome)| check.result(&outcome)).collect()
}

/// There and back again right after each other, where there are very many: both need the same neighbours.
fn in_pairs(checks: &[Check]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..checks.len()).collect();
    if checks.len() > ROUND {
        let ends = |check: &Check| {
            let (from, to) = (check.from.as_str().to_owned(), check.to.clone());
            if from < to { (from, to) } else { (to, from) }
        };
        order.sort_by_cached_key(|index| ends(&checks[*index]));
    }
    order
}

fn is_silence(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Why::Timeout(_) | Why::NoNeighbour(_)))
}

fn at_once<E: Display>(
    checks: &[Check],
    due: &[usize],
    resolver: impl Fn(&Label) -> Result<Netns, E> + Sync,
) -> Vec<(usize, Outcome)> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(due.len()));
    let work = || {
        while let Some(index) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = checks[*index].run(&resolver);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((*index, outcome));
        }
    };
    thread::scope(|scope| {
        (1..THREADS.min(due.len())).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}
