//! Graphviz: `dot -Tsvg`, and all that reads its language.

use std::fmt::Write;

use crate::graph::{End, Graph, Health, Line, Link, Node, Shape, Style};

/// What is wrong.
const RED: &str = "#dc2626";

/// The graph in the language of Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "graph {} {{", quoted([graph.name.as_str()]));
    out += "  graph [label=";
    out += &quoted([graph.name.as_str()]);
    out += ", labelloc=t, fontname=\"Helvetica\", nodesep=0.6, ranksep=1.1]\n";
    out += "  node [fontname=\"Helvetica\", style=\"rounded,filled\", fillcolor=\"#e8eef7\", color=\"#1e3a5f\"]\n";
    out += "  edge [fontname=\"Helvetica\", fontsize=10, color=\"#7f95b2\"]\n";
    for (number, node) in graph.nodes.iter().enumerate() {
        let _ = writeln!(out, "  n{number} [{}]", node_attributes(node));
    }
    for link in &graph.links {
        let [a, b] = &link.ends;
        let _ = writeln!(out, "  n{} -- n{} [{}]", a.node, b.node, link_attributes(link));
    }
    out += "}\n";
    out
}

fn node_attributes(node: &Node) -> String {
    let lines = node.lines.iter().map(|line| line.text.as_str());
    let label = quoted(std::iter::once(node.name.as_str()).chain(lines));
    let shape = match node.shape {
        Shape::Own => "shape=box",
        Shape::Existing => "shape=box, style=\"rounded,dashed\"",
        Shape::Host => "shape=box3d, style=filled",
        Shape::Bridge => "shape=hexagon, style=filled, fillcolor=\"#d5f0ea\", color=\"#0f766e\"",
        Shape::Remote => "shape=ellipse, style=dashed",
    };
    let lost = node.lines.iter().any(|line| line.health.wrong().is_some());
    let red =
        if node.health.wrong().is_some() { format!(", color=\"{RED}\", fontcolor=\"{RED}\"") } else { String::new() };
    let red = if red.is_empty() && lost { format!(", fontcolor=\"{RED}\"") } else { red };
    format!("label={label}, {shape}{red}")
}

fn link_attributes(link: &Link) -> String {
    let mut attributes = vec![match link.style {
        Style::Cable => "style=solid".to_owned(),
        Style::Stacked => "style=dotted".to_owned(),
        Style::Tunnel => "style=dashed".to_owned(),
        Style::Inside => "style=dotted, penwidth=0.7".to_owned(),
    }];
    if !link.notes.is_empty() {
        attributes.push(format!("label={}", quoted(link.notes.iter().map(String::as_str))));
    }
    for (end, which) in link.ends.iter().zip(["taillabel", "headlabel"]) {
        let lines = end_lines(end);
        if !lines.is_empty() {
            attributes.push(format!("{which}={}", quoted(lines)));
        }
    }
    match &link.health {
        Health::Fine => {}
        Health::Off => attributes.push("color=\"#b8c2d0\"".to_owned()),
        Health::Wrong(why) => {
            attributes.push(format!("color=\"{RED}\", fontcolor=\"{RED}\", tooltip={}", quoted([why.as_str()])));
        }
    }
    attributes.join(", ")
}

fn end_lines(end: &End) -> Vec<&str> {
    let Some(interface) = end.interface.as_ref().filter(|interface| interface.told) else { return Vec::new() };
    let text = |line: &'_ Line| line.health.wrong().is_none();
    let addresses = interface.addresses.iter().filter(|line| text(line)).map(|line| line.text.as_str());
    std::iter::once(interface.name.as_str()).chain(addresses).collect()
}

/// A string with these lines. A backslash would begin an escape.
fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let line = |line: &str| {
        line.chars().fold(String::new(), |mut text, c| {
            match c {
                '"' => text += "\\\"",
                '\\' => text += "\\\\",
                // A label is text of one line for each of ours; Graphviz reads entities, also in plain strings.
                '&' => text += "&amp;",
                c if c.is_control() => text.push(' '),
                c => text.push(c),
            }
            text
        })
    };
    format!("\"{}\"", lines.into_iter().map(line).collect::<Vec<_>>().join("\\n"))
}
