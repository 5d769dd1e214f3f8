//! What has no tiers: a ring is a circle, a long path a snake, and the rest lies by distances. Links are straight; room
//! for labels is looked for later.

use std::{collections::BTreeMap, f64::consts::TAU};

use super::{
    Piece, Place,
    geometry::{Point, Rect, Wire},
    overlap,
    part::Part,
    stress,
};
use crate::measure::{self, Detail, Size};

/// The largest circle.
const CIRCLE: usize = 36;
/// So few nodes lie on a circle, whatever joins them.
const FEW: usize = 6;
/// Between two links of the same nodes.
const PARALLEL: f64 = 26.0;

pub(super) fn lay_out(part: &Part<'_>, finest: Detail) -> Piece {
    let detail = finest.max(match part.links.len() {
        0..=36 => Detail::Full,
        37..=110 => Detail::Names,
        _ => Detail::Quiet,
    });
    let sizes: Vec<Size> = part.nodes.iter().map(|node| measure::node(&part.graph.nodes[*node], detail)).collect();
    let mut centers = match part.walk() {
        Some(walk) if part.pairs() >= part.nodes.len() && walk.len() > CIRCLE => lanes(&walk, &sizes, length(detail)),
        Some(walk) if part.pairs() < part.nodes.len() => snake(&walk, &sizes, length(detail)),
        Some(walk) => circle(&walk, &sizes, length(detail)),
        None if part.nodes.len() <= FEW => circle(&(0..part.nodes.len()).collect::<Vec<_>>(), &sizes, length(detail)),
        None => stress::place(part, length(detail)),
    };
    overlap::remove(&mut centers, &sizes, gap(detail));
    let rects: Vec<Rect> = centers.iter().zip(&sizes).map(|(center, size)| Rect::around(*center, *size)).collect();
    let mut wires = wires(part, &rects, detail);
    wires.iter_mut().for_each(|(_, wire)| around(wire, &rects));
    let boxes = part.nodes.iter().zip(rects).map(|(node, rect)| (*node, Place { rect, detail })).collect();
    Piece { boxes, wires }
}

/// How long a link is to be.
fn length(detail: Detail) -> f64 {
    match detail {
        Detail::Full => 250.0,
        Detail::Names => 165.0,
        Detail::Quiet => 92.0,
    }
}

/// Between two boxes, at least.
fn gap(detail: Detail) -> f64 {
    if detail == Detail::Quiet { 14.0 } else { 30.0 }
}

/// Counter-clockwise from the top, a little wider than high.
fn circle(order: &[usize], sizes: &[Size], length: f64) -> Vec<Point> {
    let widest = sizes.iter().map(|size| size.w).fold(0.0, f64::max);
    let radius = (length + widest * 0.6) / 2.0 / (TAU / 2.0 / order.len() as f64).sin().max(0.01);
    // Two labels find room side by side below the tip of a triangle.
    let wider = if order.len() == 3 { 1.75 } else { 1.3 };
    let mut centers = vec![Point::default(); order.len()];
    for (place, node) in order.iter().enumerate() {
        let angle = TAU * place as f64 / order.len() as f64;
        centers[*node] = Point::new(-radius * wider * angle.sin(), -radius * angle.cos());
    }
    centers
}

/// A path that turns at the end of each row.
fn snake(walk: &[usize], sizes: &[Size], length: f64) -> Vec<Point> {
    let (wide, high) = cell(sizes, length);
    let columns = ((walk.len() as f64 * 1.6 * high / wide).sqrt().ceil() as usize).max(1);
    let mut centers = vec![Point::default(); walk.len()];
    for (place, node) in walk.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let column = if row % 2 == 0 { column } else { columns - 1 - column };
        centers[*node] = Point::new(column as f64 * wide, row as f64 * high);
    }
    centers
}

/// A ring as a snake of two lanes, there and back. At each turn the outer lane stays the outer one.
fn lanes(walk: &[usize], sizes: &[Size], length: f64) -> Vec<Point> {
    let (wide, high) = cell(sizes, length);
    let half = walk.len().div_ceil(2);
    let columns = ((half as f64 * 3.2 * high / wide).sqrt().ceil() as usize).max(1);
    let mut centers = vec![Point::default(); walk.len()];
    for (place, node) in walk.iter().enumerate() {
        let back = place >= half;
        let along = if back { walk.len() - 1 - place } else { place };
        let (row, column) = (along / columns, along % columns);
        let (column, inner) = if row % 2 == 0 { (column, back) } else { (columns - 1 - column, !back) };
        centers[*node] = Point::new(column as f64 * wide, (2 * row) as f64 * high + if inner { high } else { 0.0 });
    }
    centers
}

/// The room for one node and the link to the next.
fn cell(sizes: &[Size], length: f64) -> (f64, f64) {
    let widest = sizes.iter().map(|size| size.w).fold(0.0, f64::max);
    let highest = sizes.iter().map(|size| size.h).fold(0.0, f64::max);
    (widest + length * 0.6, highest + length * 0.3)
}

/// Straight lines from edge to edge; those that join the same two nodes lie side by side.
fn wires(part: &Part<'_>, rects: &[Rect], detail: Detail) -> Vec<(usize, Wire)> {
    let mut alike: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    part.links.iter().for_each(|(_, a, b)| *alike.entry(pair(*a, *b)).or_default() += 1);
    let mut drawn: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let wire = |(number, a, b): &(usize, usize, usize)| {
        let key = pair(*a, *b);
        let place = drawn.entry(key).or_default();
        let room = rects[*a].h.min(rects[*b].h) * 0.8 / alike[&key] as f64;
        let aside = (*place as f64 - (alike[&key] - 1) as f64 / 2.0) * PARALLEL.min(room);
        *place += 1;
        (*number, between(&rects[*a], &rects[*b], if a < b { aside } else { -aside }, detail))
    };
    part.links.iter().map(wire).collect()
}

/// An upright link that would run over other boxes goes around them.
fn around(wire: &mut Wire, rects: &[Rect]) {
    let upright = (wire.from.x - wire.to.x).abs() < 2.0;
    let mut inside = rects.iter().filter(|rect| rect.grown(-2.0).meets(wire.from, wire.to));
    let Some(over) = inside.next().filter(|_| upright) else { return };
    let middle = rects.iter().map(|rect| rect.center().x).sum::<f64>() / rects.len() as f64;
    let aside = (over.w * 0.5 + 26.0).copysign(wire.from.x - middle);
    wire.bend = Some([0.2, 0.8].map(|share| {
        let point = wire.from.towards(wire.to, share);
        Point::new(point.x + aside, point.y)
    }));
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

fn between(a: &Rect, b: &Rect, aside: f64, detail: Detail) -> Wire {
    let (from, to) = (a.center(), b.center());
    let length = from.distance(to).max(1.0);
    let (dx, dy) = (-(to.y - from.y) / length * aside, (to.x - from.x) / length * aside);
    let (from, to) = (Point::new(from.x + dx, from.y + dy), Point::new(to.x + dx, to.y + dy));
    let (leave, arrive) = (a.exit(from, to), b.exit(to, from));
    Wire::straight(from.towards(to, leave), to.towards(from, arrive), detail)
}
