//! The order within each tier, so that few links cross: each node goes to the mean of those that it is linked with in
//! the tier beside, up and down, until that helps no more. Nodes of which nothing is known stay in the order of their
//! names.

use super::{part::Part, rank::Run};

/// How often all tiers are gone through.
const SWEEPS: usize = 8;
/// Above this, crossings are not counted: the last order is taken.
const COUNTED: usize = 20_000;

/// The nodes of each tier from left to right.
pub(super) fn sort(part: &Part<'_>, mut tiers: Vec<Vec<Run>>) -> Vec<Vec<usize>> {
    for tier in &mut tiers {
        tier.sort_by_key(|run| run.iter().copied().min());
    }
    let mut best = flat(&tiers);
    if part.links.len() > COUNTED {
        return best;
    }
    let mut least = crossings(part, &best);
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for step in 1..tiers.len() {
            let at = if down { step } else { tiers.len() - 1 - step };
            let beside = if down { at - 1 } else { at + 1 };
            let places = places(part, &tiers[beside]);
            arrange(part, &mut tiers[at], &places);
        }
        let found = flat(&tiers);
        let count = crossings(part, &found);
        if count < least {
            (best, least) = (found, count);
        }
    }
    best
}

fn flat(tiers: &[Vec<Run>]) -> Vec<Vec<usize>> {
    tiers.iter().map(|tier| tier.concat()).collect()
}

/// The place of each node of that tier, in shares of its width; none for others.
fn places(part: &Part<'_>, tier: &[Run]) -> Vec<Option<f64>> {
    let mut places = vec![None; part.nodes.len()];
    for (place, node) in tier.concat().into_iter().enumerate() {
        places[node] = Some(place as f64);
    }
    places
}

fn arrange(part: &Part<'_>, tier: &mut Vec<Run>, beside: &[Option<f64>]) {
    let mean = |nodes: &[usize]| {
        let linked = nodes.iter().flat_map(|node| &part.near[*node]).filter_map(|other| beside[*other]);
        let (count, sum) = linked.fold((0.0, 0.0), |(count, sum), place| (count + 1.0, sum + place));
        (count > 0.0).then(|| sum / count)
    };
    for run in tier.iter_mut().filter(|run| run.len() > 1) {
        let half = run.len() / 2;
        let (left, right) = (mean(&run[..half]), mean(&run[run.len() - half..]));
        if left.zip(right).is_some_and(|(left, right)| left > right) {
            run.reverse();
        }
    }
    // One that is linked with nothing beside keeps its place among its neighbours: it goes where its left one goes.
    let mut last = f64::NEG_INFINITY;
    let mut keyed: Vec<(f64, Run)> = Vec::new();
    for run in tier.drain(..) {
        last = mean(&run).unwrap_or(last);
        keyed.push((last, run));
    }
    keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    tier.extend(keyed.into_iter().map(|(_, run)| run));
}

/// How many pairs of links between neighbouring tiers cross.
fn crossings(part: &Part<'_>, order: &[Vec<usize>]) -> usize {
    let mut at = vec![(0, 0); part.nodes.len()];
    for (tier, nodes) in order.iter().enumerate() {
        nodes.iter().enumerate().for_each(|(place, node)| at[*node] = (tier, place));
    }
    let mut between = vec![Vec::new(); order.len()];
    for (_, a, b) in &part.links {
        let (upper, lower) = if at[*a] <= at[*b] { (at[*a], at[*b]) } else { (at[*b], at[*a]) };
        if upper.0 != lower.0 {
            between[upper.0].push((upper.1, lower.1));
        }
    }
    let tiers = between.into_iter().zip(order.iter().skip(1));
    tiers.map(|(links, below)| inversions(links, below.len())).sum()
}

/// Counted with a tree of sums (Fenwick): how many of those before end to the right.
fn inversions(mut links: Vec<(usize, usize)>, width: usize) -> usize {
    links.sort_unstable();
    let mut sums = vec![0usize; width + 1];
    let mut found = 0;
    for (seen, (_, end)) in links.into_iter().enumerate() {
        let (mut at, mut not_right) = (end + 1, 0);
        while at > 0 {
            not_right += sums[at];
            at -= at & at.wrapping_neg();
        }
        found += seen - not_right;
        let mut at = end + 1;
        while at <= width {
            sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(vec![(0, 0), (1, 1)], 2), 0);
        assert_eq!(inversions(vec![(0, 1), (1, 0)], 2), 1);
        assert_eq!(inversions(vec![(0, 0), (0, 1), (1, 0), (1, 1)], 2), 1);
    }
}
