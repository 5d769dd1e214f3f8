//! How much room texts, nodes and interfaces take. Letters are counted by classes of width: no font is read, so that
//! the picture is the same everywhere, and a little wider than most fonts need.

use crate::graph::{End, Interface, Line, Node, Shape};

/// How much is written; the rest is said when the mouse points at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Names, addresses and remarks.
    Full,
    /// Names.
    Names,
    /// Names of nodes.
    Quiet,
}

/// Width and height, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// Height of a line of small text.
pub(crate) const LINE: f64 = 15.0;
/// Size of small text.
pub(crate) const SMALL: f64 = 11.0;
/// Size of the names of interfaces.
pub(crate) const NAME: f64 = 12.0;

/// The width of proportional text.
pub(crate) fn sans(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' | '-' => 0.37,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        'A'..='Z' => 0.72,
        c if c.is_ascii() => 0.6,
        '\u{1100}'.. => 1.05,
        _ => 0.65,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The width of monospaced text.
pub(crate) fn mono(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c >= '\u{1100}' { 1.1 } else { 0.61 }).sum::<f64>() * size
}

/// The size of a node's name.
pub(crate) fn title(detail: Detail, shape: Shape) -> f64 {
    match (detail, shape) {
        (Detail::Quiet, _) => 12.0,
        (_, Shape::Bridge | Shape::Remote) => 13.0,
        _ => 16.0,
    }
}

/// The lines that are written in a node.
pub(crate) fn shown(node: &Node, detail: Detail) -> &[Line] {
    if detail == Detail::Full { &node.lines } else { &[] }
}

/// The room that a node takes.
pub(crate) fn node(node: &Node, detail: Detail) -> Size {
    let size = title(detail, node.shape);
    let lines = shown(node, detail);
    let widest = lines.iter().map(|line| mono(&line.text, SMALL)).fold(sans(&node.name, size) * 1.06, f64::max);
    let quiet = detail == Detail::Quiet;
    let pad = match node.shape {
        Shape::Bridge | Shape::Remote => size * 1.9,
        _ if quiet => size * 1.2,
        _ => size * 1.7,
    };
    let least = if quiet { 30.0 } else { 58.0 };
    let h = size * if quiet { 1.8 } else { 2.4 } + lines.len() as f64 * LINE;
    Size { w: (widest + pad).max(least), h }
}

/// The texts at the end of a link: the name, and the addresses where there is room.
pub(crate) fn end_lines(interface: &Interface, detail: Detail) -> &[Line] {
    if detail == Detail::Full { &interface.addresses } else { &[] }
}

/// The room that the label at the end of a link takes; none without a label.
pub(crate) fn end(end: &End, detail: Detail) -> Option<Size> {
    let interface = end.interface.as_ref().filter(|interface| interface.told && detail != Detail::Quiet)?;
    let lines = end_lines(interface, detail);
    let name = sans(&interface.name, NAME) * 1.06;
    let widest = lines.iter().map(|line| mono(&line.text, SMALL)).fold(name, f64::max);
    Some(Size { w: widest + 14.0, h: 20.0 + lines.len() as f64 * LINE })
}

/// The room that the remarks in the middle of a link take.
pub(crate) fn notes(notes: &[String]) -> Size {
    let widest = notes.iter().map(|note| sans(note, SMALL)).fold(0.0, f64::max);
    Size { w: widest + 14.0, h: 5.0 + notes.len() as f64 * LINE }
}
