//! Where everything lies. What has tiers (trees, fabrics, hosts on bridges) lies in tiers; a ring is a circle; the rest
//! lies so that distances on paper are those in the graph. No clock and no chance: a graph has one layout. Knows
//! nothing of colours.

mod coordinates;
mod free;
mod geometry;
mod order;
mod overlap;
mod pack;
mod part;
mod rank;
mod rows;
mod stress;

pub(crate) use self::geometry::{Point, Rect, Wire};
use crate::{
    graph::Graph,
    layout::{part::Part, rows::Tiered},
    measure::Detail,
};

/// A picture's places.
#[derive(Debug)]
pub(crate) struct Layout {
    /// One for each node.
    pub(crate) boxes: Vec<Place>,
    /// One for each link.
    pub(crate) wires: Vec<Wire>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Where a node lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) rect: Rect,
    pub(crate) detail: Detail,
}

/// The layout of a part of the graph that nothing joins with the rest.
#[derive(Debug)]
struct Piece {
    boxes: Vec<(usize, Place)>,
    wires: Vec<(usize, Wire)>,
}

/// Lays out a graph.
pub(crate) fn lay_out(graph: &Graph) -> Layout {
    let finest = match graph.nodes.len().max(graph.links.len() / 2) {
        0..=60 => Detail::Full,
        61..=140 => Detail::Names,
        _ => Detail::Quiet,
    };
    let pieces = part::split(graph).iter().map(|part| piece(part, finest)).collect();
    pack::pack(graph, pieces)
}

fn piece(part: &Part<'_>, finest: Detail) -> Piece {
    let tiered = rank::tiers(part).and_then(|tiers| Tiered::fit(part, &order::sort(part, tiers), finest));
    let mut piece = match tiered {
        Some(tiered) => tiered.into_piece(),
        None => free::lay_out(part, finest),
    };
    piece.wires.extend(part.loops.iter().map(|link| {
        let node = part.graph.links[*link].ends[0].node;
        let of_node = piece.boxes.iter().find(|(at, _)| *at == node).map(|(_, place)| place);
        let (rect, detail) = of_node.map_or((Rect::default(), finest), |place| (place.rect, place.detail));
        (*link, Wire::around(rect, detail))
    }));
    piece
}
