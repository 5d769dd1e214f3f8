//! Parts of a graph that nothing joins, each with numbers of its own. Knows no places.

use std::collections::BTreeSet;

use crate::graph::Graph;

/// A part of the graph: nodes by their local number, which is their position in `nodes`.
pub(super) struct Part<'a> {
    pub(super) graph: &'a Graph,
    /// Their numbers in the graph, rising.
    pub(super) nodes: Vec<usize>,
    /// Links between two nodes: number in the graph, and the local numbers of both ends.
    pub(super) links: Vec<(usize, usize, usize)>,
    /// Links of a node with itself, by their number in the graph.
    pub(super) loops: Vec<usize>,
    /// Who is linked with whom, each once, rising.
    pub(super) near: Vec<Vec<usize>>,
}

/// The parts, the largest first.
pub(super) fn split(graph: &Graph) -> Vec<Part<'_>> {
    let mut near = vec![BTreeSet::new(); graph.nodes.len()];
    for link in &graph.links {
        let [a, b] = [link.ends[0].node, link.ends[1].node];
        near[a].insert(b);
        near[b].insert(a);
    }
    let mut part_of = vec![usize::MAX; graph.nodes.len()];
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for first in 0..graph.nodes.len() {
        if part_of[first] == usize::MAX {
            parts.push(reach(first, parts.len(), &near, &mut part_of));
        }
    }
    let mut local = vec![0; graph.nodes.len()];
    for nodes in &mut parts {
        nodes.sort_unstable();
        nodes.iter().enumerate().for_each(|(number, node)| local[*node] = number);
    }
    let mut split: Vec<_> = parts.into_iter().map(|nodes| Part::new(graph, nodes)).collect();
    for (number, link) in graph.links.iter().enumerate() {
        let [a, b] = [link.ends[0].node, link.ends[1].node];
        let part = &mut split[part_of[a]];
        match a == b {
            true => part.loops.push(number),
            false => part.links.push((number, local[a], local[b])),
        }
    }
    for part in &mut split {
        let mut own = vec![BTreeSet::new(); part.nodes.len()];
        for (_, a, b) in &part.links {
            own[*a].insert(*b);
            own[*b].insert(*a);
        }
        part.near = own.into_iter().map(|set| set.into_iter().collect()).collect();
    }
    split.sort_by_key(|part| std::cmp::Reverse(part.nodes.len()));
    split
}

fn reach(first: usize, part: usize, near: &[BTreeSet<usize>], part_of: &mut [usize]) -> Vec<usize> {
    part_of[first] = part;
    let mut nodes = vec![first];
    let mut next = 0;
    while next < nodes.len() {
        for node in &near[nodes[next]] {
            if part_of[*node] == usize::MAX {
                part_of[*node] = part;
                nodes.push(*node);
            }
        }
        next += 1;
    }
    nodes
}

impl Part<'_> {
    fn new(graph: &Graph, nodes: Vec<usize>) -> Part<'_> {
        Part { graph, nodes, links: Vec::new(), loops: Vec::new(), near: Vec::new() }
    }

    /// How many different pairs are linked.
    pub(super) fn pairs(&self) -> usize {
        self.near.iter().map(Vec::len).sum::<usize>() / 2
    }

    /// How far everything is from the nearest of these, in links.
    pub(super) fn distances(&self, from: &[usize]) -> Vec<usize> {
        let mut distances = vec![usize::MAX; self.nodes.len()];
        from.iter().for_each(|node| distances[*node] = 0);
        let mut queue = from.to_vec();
        let mut next = 0;
        while next < queue.len() {
            let node = queue[next];
            for other in &self.near[node] {
                if distances[*other] == usize::MAX {
                    distances[*other] = distances[node] + 1;
                    queue.push(*other);
                }
            }
            next += 1;
        }
        distances
    }

    /// The nodes in the order of a path or a ring, beginning with the first end, or the first node.
    pub(super) fn walk(&self) -> Option<Vec<usize>> {
        let most = self.near.iter().map(Vec::len).max()?;
        let start = (0..self.nodes.len()).find(|node| self.near[*node].len() < 2).unwrap_or(0);
        let mut walk = vec![start];
        let mut before = usize::MAX;
        while most <= 2 && walk.len() < self.nodes.len() {
            let here = *walk.last()?;
            let next = *self.near[here].iter().find(|other| **other != before)?;
            before = here;
            walk.push(next);
        }
        (most <= 2).then_some(walk)
    }
}
