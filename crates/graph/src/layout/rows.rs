//! Tiers on paper: each a row of boxes, with the labels of their interfaces along the edges, above for links upwards,
//! below for those downwards. A tier that is too wide becomes several rows.

use std::cmp::Ordering;

use super::{
    Piece, Place,
    coordinates::settle,
    geometry::{Point, Rect, Wire},
    part::Part,
};
use crate::measure::{self, Detail, Size};

/// Between boxes of a row, and between labels.
const GAP: f64 = 26.0;
const LABEL_GAP: f64 = 6.0;
/// Between the rows of one tier.
const ROW_GAP: f64 = 24.0;
/// Of a port without a label.
const BARE: f64 = 14.0;
/// Room for a remark on a link between neighbours.
const BESIDE: f64 = 90.0;
/// The width that a box grows to for ports without labels.
const LARGE: f64 = 120.0;
/// How often rows are aligned with each other.
const PASSES: usize = 8;

/// Tiers with everything measured, and the places across.
pub(super) struct Tiered<'a, 'g> {
    part: &'a Part<'g>,
    detail: Detail,
    cells: Vec<Cell>,
    /// Nodes, from above; and whether the row begins a tier.
    rows: Vec<(Vec<usize>, bool)>,
}

/// A node with its ports.
struct Cell {
    size: Size,
    ports: [Vec<Port>; 4],
    /// The middle.
    x: f64,
}

/// The end of a link.
#[derive(Clone)]
struct Port {
    /// The position in the part's links, and which end.
    link: usize,
    end: usize,
    label: Option<Size>,
    /// For the order along the edge.
    leads_to: (usize, usize),
}

/// Where a port is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Up,
    Down,
    Left,
    Right,
}

/// How wide a picture may be.
fn budget(detail: Detail) -> f64 {
    match detail {
        Detail::Full => 1700.0,
        Detail::Names => 2600.0,
        Detail::Quiet => 2900.0,
    }
}

impl<'a, 'g> Tiered<'a, 'g> {
    /// With as much detail as there is room for. None where only several rows a tier would do, and these would say
    /// nothing: where most nodes have one link, it is not seen any more from whom, unless all are of the same one.
    pub(super) fn fit(part: &'a Part<'g>, order: &[Vec<usize>], finest: Detail) -> Option<Tiered<'a, 'g>> {
        for detail in [Detail::Full, Detail::Names, Detail::Quiet].into_iter().filter(|detail| *detail >= finest) {
            let mut tiered = Tiered::measured(part, order, detail);
            if tiered.widest() <= budget(detail) {
                tiered.align();
                return Some(tiered);
            }
        }
        let star = part.near.iter().any(|near| near.len() * 10 >= part.nodes.len() * 9);
        if part.pairs() < 2 * part.nodes.len() && !star {
            return None;
        }
        let mut tiered = Tiered::measured(part, order, Detail::Quiet);
        tiered.wrap();
        tiered.align();
        Some(tiered)
    }

    fn measured(part: &'a Part<'g>, order: &[Vec<usize>], detail: Detail) -> Tiered<'a, 'g> {
        let mut at = vec![(0, 0); part.nodes.len()];
        for (tier, nodes) in order.iter().enumerate() {
            nodes.iter().enumerate().for_each(|(place, node)| at[*node] = (tier, place));
        }
        let mut ports: Vec<[Vec<Port>; 4]> = part.nodes.iter().map(|_| Default::default()).collect();
        for (link, (number, a, b)) in part.links.iter().enumerate() {
            for (end, node, other) in [(0, *a, *b), (1, *b, *a)] {
                let label = measure::end(&part.graph.links[*number].ends[end], detail);
                let port = Port { link, end, label, leads_to: at[other] };
                ports[node][side(at[node], at[other]) as usize].push(port);
            }
        }
        let cell = |(node, mut ports): (&usize, [Vec<Port>; 4])| {
            ports.iter_mut().for_each(|side| side.sort_by_key(|port| (port.leads_to.1, port.link)));
            Cell { size: grown(measure::node(&part.graph.nodes[*node], detail), &ports, detail), ports, x: 0.0 }
        };
        let cells = part.nodes.iter().zip(ports).map(cell).collect();
        Tiered { part, detail, cells, rows: order.iter().map(|nodes| (nodes.clone(), true)).collect() }
    }

    fn widest(&self) -> f64 {
        self.rows.iter().map(|(row, _)| self.width(row)).fold(0.0, f64::max)
    }

    fn width(&self, row: &[usize]) -> f64 {
        let ends = [row.first(), row.last()].into_iter().flatten();
        row.windows(2).map(|pair| self.apart(pair[0], pair[1])).sum::<f64>()
            + ends.map(|node| self.cells[*node].half()).sum::<f64>()
    }

    /// Tiers that are too wide become rows, about twice as wide as they are high.
    fn wrap(&mut self) {
        let limit = budget(Detail::Quiet);
        let rows = std::mem::take(&mut self.rows);
        for (row, _) in rows {
            let width = self.width(&row);
            let count = if width > limit { (width / limit).ceil() } else { 1.0 } as usize;
            let length = row.len().div_ceil(count);
            let pieces = row.chunks(length.max(1)).enumerate();
            self.rows.extend(pieces.map(|(number, piece)| (piece.to_vec(), number == 0)));
        }
    }

