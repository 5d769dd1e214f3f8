//! Mermaid: flow charts that forges and wikis draw in a page.

use std::fmt::Write;

use crate::graph::{End, Graph, Health, Link, Node, Shape, Style};

/// The colour of each class, for light and dark pages alike.
const CLASSES: &str = "  classDef own fill:#1e3a5f,stroke:#1e3a5f,color:#fff
  classDef existing fill:none,stroke:#5b7fae,stroke-dasharray:5 4
  classDef host fill:#475569,stroke:#94a3b8,color:#fff
  classDef bridge fill:#0f766e,stroke:#0f766e,color:#fff
  classDef remote fill:none,stroke:#94a3b8,stroke-dasharray:3 3
  classDef wrong stroke:#dc2626,stroke-width:3px
";

/// The graph as a Mermaid flow chart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = "flowchart TB\n".to_owned();
    for (number, node) in graph.nodes.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  n{number}{}", node_text(node));
    }
    for link in &graph.links {
        let _ = writeln!(out, "  {}", link_text(link));
    }
    for (number, link) in graph.links.iter().enumerate() {
        let colour = match link.health {
            Health::Fine => continue,
            Health::Off => "stroke:#b8c2d0",
            Health::Wrong(_) => "stroke:#dc2626,stroke-width:3px,color:#dc2626",
        };
        let _ = writeln!(out, "  linkStyle {number} {colour}");
    }
    out += CLASSES;
    for (number, node) in graph.nodes.iter().enumerate() {
        let _ = writeln!(out, "  class n{number} {}", class(node));
        let wrong = node.health.wrong().is_some() || node.lines.iter().any(|line| line.health.wrong().is_some());
        if wrong {
            let _ = writeln!(out, "  class n{number} wrong");
        }
    }
    out
}

fn node_text(node: &Node) -> String {
    let lines = node.lines.iter().map(|line| line.text.as_str());
    let text = quoted(std::iter::once(node.name.as_str()).chain(lines));
    match node.shape {
        Shape::Own | Shape::Existing => format!("({text})"),
        Shape::Host => format!("[[{text}]]"),
        Shape::Bridge => format!("{{{{{text}}}}}"),
        Shape::Remote => format!("(({text}))"),
    }
}

fn class(node: &Node) -> &'static str {
    match node.shape {
        Shape::Own => "own",
        Shape::Existing => "existing",
        Shape::Host => "host",
        Shape::Bridge => "bridge",
        Shape::Remote => "remote",
    }
}

fn link_text(link: &Link) -> String {
    let [a, b] = &link.ends;
    let line = match link.style {
        Style::Cable => "---",
        Style::Tunnel | Style::Stacked | Style::Inside => "-.-",
    };
    let ends: Vec<_> = [a, b].into_iter().filter_map(end_text).collect();
    let texts: Vec<_> =
        Some(ends.join(" ─ ")).filter(|text| !text.is_empty()).into_iter().chain(link.notes.clone()).collect();
    match texts.is_empty() {
        true => format!("n{} {line} n{}", a.node, b.node),
        false => format!("n{} {line}|{}| n{}", a.node, quoted(texts.iter().map(String::as_str)), b.node),
    }
}

fn end_text(end: &End) -> Option<String> {
    let interface = end.interface.as_ref().filter(|interface| interface.told)?;
    let addresses = interface.addresses.iter().filter(|line| line.health.wrong().is_none());
    let words = std::iter::once(interface.name.as_str()).chain(addresses.map(|line| line.text.as_str()));
    Some(words.collect::<Vec<_>>().join(" "))
}

/// A text with these lines. Whatever could mean something to Mermaid is written as a number.
fn quoted<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let line = |line: &str| {
        line.chars().fold(String::new(), |mut text, c| {
            match c {
                c if c.is_alphanumeric() || " ._:/-+,─%()".contains(c) => text.push(c),
                c if c.is_control() => text.push(' '),
                c => text += &format!("#{};", u32::from(c)),
            }
            text
        })
    };
    format!("\"{}\"", lines.into_iter().map(line).collect::<Vec<_>>().join("<br/>"))
}
