//! The picture: an SVG of its own, without scripts and without other programs, for light and dark pages; texts can be
//! selected, and what has no room is said when the mouse points at it. Does not decide where anything lies.

mod label;
mod node;
mod paper;
mod style;
mod wire;

use self::paper::{Paper, escaped, number};
use crate::{
    graph::{Graph, Shape, Style},
    layout::{Layout, Point, Rect, lay_out},
};

/// Around everything.
const MARGIN: f64 = 36.0;
/// Above it: the name.
const HEAD: f64 = 52.0;
/// For each line of what is wrong.
const LINE: f64 = 20.0;
/// So many wrong things are told.
const TOLD: usize = 6;

/// Draws a graph.
pub fn svg(graph: &Graph) -> String {
    let mut layout = lay_out(graph);
    move_in(&mut layout);
    let labels = label::place(graph, &layout);
    let wrongs = troubles(graph);
    let head = crate::measure::sans(&graph.name, 18.0) + crate::measure::sans(&counts(graph), 12.0) + 20.0;
    let widest = wrongs.iter().map(|line| crate::measure::sans(line, 13.0)).fold(head, f64::max);
    let width = (layout.width.max(widest) + 2.0 * MARGIN).ceil();
    let below = if wrongs.is_empty() { 0.0 } else { wrongs.len() as f64 * LINE + 16.0 };
    let bottom = HEAD + MARGIN / 2.0 + layout.height + MARGIN;
    let height = (bottom + below).ceil();
    let mut paper = Paper::default();
    open(&mut paper, graph, width, height);
    let order = wire::order(graph);
    order.iter().for_each(|link| wire::draw(&mut paper, graph, *link, &layout.wires[*link]));
    for (node, place) in graph.nodes.iter().zip(&layout.boxes) {
        node::draw(&mut paper, node, place);
    }
    order.iter().for_each(|link| wire::label(&mut paper, graph, *link, &labels[*link]));
    for (number, line) in wrongs.iter().enumerate() {
        paper.text(Point::new(MARGIN, bottom + number as f64 * LINE), "trouble", None, line);
    }
    paper.raw("</svg>\n");
    paper.0
}

/// Everything goes below the name and right of the margin.
fn move_in(layout: &mut Layout) {
    let (dx, dy) = (MARGIN, HEAD + MARGIN / 2.0);
    layout.boxes.iter_mut().for_each(|place| place.rect.shift(dx, dy));
    layout.wires.iter_mut().for_each(|wire| wire.shift(dx, dy));
}

fn open(paper: &mut Paper, graph: &Graph, width: f64, height: f64) {
    let (name, w, h) = (escaped(&graph.name), number(width), number(height));
    paper.line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         aria-label=\"Network {name}: {}\">",
        counts(graph)
    ));
    paper.line(format_args!("<style>{}</style>", style::sheet(graph.links.len())));
    paper.rect(&Rect { x: 0.0, y: 0.0, w: width, h: height }, 14.0, "bg");
    paper.text(Point::new(MARGIN, 38.0), "head", None, &graph.name);
    let after = MARGIN + crate::measure::sans(&graph.name, 18.0) * 1.2 + 12.0;
    paper.text(Point::new(after, 38.0), "sub", None, &counts(graph));
}

/// `3 nodes, 3 links`.
fn counts(graph: &Graph) -> String {
    let shape = |shape: Shape| graph.nodes.iter().filter(|node| node.shape == shape).count();
    let nodes = shape(Shape::Own) + shape(Shape::Existing) + shape(Shape::Host);
    let links = graph.links.iter().filter(|link| link.style != Style::Inside).count();
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let bridges = Some(shape(Shape::Bridge)).filter(|bridges| *bridges > 0).map(|bridges| count(bridges, "bridge"));
    let all = [Some(count(nodes, "node")), bridges, Some(count(links, "link"))];
    let all = all.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if graph.looked { format!("{all}, as it is now") } else { all }
}

fn troubles(graph: &Graph) -> Vec<String> {
    let mut wrongs = graph.wrongs();
    let count = wrongs.len();
    wrongs.truncate(TOLD);
    if count > TOLD {
        wrongs.push(format!("and {} more", count - TOLD));
    }
    wrongs
}