    /// The least distance of the middles of two neighbours.
    fn apart(&self, left: usize, right: usize) -> f64 {
        let (one, two) = (&self.cells[left], &self.cells[right]);
        let linked = self.part.near[left].binary_search(&right).is_ok();
        let labels = one.reach(Side::Right) + two.reach(Side::Left);
        one.half() + two.half() + if linked { labels + BESIDE } else { GAP }
    }

    /// Places across: rows follow each other, so that links are short.
    fn align(&mut self) {
        let widest = self.widest();
        let dense = self.part.pairs() * 2 >= self.part.nodes.len() * 3;
        let whole = |at: usize| self.rows[at].1 && self.rows.get(at + 1).is_none_or(|(_, begins)| *begins);
        let rows = self.rows.iter().enumerate();
        let apart: Vec<Vec<f64>> = rows.map(|(at, (row, _))| self.gaps(row, widest, dense && whole(at))).collect();
        for ((row, _), apart) in self.rows.iter().zip(&apart) {
            let from_middle = apart.iter().sum::<f64>() / -2.0;
            let mut x = from_middle;
            for (place, node) in row.iter().enumerate() {
                self.cells[*node].x = x;
                x += apart.get(place).copied().unwrap_or_default();
            }
        }
        // In a dense graph everything would like to be in the middle, where it is already.
        for pass in 0..if dense { 0 } else { PASSES } {
            for step in 0..self.rows.len() {
                let at = if pass % 2 == 0 { step } else { self.rows.len() - 1 - step };
                self.follow(at, &apart[at], pass % 2 == 0);
            }
        }
    }

    /// A row that is much narrower than the widest is spread, where that helps.
    fn gaps(&self, row: &[usize], widest: f64, spread: bool) -> Vec<f64> {
        let least: Vec<f64> = row.windows(2).map(|pair| self.apart(pair[0], pair[1])).collect();
        let room = (widest * 0.72 - self.width(row)) / least.len().max(1) as f64;
        let more = if spread { room.clamp(0.0, 220.0) } else { 0.0 };
        least.into_iter().map(|gap| gap + more).collect()
    }

    fn follow(&mut self, at: usize, apart: &[f64], down: bool) {
        let row = self.rows[at].0.clone();
        let beside = if down { at.checked_sub(1) } else { Some(at + 1).filter(|at| *at < self.rows.len()) };
        let Some(beside) = beside else { return };
        let mut there = vec![false; self.cells.len()];
        self.rows[beside].0.iter().for_each(|node| there[*node] = true);
        let wish = |node: &usize| {
            let linked = self.part.near[*node].iter().filter(|other| there[**other]);
            let (count, sum) = linked.fold((0.0, 0.0), |(count, sum), other| (count + 1.0, sum + self.cells[*other].x));
            if count > 0.0 { sum / count } else { self.cells[*node].x }
        };
        let wished: Vec<f64> = row.iter().map(wish).collect();
        for (node, x) in row.iter().zip(settle(&wished, apart)) {
            self.cells[*node].x = x;
        }
    }

    /// Everything with both coordinates.
    pub(super) fn into_piece(self) -> Piece {
        let mut rects = vec![Rect::default(); self.cells.len()];
        let between = if self.rows.len() > 1 { (40.0 + self.widest() * 0.09).clamp(84.0, 260.0) } else { 0.0 };
        let mut y = 0.0;
        for (number, (row, begins)) in self.rows.iter().enumerate() {
            let most = |of: &dyn Fn(&Cell) -> f64| row.iter().map(|node| of(&self.cells[*node])).fold(0.0, f64::max);
            y += most(&|cell| cell.reach(Side::Up));
            y += if number == 0 {
                0.0
            } else if *begins {
                between
            } else {
                ROW_GAP
            };
            let height = most(&|cell| cell.size.h);
            for node in row {
                let cell = &self.cells[*node];
                rects[*node] = Rect::around(Point::new(cell.x, y + height / 2.0), cell.size);
            }
            y += height + most(&|cell| cell.reach(Side::Down));
        }
        let detail = self.detail;
        let boxes = self.part.nodes.iter().zip(&rects);
        let boxes = boxes.map(|(node, rect)| (*node, Place { rect: *rect, detail })).collect();
        Piece { boxes, wires: self.wires(&rects) }
    }

