//! What the reader does with right and wrong values.

use std::{collections::BTreeMap, net::IpAddr};

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::{load::load_text, mistake::Mistake, variables::Variables};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
struct Document {
    /// What it is called.
    name: Field<String>,
    nodes: Field<Entries<NodeSpec>>,
    links: Field<Items<LinkSpec>>,
    checks: Field<Items<Check>>,
    route: Field<OneOrMany<IpAddr>>,
    command: Field<Shape<String, Items<String>>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct NodeSpec {
    sysctl: Field<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
struct LinkSpec {
    endpoints: Field<(String, String)>,
    mtu: Field<u16>,
    outer_dev: Field<String>,
    up: Field<bool>,
    ip: Field<Items<Option<OneOrMany<IpAddr>>>>,
    metric: Field<f64>,
    offset: Field<i8>,
    mode: Field<Mode>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Bridge,
    Private,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Check {
    Ping(Ping),
    Tcp { to: String },
    Pair(u8, u8),
    Quiet,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Ping {
    to: String,
    #[serde(default)]
    count: Field<u8>,
}

fn document(text: &str) -> (Document, Mistakes) {
    let tree = load_text("t.yaml", text, &[("MTU", "9000")].into_iter().collect()).unwrap();
    let mut mistakes = tree.mistakes.clone();
    let document = read(&tree, &mut mistakes);
    mistakes.sort();
    (document.unwrap_or_default(), mistakes)
}

fn good(text: &str) -> Document {
    let (document, mistakes) = document(text);
    assert!(mistakes.is_empty(), "{mistakes}");
    document
}

/// Line, column, and `field: message (help)` of every mistake.
fn wrong(text: &str) -> Vec<(u32, u32, String)> {
    let row = |m: Mistake| (m.span.line, m.span.column, format!("{}: {} ({})", m.field, m.message, m.help));
    document(text).1.list.into_iter().map(row).collect()
}

fn one(text: &str) -> String {
    let mut mistakes = wrong(text);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0).2
}

#[test]
fn a_right_document_is_read_with_places() {
    let document = good(
        "name: 123\nnodes: {r1: ~, r2: {sysctl: {net.ipv4.ip_forward: 1}}}\nlinks:\n- endpoints: [r1:e, r2:e]\n  mtu: $MTU\n  up: false\n  ip: [10.0.0.1, ~]\n  metric: 5\n  mode: private\n",
    );
    assert_eq!(document.name.get().map(String::as_str), Some("123"));
    let nodes = document.nodes.get().unwrap();
    assert_eq!(nodes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["r1", "r2"]);
    assert_eq!(nodes[1].1.sysctl.get().unwrap()["net.ipv4.ip_forward"], "1");
    assert_eq!((nodes[1].0.span.line, nodes[1].0.span.column), (2, 16));
    let link = &document.links.get().unwrap()[0];
    assert_eq!((link.mtu.get(), link.up.get()), (Some(&9000), Some(&false)));
    assert_eq!((link.metric.get(), link.mode.get()), (Some(&5.0), Some(&Mode::Private)));
    assert_eq!((link.mtu.span().unwrap().line, link.mtu.span().unwrap().column), (5, 8));
    let ends = link.ip.get().unwrap();
    assert_eq!(ends[0].value.as_ref().unwrap()[0].value, IpAddr::from([10, 0, 0, 1]));
    assert!(ends[1].value.is_none());
}

#[test]
fn all_mistakes_are_found_and_the_rest_is_read() {
    let text = "name: [x]\nlinks:\n- mtuu: 1\n  mtu: 70000\n  up: yes\n- {mtu: 1400}\n- 5\nnodes:\n  r1: {sysctl: 5}\n";
    let (document, mistakes) = document(text);
    let found: Vec<_> = mistakes.list.iter().map(|m| (&*m.field, &*m.message)).collect();
    let expected = [
        ("name", "expected a text, found a list"),
        ("links[0].mtuu", "unknown key `mtuu`"),
        ("links[0].mtu", "expected a whole number up to 65535, found the number 70000"),
        ("links[0].up", "expected true or false, found \"yes\""),
        ("links[2]", "expected a mapping, found the number 5"),
        ("nodes.r1.sysctl", "expected a mapping, found the number 5"),
    ];
    assert_eq!(found, expected);
    let links = document.links.get().unwrap();
    assert_eq!(links.len(), 2);
    assert!(links[0].mtu.is_bad() && links[0].ip.is_absent());
    assert_eq!(links[1].mtu.get(), Some(&1400));
}

#[test]
fn unknown_keys_get_the_nearest_known_one() {
    let text = "links:\n  - {outerdev: x}\n";
    let (line, column, message) = wrong(text).remove(0);
    assert_eq!((line, column), (2, 6));
    assert!(message.starts_with(
        "links[0].outerdev: unknown key `outerdev` (did you mean `outer-dev`? known here: endpoints, mtu"
    ));
    assert!(one("nothing: 5").ends_with("(known here: name, nodes, links, checks, route, command)"));
    assert!(one("links: [{mtu: 1, x-note: 5}]").contains("unknown key `x-note`"));
    assert_eq!(wrong("x-note: {a: 5}\nname: x"), []);
}

#[test]
fn quoted_numbers_are_texts_and_interpolated_ones_are_numbers() {
    let expected =
        "links[0].mtu: expected a whole number up to 65535, found the quoted text \"9000\" (write 9000 without quotes)";
    assert_eq!(one("links: [{mtu: '9000'}]"), expected);
    assert_eq!(good("links: [{mtu: '$MTU'}]").links.get().unwrap()[0].mtu.get(), Some(&9000));
    assert_eq!(good("links: [{mtu: \"${NO:-5}\"}]").links.get().unwrap()[0].mtu.get(), Some(&5));
    assert!(one("links: [{mtu: '$MTU$NO'}]").contains("found the quoted text \"9000\""));
    assert_eq!(good("links:\n- mtu: ${MTU}\n").links.get().unwrap()[0].mtu.get(), Some(&9000));
    assert_eq!(
        one("links: [{up: 'true'}]"),
        "links[0].up: expected true or false, found the quoted text \"true\" (write true without quotes)"
    );
    assert!(one("links: [{offset: -129}]").contains("a whole number from -128 to 127, found the number -129"));
    assert!(one("links: [{metric: fast}]").contains("expected a number, found \"fast\""));
}

#[test]
fn a_variable_that_is_not_set_is_no_number_but_no_text_either() {
    for text in ["links: [{mtu: $NO}]", "links: [{mtu: '${NO}'}]"] {
        let found = one(text);
        assert!(found.starts_with("links[0].mtu: expected a whole number up to 65535, found"), "{found}");
        assert!(found.contains("a variable is empty here"), "{found}");
    }
    assert!(one("links: [{up: $NO}]").contains("expected true or false, found nothing (a variable is empty"));
    assert!(good("name: $NO").name.is_absent());
    assert!(good("links: [{mode: $NO}]").links.get().unwrap()[0].mode.is_absent());
}

#[test]
fn one_or_many_and_shapes() {
    assert_eq!(good("route: 10.0.0.1").route.get().unwrap().len(), 1);
    assert_eq!(good("route: [10.0.0.1, '::1']").route.get().unwrap().len(), 2);
    let mistakes = wrong("route: [10.0.0.1, x, {}]");
    assert_eq!(mistakes.iter().map(|m| m.1).collect::<Vec<_>>(), [19, 22]);
    assert!(mistakes[0].2.starts_with("route[1]: "), "{mistakes:?}");
    assert!(matches!(good("command: ls").command.get(), Some(Shape::Scalar(_))));
    assert!(matches!(good("command: [ls, 5]").command.get(), Some(Shape::List(list)) if list[1].value == "5"));
    assert_eq!(one("command: {a: b}"), "command: expected a text or a list, found a mapping ()");
}

#[test]
fn enums_are_read_from_texts_and_mappings_of_one_key() {
    let document = good("checks: [{ping: {to: a}}, {tcp: {to: b}}, {pair: [1, 2]}, quiet, quiet: ]");
    let checks = document.checks.get().unwrap();
    assert!(matches!(&checks[0].value, Check::Ping(ping) if ping.to == "a" && ping.count.is_absent()));
    assert!(matches!(&checks[1].value, Check::Tcp { to } if to == "b"));
    assert!(matches!(&checks[2].value, Check::Pair(1, 2)));
    assert!(matches!((&checks[3].value, &checks[4].value), (Check::Quiet, Check::Quiet)));
    assert_eq!(
        one("links: [{mode: privat}]"),
        "links[0].mode: unknown value `privat` (did you mean `private`? known here: bridge, private)"
    );
    assert_eq!(
        one("checks: [{pin: {to: a}}]"),
        "checks[0]: unknown value `pin` (did you mean `ping`? known here: ping, tcp, pair, quiet)"
    );
    assert_eq!(one("checks: [{ping: {}}]"), "checks[0].ping: missing key `to` (add `to: ...`)");
    assert_eq!(
        one("checks: [{ping: {to: a, cont: 1}}]"),
        "checks[0].ping.cont: unknown key `cont` (did you mean `count`? known here: to, count)"
    );
    assert!(one("checks: [ping]").contains("`ping` wants a value (write ping: ...)"));
    assert!(one("checks: [{ping: , tcp: }]").contains("expected a mapping with one key, found a mapping"));
    assert!(one("checks: [{quiet: 5}]").contains("`quiet` takes no value"));
}

#[test]
fn null_is_nothing_said() {
    let document = good("name:\nlinks: ~\nroute: null\n");
    assert!(document.name.is_absent() && document.links.is_absent() && document.route.is_absent());
    assert!(one("links: [{endpoints: [~, b]}]").contains("links[0].endpoints[0]: expected a text, found nothing"));
}

#[test]
fn lists_say_how_long_they_must_be() {
    assert_eq!(
        one("links: [{endpoints: [a, b, c]}]"),
        "links[0].endpoints: expected a list of 2, found a list of 3 ()"
    );
    assert_eq!(one("links: [{endpoints: a}]"), "links[0].endpoints: expected a list, found \"a\" (write [a])");
}

#[test]
fn errors_of_texts_keep_their_help() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Holder {
        name: Field<Picky>,
    }
    #[derive(Debug)]
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Picky, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(serde::de::Error::custom(format!("{text} is wrong\nwrite right")))
        }
    }
    let tree = load_text("t.yaml", "name: left\n", &Variables::none()).unwrap();
    let mut mistakes = Mistakes::default();
    let holder: Holder = read(&tree, &mut mistakes).unwrap();
    assert!(holder.name.is_bad());
    assert_eq!((&*mistakes.list[0].message, &*mistakes.list[0].help), ("left is wrong", "write right"));
}

#[test]
fn other_formats_read_the_wrappers_without_places() {
    let document: Document = serde_json::from_str(r#"{"name": "x", "links": [{"mtu": 5}]}"#).unwrap();
    assert_eq!(document.links.get().unwrap()[0].mtu.get(), Some(&5));
}

#[test]
fn schemas_are_those_of_what_is_wrapped() {
    let schema = serde_json::to_value(schemars::schema_for!(Document)).unwrap();
    assert_eq!(
        schema["properties"]["name"],
        serde_json::json!({"description": "What it is called.", "type": "string"})
    );
    assert_eq!(schema["properties"]["links"]["items"]["$ref"], "#/$defs/LinkSpec");
    assert_eq!(schema["properties"]["nodes"]["additionalProperties"]["$ref"], "#/$defs/NodeSpec");
    let shapes = schema["properties"]["command"]["anyOf"].as_array().unwrap();
    assert_eq!(shapes.iter().map(|shape| &shape["type"]).collect::<Vec<_>>(), ["string", "array"]);
    assert_eq!(schema["required"], serde_json::Value::Null);
}
