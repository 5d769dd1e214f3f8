//! Links and their labels.

use super::{
    label::Labels,
    node::class,
    paper::{Paper, way},
};
use crate::{
    graph::{End, Graph, Health, Interface, Link, Shape, Style},
    layout::{Point, Rect, Wire},
    measure::{self, Detail, LINE, NAME},
};

/// Up to here, lines have a broad invisible one over them, so that the mouse finds them.
const TOUCHABLE: usize = 600;

/// What is wrong is drawn last, over the rest.
pub(super) fn order(graph: &Graph) -> Vec<usize> {
    let mut order: Vec<usize> = (0..graph.links.len()).collect();
    order.sort_by_key(|link| graph.links[*link].health.wrong().is_some());
    order
}

pub(super) fn draw(paper: &mut Paper, graph: &Graph, number: usize, wire: &Wire) {
    let link = &graph.links[number];
    paper.line(format_args!("<g class=\"link {}\">", classes(link)));
    paper.tip(&tip(graph, link));
    let way = way(wire);
    if graph.links.len() <= TOUCHABLE {
        paper.line(format_args!("<path class=\"hit\" d=\"{way}\"/>"));
    }
    paper.line(format_args!("<path class=\"wire\" d=\"{way}\"/>"));
    paper.raw("</g>\n");
}

pub(super) fn label(paper: &mut Paper, graph: &Graph, number: usize, labels: &Labels) {
    let link = &graph.links[number];
    for (end, place) in link.ends.iter().zip(&labels.ends) {
        if let (Some(interface), Some((rect, detail))) = (&end.interface, place) {
            end_label(paper, &graph.nodes[end.node].name, interface, rect, *detail);
        }
    }
    if let Some(rect) = &labels.note {
        note(paper, link, rect);
    }
}

fn classes(link: &Link) -> String {
    let style = match link.style {
        Style::Cable => "cable",
        Style::Stacked => "stacked",
        Style::Tunnel => "tunnel",
        Style::Inside => "inside",
    };
    let state = match link.health {
        Health::Fine => "",
        Health::Off => " off",
        Health::Wrong(_) => " wrong",
    };
    format!("{style}{state}")
}

fn tip(graph: &Graph, link: &Link) -> Vec<String> {
    let end = |end: &End| {
        let node = &graph.nodes[end.node];
        let name = match (&end.interface, node.shape) {
            (Some(interface), Shape::Bridge) => format!("{}, port {}", node.name, interface.name),
            (Some(interface), _) => format!("{}:{}", node.name, interface.name),
            (None, _) => node.name.clone(),
        };
        let addresses = end.interface.iter().flat_map(|interface| &interface.addresses).map(|line| line.text.as_str());
        std::iter::once(name.as_str()).chain(addresses).collect::<Vec<_>>().join(" ")
    };
    let mut tip = link.ends.iter().map(end).collect::<Vec<_>>();
    tip.push(link.notes.join(", "));
    tip.extend(link.health.wrong().map(str::to_owned));
    if link.health == Health::Off {
        tip.push("off".to_owned());
    }
    tip
}

fn end_label(paper: &mut Paper, node: &str, interface: &Interface, rect: &Rect, detail: Detail) {
    let lost = interface.addresses.iter().filter_map(|line| line.health.wrong());
    let wrongs: Vec<String> = interface.health.wrong().into_iter().chain(lost).map(str::to_owned).collect();
    paper.line(format_args!("<g class=\"label{}\">", if wrongs.is_empty() { "" } else { " wrong" }));
    let mut tip = vec![format!("{node}:{} {}", interface.name, interface.kind)];
    tip.extend(interface.addresses.iter().map(|line| line.text.clone()));
    tip.extend(wrongs);
    paper.tip(&tip);
    paper.rect(rect, 5.0, "");
    let x = rect.center().x;
    paper.text(Point::new(x, rect.y + 14.0), "name", Some(NAME), &interface.name);
    for (number, line) in measure::end_lines(interface, detail).iter().enumerate() {
        paper.text(Point::new(x, rect.y + 13.0 + (number + 1) as f64 * LINE), class(line), None, &line.text);
    }
    paper.raw("</g>\n");
}

fn note(paper: &mut Paper, link: &Link, rect: &Rect) {
    // In a group of the link's style, whose colour it has.
    paper.line(format_args!("<g class=\"{}\"><g class=\"note\">", classes(link)));
    paper.rect(rect, rect.h.min(18.0) / 2.0, "");
    for (number, text) in link.notes.iter().enumerate() {
        let y = rect.y + 14.0 + number as f64 * LINE;
        paper.text(Point::new(rect.center().x, y), "", None, text);
    }
    paper.raw("</g></g>\n");
}
