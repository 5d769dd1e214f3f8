//! Graphs of arbitrary names and links give well-formed pictures without overlapping boxes, and so do documents.

#![allow(missing_docs, reason = "a test")]

mod check;

use proptest::prelude::*;
use wireloom_graph::{End, Graph, Health, Interface, Line, Link, Node, Shape, Style, dot, graph, mermaid, svg};
use wireloom_topology::{load::load_text, lower_tree, variables::Variables};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c][0-9]{0,2}", any::<String>(), "[\\\\\"<>&;#{}|`\n\t\u{1}\u{ffff}\u{4e00}a-c]{0,12}"]
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![6 => Just(Health::Fine), 1 => Just(Health::Off), 1 => text().prop_map(Health::Wrong)]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((text(), health()).prop_map(|(text, health)| Line { text, health }), 0..3)
}

fn node() -> impl Strategy<Value = Node> {
    let shapes = [Shape::Own, Shape::Existing, Shape::Host, Shape::Bridge, Shape::Remote];
    (text(), prop::sample::select(shapes.to_vec()), lines(), health()).prop_map(|(name, shape, lines, health)| Node {
        name,
        shape,
        lines,
        health,
    })
}

fn end(nodes: usize) -> impl Strategy<Value = End> {
    let interface = (text(), any::<bool>(), lines(), text(), health())
        .prop_map(|(name, told, addresses, kind, health)| Interface { name, told, addresses, kind, health });
    (0..nodes, prop::option::weighted(0.9, interface)).prop_map(|(node, interface)| End { node, interface })
}

fn link(nodes: usize) -> impl Strategy<Value = Link> {
    let styles = [Style::Cable, Style::Stacked, Style::Tunnel, Style::Inside];
    let notes = prop::collection::vec(text(), 0..3);
    (end(nodes), end(nodes), prop::sample::select(styles.to_vec()), notes, health())
        .prop_map(|(a, b, style, notes, health)| Link { ends: [a, b], style, notes, health })
}

fn any_graph() -> impl Strategy<Value = Graph> {
    prop::collection::vec(node(), 1..40).prop_flat_map(|nodes| {
        let links = prop::collection::vec(link(nodes.len()), 0..60);
        (text(), any::<bool>(), Just(nodes), links).prop_map(|(name, looked, nodes, links)| Graph {
            name,
            looked,
            nodes,
            links,
        })
    })
}

fn document() -> impl Strategy<Value = String> {
    let two = (0..12u8, 0..12u8).prop_map(|(a, b)| (format!("n{a}"), Some(format!("n{b}"))));
    let one = (0..12u8).prop_map(|a| (format!("n{a}"), None));
    prop::collection::vec(prop_oneof![two, one], 0..30).prop_map(|links| {
        let link = |(number, (a, b)): (usize, (String, Option<String>))| match b {
            Some(b) => format!("  - {{endpoints: ['{a}:a{number}', '{b}:b{number}'], subnet: 10.0.0.0/8}}\n"),
            None => format!("  - {{node: {a}, dev: e{number}, bridge: s{}}}\n", number % 3),
        };
        format!("nodes: {{'n[0-11]': {{}}}}\nlinks:\n{}", links.into_iter().enumerate().map(link).collect::<String>())
    })
}

fn check_all(graph: &Graph) -> Result<(), TestCaseError> {
    let picture = svg(graph);
    let formed = check::well_formed(&picture);
    prop_assert!(formed.is_ok(), "{formed:?}\n{picture}");
    let boxes = check::boxes(&picture);
    prop_assert_eq!(boxes.len(), graph.nodes.len());
    prop_assert_eq!(check::overlapping(&boxes), None);
    let is_dot = check::is_dot(&dot(graph));
    prop_assert!(is_dot.is_ok(), "{is_dot:?}\n{}", dot(graph));
    let chart = mermaid(graph);
    // Each node, link, class: one line, whatever is in the names.
    prop_assert_eq!(
        chart.lines().filter(|line| line.contains(" class n")).filter(|line| !line.ends_with(" wrong")).count(),
        graph.nodes.len()
    );
    prop_assert_eq!(svg(graph), picture, "the same graph gives the same picture");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_names_pictures_are_well_formed(graph in any_graph()) {
        check_all(&graph)?;
    }

    #[test]
    fn documents_have_pictures(text in document()) {
        let tree = load_text("t.yaml", &text, &Variables::none()).unwrap();
        let lowered = lower_tree(&tree, "t");
        prop_assume!(lowered.is_ok());
        check_all(&graph(&lowered.unwrap().desired, None))?;
    }
}
