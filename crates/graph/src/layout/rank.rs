//! Which nodes lie in which tier. Names help: all of `spine[1-4]` are of a kind, and belong side by side. Answers that
//! there are no tiers where links would have to run across a tier. Does not order the nodes of a tier.

use std::collections::{BTreeMap, BTreeSet};

use super::part::Part;
use crate::{graph::Shape, name::stem};

/// Nodes side by side, each linked with the next one.
pub(super) type Run = Vec<usize>;

/// How many sets of nodes are tried as the uppermost tier.
const TRIED: usize = 32;
/// The longest path that is one row.
const ROW: usize = 8;

/// The tiers from above, each of runs.
pub(super) fn tiers(part: &Part<'_>) -> Option<Vec<Vec<Run>>> {
    if let Some(walk) = part.walk() {
        let path = part.pairs() < part.nodes.len();
        return (path && walk.len() <= ROW).then(|| vec![vec![walk]]);
    }
    let kinds = kinds(part);
    let mut best: Option<(f64, Vec<Vec<Run>>)> = None;
    for sources in candidates(part, &kinds) {
        if let Some((cost, tiers)) = judge(part, &kinds, &sources)
            && best.as_ref().is_none_or(|(least, _)| cost < *least)
        {
            best = Some((cost, tiers));
        }
    }
    best.map(|(_, tiers)| tiers)
}

/// A number for what each node is called without its numbers, and what it is.
fn kinds(part: &Part<'_>) -> Vec<usize> {
    let mut known: BTreeMap<(Shape, String), usize> = BTreeMap::new();
    let nodes = part.nodes.iter().map(|node| &part.graph.nodes[*node]);
    nodes
        .map(|node| {
            let next = known.len();
            *known.entry((node.shape, stem(&node.name))).or_insert(next)
        })
        .collect()
}

/// Sets that may be the uppermost tier: all of a kind, those with the most links first; and the middle of a tree.
fn candidates(part: &Part<'_>, kinds: &[usize]) -> Vec<Vec<usize>> {
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, kind) in kinds.iter().enumerate() {
        sets.entry(*kind).or_default().push(node);
    }
    let degree = |set: &Vec<usize>| set.iter().map(|node| part.near[*node].len()).max();
    let mut sets: Vec<_> = sets.into_values().collect();
    sets.sort_by_key(|set| std::cmp::Reverse(degree(set)));
    sets.truncate(TRIED);
    if part.pairs() + 1 == part.nodes.len() {
        sets.push(middle(part));
    }
    sets
}

/// The node of a tree that is nearest to the farthest one: half way along the longest path.
fn middle(part: &Part<'_>) -> Vec<usize> {
    let farthest = |distances: &[usize]| {
        let most = distances.iter().max().copied().unwrap_or_default();
        distances.iter().position(|distance| *distance == most).unwrap_or_default()
    };
    let one = farthest(&part.distances(&[0]));
    let from_one = part.distances(&[one]);
    let from_two = part.distances(&[farthest(&from_one)]);
    let worst = |node: usize| (from_one[node].max(from_two[node]), std::cmp::Reverse(part.near[node].len()));
    vec![(0..part.nodes.len()).min_by_key(|node| worst(*node)).unwrap_or_default()]
}

/// The tiers below these nodes, and how bad they would look.
fn judge(part: &Part<'_>, kinds: &[usize], sources: &[usize]) -> Option<(f64, Vec<Vec<Run>>)> {
    let tier_of = part.distances(sources);
    let count = tier_of.iter().max()? + 1;
    let within = |node: usize, other: &usize| tier_of[node] == tier_of[*other];
    let along = (0..part.nodes.len()).flat_map(|node| part.near[node].iter().filter(move |other| within(node, other)));
    let along = along.count() / 2;
    if count == 1 || along * 3 > part.nodes.len() {
        return None;
    }
    let mut tiers = vec![Vec::new(); count];
    for run in runs(part, &tier_of)? {
        tiers[tier_of[run[0]]].push(run);
    }
    let sizes: Vec<usize> = tiers.iter().map(|tier: &Vec<Run>| tier.iter().map(Vec::len).sum()).collect();
    let narrowing = sizes.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let (mixed, split) = disorder(kinds, &tier_of, count);
    let degree = sources.iter().map(|node| part.near[*node].len()).sum::<usize>() as f64 / sources.len() as f64;
    let cost = 2.0 * along as f64 + 3.0 * narrowing as f64 + mixed as f64 + 2.0 * split as f64 + 0.1 * count as f64
        - 0.002 * degree.min(20.0);
    Some((cost, tiers))
}

