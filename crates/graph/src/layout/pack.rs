//! Parts side by side on one sheet, in rows, the largest first. Does not look into them.

use super::{
    Layout, Piece, Place,
    geometry::{Point, Rect, Wire},
};
use crate::{graph::Graph, measure::Detail};

/// Between two parts.
const GAP: f64 = 50.0;

/// Puts all parts on one sheet.
pub(super) fn pack(graph: &Graph, pieces: Vec<Piece>) -> Layout {
    let extents: Vec<Rect> = pieces.iter().map(extent).collect();
    let area: f64 = extents.iter().map(|extent| (extent.w + GAP) * (extent.h + GAP)).sum();
    let widest = extents.iter().map(|extent| extent.w).fold(0.0, f64::max);
    let limit = widest.max((area * 1.8).sqrt());
    let nowhere = Place { rect: Rect::default(), detail: Detail::Quiet };
    let no_wire = Wire::straight(Point::default(), Point::default(), Detail::Quiet);
    let mut layout = Layout {
        boxes: vec![nowhere; graph.nodes.len()],
        wires: vec![no_wire; graph.links.len()],
        width: 0.0,
        height: 0.0,
    };
    let (mut x, mut y, mut high) = (0.0, 0.0, 0.0f64);
    for (piece, extent) in pieces.into_iter().zip(extents) {
        if x > 0.0 && x + extent.w > limit {
            (x, y, high) = (0.0, y + high + GAP, 0.0);
        }
        layout.put(piece, x - extent.x, y - extent.y);
        layout.width = layout.width.max(x + extent.w);
        layout.height = layout.height.max(y + extent.h);
        (x, high) = (x + extent.w + GAP, high.max(extent.h));
    }
    layout
}

impl Layout {
    fn put(&mut self, piece: Piece, dx: f64, dy: f64) {
        for (node, mut place) in piece.boxes {
            place.rect.shift(dx, dy);
            self.boxes[node] = place;
        }
        for (link, mut wire) in piece.wires {
            wire.shift(dx, dy);
            self.wires[link] = wire;
        }
    }
}

/// All that a part covers.
fn extent(piece: &Piece) -> Rect {
    let point = |point: &Point| Rect { x: point.x, y: point.y, w: 0.0, h: 0.0 };
    let wires = piece.wires.iter().flat_map(|(_, wire)| {
        let ports = wire.ports.into_iter().flatten().flatten();
        ports.chain([point(&wire.from), point(&wire.to), point(&wire.at(0.5))]).collect::<Vec<_>>()
    });
    let all = piece.boxes.iter().map(|(_, place)| place.rect).chain(wires);
    let joined = all.reduce(|a, b| {
        let (x, y) = (a.x.min(b.x), a.y.min(b.y));
        Rect { x, y, w: a.right().max(b.right()) - x, h: a.bottom().max(b.bottom()) - y }
    });
    joined.unwrap_or_default()
}
