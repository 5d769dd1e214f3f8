//! Nodes: what has a namespace is a box, a switch has pointed ends, an address of others is round.

use super::paper::{Paper, number};
use crate::{
    graph::{Health, Line, Node, Shape},
    layout::{Place, Point, Rect},
    measure::{self, LINE},
};

pub(super) fn draw(paper: &mut Paper, node: &Node, place: &Place) {
    let class = match node.shape {
        Shape::Own => "own",
        Shape::Existing => "existing",
        Shape::Host => "host",
        Shape::Bridge => "bridge",
        Shape::Remote => "remote",
    };
    let state = match (&node.health, node.lines.iter().any(|line| line.health.wrong().is_some())) {
        (Health::Wrong(_), _) => " wrong gone",
        (_, true) => " wrong",
        (Health::Off, _) => " off",
        _ => "",
    };
    paper.line(format_args!("<g class=\"node {class}{state}\">"));
    paper.tip(&tip(node));
    outline(paper, node.shape, &place.rect);
    texts(paper, node, place);
    paper.raw("</g>\n");
}

fn tip(node: &Node) -> Vec<String> {
    let what = match node.shape {
        Shape::Own => "",
        Shape::Existing => " (a namespace that exists)",
        Shape::Host => " (where wireloom runs)",
        Shape::Bridge => " (bridge)",
        Shape::Remote => " (outside)",
    };
    let mut tip = vec![format!("{}{what}", node.name)];
    tip.extend(node.lines.iter().map(|line| line.text.clone()));
    tip.extend(node.health.wrong().map(str::to_owned));
    tip.extend(node.lines.iter().filter_map(|line| line.health.wrong()).map(str::to_owned));
    tip
}

fn outline(paper: &mut Paper, shape: Shape, rect: &Rect) {
    match shape {
        Shape::Own | Shape::Existing => paper.rect(rect, 9.0f64.min(rect.h / 3.0), "box"),
        Shape::Host => {
            paper.rect(rect, 3.0, "box");
            paper.rect(&rect.grown(-3.0), 1.0, "rim");
        }
        Shape::Remote => paper.rect(rect, rect.h / 2.0, "box"),
        Shape::Bridge => {
            let cut = (rect.h / 2.0).min(12.0);
            let (left, right, middle) = (rect.x, rect.right(), rect.center().y);
            let corners = [
                (left, middle),
                (left + cut, rect.y),
                (right - cut, rect.y),
                (right, middle),
                (right - cut, rect.bottom()),
                (left + cut, rect.bottom()),
            ];
            let points = corners.map(|(x, y)| format!("{},{}", number(x), number(y))).join(" ");
            paper.line(format_args!("<polygon points=\"{points}\" class=\"box\"/>"));
        }
    }
}

/// The name and the lines, in the middle.
fn texts(paper: &mut Paper, node: &Node, place: &Place) {
    let size = measure::title(place.detail, node.shape);
    let lines = measure::shown(node, place.detail);
    let center = place.rect.center();
    let top = center.y - (lines.len() as f64 * LINE) / 2.0 + size * 0.35;
    paper.text(Point::new(center.x, top), "name", Some(size), &node.name);
    for (number, line) in lines.iter().enumerate() {
        let at = Point::new(center.x, top + size * 0.3 + (number + 1) as f64 * LINE - 2.0);
        paper.text(at, class(line), None, &line.text);
    }
}

/// The class of a line of small text.
pub(super) fn class(line: &Line) -> &'static str {
    if line.health.wrong().is_some() { "line mono wrong" } else { "line mono" }
}