/// How many kinds share a tier with another one, and over how many tiers too many kinds are spread.
fn disorder(kinds: &[usize], tier_of: &[usize], count: usize) -> (usize, usize) {
    let several: BTreeSet<usize> =
        kinds.iter().copied().filter(|kind| kinds.iter().filter(|other| *other == kind).take(2).count() > 1).collect();
    let (mut found, mut alone) = (vec![BTreeSet::new(); count], vec![0; count]);
    for (kind, tier) in kinds.iter().zip(tier_of) {
        if several.contains(kind) {
            found[*tier].insert(*kind);
        } else {
            alone[*tier] = 1;
        }
    }
    let mixed = found.iter().zip(alone).map(|(kinds, alone)| (kinds.len() + alone).saturating_sub(1)).sum();
    let split = found.iter().map(BTreeSet::len).sum::<usize>() - several.len();
    (mixed, split)
}

/// Nodes of the same tier that are linked must be neighbours: all such links have to form paths.
fn runs(part: &Part<'_>, tier_of: &[usize]) -> Option<Vec<Run>> {
    let beside = |node: usize| part.near[node].iter().copied().filter(move |other| tier_of[*other] == tier_of[node]);
    let ends = (0..part.nodes.len()).filter(|node| beside(*node).count() < 2);
    let (mut runs, mut seen) = (Vec::new(), vec![false; part.nodes.len()]);
    for end in ends {
        if seen[end] {
            continue;
        }
        let mut run = vec![end];
        seen[end] = true;
        while let Some(next) = run.last().and_then(|last| beside(*last).find(|other| !seen[*other])) {
            if beside(next).count() > 2 {
                return None;
            }
            seen[next] = true;
            run.push(next);
        }
        runs.push(run);
    }
    // What is left are rings.
    seen.iter().all(|seen| *seen).then_some(runs)
}

#[cfg(test)]
mod tests {
    use super::{super::part::split, *};
    use crate::graph::{End, Graph, Health, Link, Node, Style};

    fn graph(names: &[&str], links: &[(usize, usize)]) -> Graph {
        let node =
            |name: &&str| Node { name: (*name).into(), shape: Shape::Own, lines: Vec::new(), health: Health::Fine };
        let link = |(a, b): &(usize, usize)| {
            let ends = [*a, *b].map(|node| End { node, interface: None });
            Link { ends, style: Style::Cable, notes: Vec::new(), health: Health::Fine }
        };
        let (nodes, links) = (names.iter().map(node).collect(), links.iter().map(link).collect());
        Graph { name: "t".into(), looked: false, nodes, links }
    }

    fn sizes(graph: &Graph) -> Option<Vec<usize>> {
        let tiers = tiers(&split(graph)[0])?;
        Some(tiers.iter().map(|tier| tier.iter().map(Vec::len).sum()).collect())
    }

    #[test]
    fn a_fabric_has_tiers_and_a_mesh_has_none() {
        let fabric =
            graph(&["spine1", "spine2", "leaf1", "leaf2", "leaf3"], &[(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]);
        assert_eq!(sizes(&fabric), Some(vec![2, 3]));
        let mesh = graph(&["n1", "n2", "n3", "n4"], &[(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]);
        assert_eq!(sizes(&mesh), None);
        let ring = graph(&["r1", "r2", "r3"], &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(sizes(&ring), None);
    }

    #[test]
    fn a_path_is_a_row_and_a_tree_hangs_from_its_middle() {
        assert_eq!(sizes(&graph(&["a", "b", "c"], &[(1, 0), (1, 2)])), Some(vec![3]));
        let tree = graph(&["x", "a", "b", "c", "d", "e", "f"], &[(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)]);
        assert_eq!(sizes(&tree), Some(vec![1, 2, 4]));
    }
}