    fn wires(&self, rects: &[Rect]) -> Vec<(usize, Wire)> {
        let mut wires: Vec<_> = (self.part.links.iter())
            .map(|(number, ..)| {
                let mut wire = Wire::straight(Point::default(), Point::default(), self.detail);
                wire.ports = Some([None, None]);
                (*number, wire)
            })
            .collect();
        let mut above = vec![0; self.part.links.len()];
        for (cell, rect) in self.cells.iter().zip(rects) {
            for side in [Side::Up, Side::Down, Side::Left, Side::Right] {
                for (port, point, label) in cell.places(side, rect) {
                    let wire = &mut wires[port.link].1;
                    *(if port.end == 0 { &mut wire.from } else { &mut wire.to }) = point;
                    if let Some(ports) = &mut wire.ports {
                        ports[port.end] = label;
                    }
                    above[port.link] += usize::from(side == Side::Up);
                }
            }
        }
        // Both ends leave upwards: the link passes over what lies between.
        for ((_, wire), _) in wires.iter_mut().zip(above).filter(|(_, above)| *above == 2) {
            let rise = (wire.from.distance(wire.to) * 0.25).clamp(30.0, 90.0);
            wire.bend = Some([wire.from, wire.to].map(|point| Point::new(point.x, point.y - rise)));
        }
        wires
    }
}

/// The edge that a link leaves by.
fn side(from: (usize, usize), to: (usize, usize)) -> Side {
    match (to.0.cmp(&from.0), to.1.cmp(&from.1)) {
        (Ordering::Greater, _) => Side::Down,
        (Ordering::Less, _) => Side::Up,
        (_, Ordering::Greater) if to.1 == from.1 + 1 => Side::Right,
        (_, Ordering::Less) if to.1 + 1 == from.1 => Side::Left,
        _ => Side::Up,
    }
}

/// A box that has room for its ports; without labels they may be as near to each other as they must.
fn grown(size: Size, ports: &[Vec<Port>; 4], detail: Detail) -> Size {
    let most = if detail == Detail::Quiet { LARGE } else { f64::INFINITY };
    let along = |side: Side| if ports[side as usize].len() > 1 { width(&ports[side as usize]).min(most) } else { 0.0 };
    let down = |side: Side| ports[side as usize].iter().map(|port| port.label.map_or(0.0, |label| label.h + 6.0)).sum();
    let w = size.w.max(along(Side::Up)).max(along(Side::Down));
    Size { w, h: size.h.max(down(Side::Left)).max(down(Side::Right)) }
}

/// What ports side by side take.
fn width(ports: &[Port]) -> f64 {
    ports.iter().map(|port| port.label.map_or(BARE, |label| label.w + LABEL_GAP)).sum()
}

impl Cell {
    fn half(&self) -> f64 {
        let labels = [Side::Up, Side::Down].map(|side| match &self.ports[side as usize][..] {
            ports if ports.iter().all(|port| port.label.is_none()) => 0.0,
            ports => width(ports),
        });
        labels.into_iter().fold(self.size.w, f64::max) / 2.0
    }

    /// How far labels stick out.
    fn reach(&self, side: Side) -> f64 {
        let labels = self.ports[side as usize].iter().filter_map(|port| port.label);
        let out = |label: Size| if matches!(side, Side::Up | Side::Down) { label.h } else { label.w };
        labels.map(out).fold(0.0, f64::max)
    }

    /// Each port with the point that its link begins at, and its label.
    fn places(&self, side: Side, rect: &Rect) -> Vec<(&Port, Point, Option<Rect>)> {
        let ports = &self.ports[side as usize];
        match side {
            Side::Up | Side::Down => across(ports, side == Side::Up, rect),
            Side::Left | Side::Right => beside(ports, side == Side::Left, rect),
        }
    }
}

fn across<'a>(ports: &'a [Port], up: bool, rect: &Rect) -> Vec<(&'a Port, Point, Option<Rect>)> {
    let bare = ports.iter().all(|port| port.label.is_none());
    let pitch = if bare { (rect.w * 0.84 / ports.len().max(1) as f64).min(BARE) } else { 0.0 };
    let whole = if bare { pitch * ports.len() as f64 } else { width(ports) };
    let mut x = rect.center().x - whole / 2.0;
    let place = |port: &'a Port| {
        let w = if bare { pitch } else { port.label.map_or(BARE, |label| label.w + LABEL_GAP) };
        let middle = x + w / 2.0;
        x += w;
        let edge = if up { rect.y } else { rect.bottom() };
        let label = port.label.map(|label| {
            let y = if up { edge - label.h } else { edge };
            Rect { x: middle - label.w / 2.0, y, w: label.w, h: label.h }
        });
        let reach = port.label.map_or(0.0, |label| label.h);
        (port, Point::new(middle, if up { edge - reach } else { edge + reach }), label)
    };
    ports.iter().map(place).collect()
}

fn beside<'a>(ports: &'a [Port], left: bool, rect: &Rect) -> Vec<(&'a Port, Point, Option<Rect>)> {
    let pitch = rect.h / ports.len().max(1) as f64;
    let place = |(number, port): (usize, &'a Port)| {
        let y = rect.y + pitch * (number as f64 + 0.5);
        let edge = if left { rect.x } else { rect.right() };
        let label = port.label.map(|label| {
            let x = if left { edge - label.w } else { edge };
            Rect { x, y: y - label.h / 2.0, w: label.w, h: label.h }
        });
        let reach = port.label.map_or(0.0, |label| label.w);
        (port, Point::new(if left { edge - reach } else { edge + reach }, y), label)
    };
    ports.iter().enumerate().map(place).collect()
}
