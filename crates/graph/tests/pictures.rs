//! Documents and their pictures: each folder of `pictures/` has a document, or shares one of the examples, and what
//! every format makes of it. `UPDATE_EXPECT=1` rewrites these; look at them before they are committed.

#![allow(missing_docs, reason = "a test")]

mod check;

use std::{fs, path::Path};

use wireloom_graph::{Graph, Health, dot, graph, mermaid, svg};
use wireloom_topology::{Lowered, load::load_text, lower_tree, variables::Variables};

fn lower(text: &str) -> Lowered {
    let tree = load_text("t.yaml", text, &Variables::none()).expect("a document that can be read");
    lower_tree(&tree, "t").unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}

fn example(name: &str) -> String {
    fs::read_to_string(format!("../../examples/{name}.yaml")).expect("read an example")
}

fn draw(text: &str) -> Graph {
    graph(&lower(text).desired, None)
}

/// The file says this, or is made to.
fn expect(path: &str, text: &str) {
    let path = Path::new(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, text).expect("write what is expected");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is not up to date: UPDATE_EXPECT=1 rewrites it", path.display());
}

fn expect_all(folder: &str, graph: &Graph) {
    let (dot, svg) = (dot(graph), svg(graph));
    assert_eq!(check::is_dot(&dot), Ok(()));
    assert_eq!(check::well_formed(&svg), Ok(()));
    assert_eq!(check::overlapping(&check::boxes(&svg)), None);
    let folder = format!("tests/pictures/{folder}");
    expect(&format!("{folder}/picture.svg"), &svg);
    expect(&format!("{folder}/picture.dot"), &dot);
    expect(&format!("{folder}/picture.mmd"), &mermaid(graph));
}

#[test]
fn examples_have_their_pictures() {
    for name in ["triangle", "router", "two-hosts"] {
        expect_all(name, &draw(&example(name)));
    }
}

#[test]
fn every_kind_has_its_line_and_every_place_its_shape() {
    expect_all("kinds", &draw(&fs::read_to_string("tests/pictures/kinds/document.yaml").unwrap()));
}

/// Takes something away of each sort.
#[test]
fn what_is_down_or_missing_is_red() {
    let desired = lower(&fs::read_to_string("tests/pictures/kinds/document.yaml").unwrap()).desired;
    let mut observed = desired.clone();
    let mut change = |at: &str, change: &dyn Fn(&mut wireloom_engine::Link)| {
        let at: wireloom_engine::LinkRef = at.parse().unwrap();
        change(observed.namespaces.get_mut(&at.netns).unwrap().links.get_mut(&at.ifname).unwrap());
    };
    change("a:eth1", &|link| link.up = Some(false));
    change("a:eth0", &|link| link.addresses.clear());
    change("b:eth0", &|link| link.mtu = Some(1400));
    change("a:dum0", &|link| link.up = Some(false));
    observed.namespaces.remove("d");
    let graph = graph(&desired, Some(&observed));
    let expected = [
        "a:dum0 is down",
        "d has no namespace",
        "a:eth0 has lost 10.0.0.1/24",
        "b:eth0 has mtu 1400 instead of 9000",
        "a:eth1 is down",
        "b:eth1 has no carrier",
        "d:v5 is missing",
    ];
    assert_eq!(graph.wrongs(), expected);
    let off = graph.links.iter().filter(|link| link.health == Health::Off).count();
    assert_eq!(off, 1, "what the document leaves down is not wrong");
    expect_all("broken", &graph);
    let untouched = wireloom_graph::graph(&desired, Some(&desired));
    assert_eq!(untouched.wrongs(), [""; 0]);
}

/// The picture of the README.
#[test]
fn the_picture_of_the_readme_is_up_to_date() {
    expect("../../docs/images/triangle.svg", &svg(&draw(&example("triangle"))));
}

/// Spines above, leaves below.
#[test]
fn a_fabric_looks_like_one() {
    let svg = svg(&draw(&example("fabric")));
    let mut rows: Vec<i64> = check::boxes(&svg).iter().map(|area| area.1 as i64).collect();
    rows.sort_unstable();
    let (spines, leaves) = (rows[..4].to_vec(), rows[4..].to_vec());
    assert!(spines.iter().all(|y| *y == spines[0]) && leaves.iter().all(|y| *y == leaves[0]), "{rows:?}");
    assert!(spines[0] < leaves[0]);
}

/// A ring with chords, 300 and 1000 nodes; and a fabric of 300.
#[test]
fn large_ones_take_no_time_and_nothing_overlaps() {
    let ring = |count: usize| {
        let link = |from: usize, to: usize| format!("  - {{endpoints: ['n{from}:to{to}', 'n{to}:to{from}']}}\n");
        let chords = (0..count / 3).map(|at| (at, (at * 7 + count / 2) % count));
        let chords =
            chords.filter(|(from, to)| from.abs_diff(*to) > 1).map(|(from, to)| link(from.min(to), from.max(to)));
        let around = (0..count).map(|at| link(at, (at + 1) % count));
        let mut links: Vec<String> = around.chain(chords).collect();
        links.sort();
        links.dedup();
        format!("links:\n{}", links.concat())
    };
    let fabric = "links: [{endpoints: ['spine[1-8]:l{b}', 'leaf[1-292]:s{a}'], subnet: 10.0.0.0/16}]".to_owned();
    for (text, most) in [(fabric, 10.0), (ring(301), 10.0), (ring(1001), 40.0)] {
        let graph = draw(&text);
        let start = std::time::Instant::now();
        let svg = svg(&graph);
        let seconds = start.elapsed().as_secs_f64();
        check::well_formed(&svg).unwrap();
        assert_eq!(check::overlapping(&check::boxes(&svg)), None);
        // Some ten times what it takes on a quiet machine, without optimisation.
        assert!(seconds < most, "{seconds} s for {} nodes", graph.nodes.len());
    }
}

/// A kind whose peers are links of the document: one line for both ends.
#[test]
fn peers_of_the_document_are_joined() {
    let mut state = lower("nodes: {a: {}, b: {}}\nlinks: []\n").desired;
    for (node, peer) in [("a", "b:wg0"), ("b", "a:wg0")] {
        let kind = serde_json::json!({"wireguard": {"port": 7000, "peers": [{"key": {"of": peer}}]}});
        let link = wireloom_engine::Link::new(serde_json::from_value(kind).unwrap());
        state.namespaces.get_mut(node).unwrap().links.insert("wg0".parse().unwrap(), link);
    }
    let graph = graph(&state, None);
    assert_eq!((graph.links.len(), graph.links[0].notes.join(" ").as_str()), (1, "wireguard"));
    assert_eq!(graph.links[0].ends.each_ref().map(|end| end.node), [0, 1]);
    assert_eq!(graph.nodes[0].lines, []);
}
