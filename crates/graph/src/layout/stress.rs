//! Distances on paper like those in the graph: stress is brought down pair by pair, with steps that get smaller
//! (Zheng, Pawar, Goodman 2018). The pairs come in an order that is fixed and far from any other, so that there is no
//! chance in it. Large graphs are placed by their distances to some nodes only, and by their links.

use super::{geometry::Point, part::Part};

/// Up to here all pairs count.
const WHOLE: usize = 700;
/// Above it, distances to so many nodes.
const PIVOTS: usize = 40;
/// How much wider than high.
const WIDER: f64 = 1.3;

/// Two nodes and how far apart they are to be.
struct Term {
    a: usize,
    b: usize,
    distance: f64,
}

/// Where the nodes are, around no particular point.
pub(super) fn place(part: &Part<'_>, length: f64) -> Vec<Point> {
    let count = part.nodes.len();
    // On a circle, with neighbours in the graph not too far from each other.
    let order = breadth_first(part);
    let mut centers = vec![Point::default(); count];
    for (place, node) in order.into_iter().enumerate() {
        let angle = std::f64::consts::TAU * place as f64 / count as f64;
        centers[node] = Point::new(angle.cos(), angle.sin());
    }
    let terms = if count <= WHOLE { all_pairs(part) } else { some_pairs(part) };
    descend(&mut centers, &terms);
    level(&mut centers);
    centers.into_iter().map(|center| Point::new(center.x * length * WIDER, center.y * length)).collect()
}

fn breadth_first(part: &Part<'_>) -> Vec<usize> {
    let distances = part.distances(&[0]);
    let mut order: Vec<usize> = (0..part.nodes.len()).collect();
    order.sort_by_key(|node| distances[*node]);
    // Those of an even place on one half of the circle, so that the far end is opposite.
    let (even, odd): (Vec<_>, Vec<_>) = order.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    even.into_iter().chain(odd.into_iter().rev()).map(|(_, node)| node).collect()
}

fn all_pairs(part: &Part<'_>) -> Vec<Term> {
    let mut terms = Vec::new();
    for a in 0..part.nodes.len() {
        let distances = part.distances(&[a]);
        terms.extend((a + 1..part.nodes.len()).map(|b| Term { a, b, distance: distances[b] as f64 }));
    }
    terms
}

/// Each pivot is the node that is farthest from those before.
fn some_pairs(part: &Part<'_>) -> Vec<Term> {
    let mut terms: Vec<Term> = (part.links.iter()).map(|(_, a, b)| Term { a: *a, b: *b, distance: 1.0 }).collect();
    let mut nearest = vec![usize::MAX; part.nodes.len()];
    let mut pivot = 0;
    for _ in 0..PIVOTS {
        let distances = part.distances(&[pivot]);
        let far = distances.iter().enumerate().filter(|(node, _)| *node != pivot);
        terms.extend(far.map(|(b, distance)| Term { a: pivot, b, distance: *distance as f64 }));
        nearest.iter_mut().zip(&distances).for_each(|(near, distance)| *near = (*near).min(*distance));
        pivot = (0..nearest.len()).max_by_key(|node| (nearest[*node], std::cmp::Reverse(*node))).unwrap_or_default();
    }
    terms
}

fn descend(centers: &mut [Point], terms: &[Term]) {
    let farthest = terms.iter().map(|term| term.distance).fold(1.0, f64::max);
    let steps = if terms.len() > 100_000 { 14 } else { 40 };
    let (first, last) = (farthest * farthest, 0.05f64);
    let stride = stride(terms.len());
    for step in 0..steps {
        let rate = first * (last / first).powf(f64::from(step) / f64::from(steps - 1));
        let mut next = 0;
        for _ in 0..terms.len() {
            pull(centers, &terms[next], rate);
            next = (next + stride) % terms.len();
        }
    }
}

/// Both ends go half of what is missing, as far as they may.
fn pull(centers: &mut [Point], term: &Term, rate: f64) {
    let (a, b) = (centers[term.a], centers[term.b]);
    let share = (rate / (term.distance * term.distance)).min(1.0);
    let apart = a.distance(b).max(1e-6);
    let by = share * (apart - term.distance) / 2.0 / apart;
    let (dx, dy) = ((a.x - b.x) * by, (a.y - b.y) * by);
    centers[term.a] = Point::new(a.x - dx, a.y - dy);
    centers[term.b] = Point::new(b.x + dx, b.y + dy);
}

/// A step near the golden section that meets every pair once.
fn stride(count: usize) -> usize {
    let divides = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let mut stride = ((count as f64 * 0.618) as usize).max(1);
    while divides(stride, count) != 1 {
        stride += 1;
    }
    stride
}

/// Turned so that it is widest across, with the first node above and to the left.
fn level(centers: &mut [Point]) {
    let count = centers.len() as f64;
    let (x, y) = centers.iter().fold((0.0, 0.0), |(x, y), center| (x + center.x / count, y + center.y / count));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for center in centers.iter_mut() {
        *center = Point::new(center.x - x, center.y - y);
        xx += center.x * center.x;
        xy += center.x * center.y;
        yy += center.y * center.y;
    }
    let angle = 0.5 * f64::atan2(2.0 * xy, xx - yy);
    let (sin, cos) = angle.sin_cos();
    for center in centers.iter_mut() {
        *center = Point::new(center.x * cos + center.y * sin, center.y * cos - center.x * sin);
    }
    let first = centers[0];
    let (flip_x, flip_y) = (if first.x > 0.0 { -1.0 } else { 1.0 }, if first.y > 0.0 { -1.0 } else { 1.0 });
    centers.iter_mut().for_each(|center| *center = Point::new(center.x * flip_x, center.y * flip_y));
}
