//! What becomes of right, wrong and hostile YAML.

use super::*;

fn tree(text: &str) -> (Option<Node>, Vec<Mistake>) {
    let mut sources = Sources::default();
    let file = sources.add("t.yaml", text);
    let mut mistakes = Vec::new();
    let node = parse(&sources, file, &mut mistakes);
    (node, mistakes)
}

fn good(text: &str) -> Node {
    let (node, mistakes) = tree(text);
    assert_eq!(mistakes, [], "{text}");
    node.expect("a tree without mistakes")
}

/// Line, column and message of the only mistake.
fn wrong(text: &str) -> (u32, u32, String) {
    let (_, mistakes) = tree(text);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(!mistakes[0].help.is_empty(), "{mistakes:?}");
    (mistakes[0].span.line, mistakes[0].span.column, mistakes[0].message.clone())
}

/// As JSON, to compare.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar(scalar) => (&*scalar.text).into(),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => entries.iter().map(|e| (e.key.to_string(), json(&e.value))).collect(),
    }
}

fn expect(text: &str, value: serde_json::Value) {
    assert_eq!(json(&good(text)), value, "{text}");
}

#[test]
fn yaml_and_json_become_the_same_tree() {
    let value = serde_json::json!({"links": [{"mtu": "9000", "ip": "10.0.0.1/24"}]});
    expect("links:\n- mtu: 9000\n  ip: 10.0.0.1/24\n", value.clone());
    expect("{\"links\": [{\"mtu\": 9000, \"ip\": \"10.0.0.1/24\"}]}", value.clone());
    expect("\n# comment\nlinks: [{mtu: 9000, ip: 10.0.0.1/24}]", value);
}

#[test]
fn addresses_and_endpoints_are_texts_in_lists_too() {
    let value = serde_json::json!({"e": ["r1:eth1", "fc00::1/64", "02:00:00:00:00:01"]});
    expect("e: [r1:eth1, fc00::1/64, 02:00:00:00:00:01]", value);
}

#[test]
fn every_value_knows_its_place() {
    for text in ["a: 1\nlinks:\n  - mtu: 9000\n", "a: 1\r\nlinks:\r\n  - mtu: 9000\r\n"] {
        let root = good(text);
        let mtu = root.get("links").unwrap().items()[0].entry("mtu").unwrap();
        assert_eq!((mtu.key_span.line, mtu.key_span.column, mtu.key_span.len), (3, 5, 3));
        assert_eq!((mtu.value.span.line, mtu.value.span.column, mtu.value.span.len), (3, 10, 4));
        assert_eq!(&text[mtu.value.span.offset..][..4], "9000");
    }
}

#[test]
fn places_count_characters_and_offsets_bytes() {
    let filler = "ü".repeat(300);
    let text = format!("a: \"{filler}\"\nß: {{mtu: \"1\"}}\n");
    let root = good(&text);
    let mtu = &root.get("ß").unwrap().entries()[0];
    assert_eq!((mtu.value.span.line, mtu.value.span.column, mtu.value.span.len), (2, 10, 3));
    assert_eq!(&text[mtu.value.span.offset..][..3], "\"1\"");
}

#[test]
fn quotes_and_tags_decide_what_is_a_text() {
    let root = good("a: 1\nb: '1'\nc: !!str 1\nd: !!int '1'\ne: ! 1\nf: |\n  1\n");
    let quoted: Vec<_> =
        root.entries().iter().map(|e| matches!(&e.value.value, Value::Scalar(scalar) if scalar.quoted)).collect();
    assert_eq!(quoted, [false, true, true, false, true, true]);
}

#[test]
fn aliases_stand_for_their_anchors_and_keep_their_places() {
    let root = good("a: &x {mtu: 1}\nb: *x\n");
    assert_eq!(root.get("b").unwrap().get("mtu").unwrap().span.line, 1);
    expect("a: &x [1]\nb: [*x, *x]", serde_json::json!({"a": ["1"], "b": [["1"], ["1"]]}));
}

#[test]
fn merge_keys_fill_what_is_not_said() {
    let text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nl: {<<: [*x, *y], a: 0}\nm: {<<: *y, d: 3}\n";
    let root = good(text);
    assert_eq!(json(root.get("l").unwrap()), serde_json::json!({"a": "0", "b": "1", "c": "2"}));
    assert_eq!(json(root.get("m").unwrap()), serde_json::json!({"b": "2", "c": "2", "d": "3"}));
    assert!(wrong("l: {<<: 5}").2.contains("`<<` wants a mapping"));
    assert!(wrong("x: &x {a: 1}\nl:\n  <<: *x\n  <<: *x\n").2.contains("`<<` is given twice"));
    expect("l: {'<<': 5}", serde_json::json!({"l": {"<<": "5"}}));
}

#[test]
fn a_key_given_twice_names_both_places() {
    let (line, column, message) = wrong("a:\n  mtu: 1\n  ip: 2\n  mtu: 3\n");
    assert_eq!((line, column), (4, 3));
    assert_eq!(message, "key `mtu` is given twice, first in line 2 column 3");
    let many: String = (0..100).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(wrong(&format!("{many}k70: 1\n")).2, "key `k70` is given twice, first in line 71 column 1");
}

#[test]
fn mistakes_that_leave_a_tree_are_all_found() {
    let (node, mistakes) = tree("a: {b: 1, b: 2}\nc: !mine 3\n? [x]\n: 4\nd: !!binary aGk=\n");
    let messages: Vec<_> = mistakes.iter().map(|mistake| (&*mistake.field, &*mistake.message)).collect();
    assert_eq!(
        messages,
        [
            ("a.b", "key `b` is given twice, first in line 1 column 5"),
            ("c", "tag !mine has no meaning here"),
            ("", "a list cannot be a key"),
            ("d", "tag !!binary has no meaning here"),
        ]
    );
    assert_eq!(json(&node.unwrap()), serde_json::json!({"a": {"b": "1"}, "c": "3", "d": "aGk="}));
}

#[test]
fn what_is_no_document_is_refused() {
    for text in ["", "  \n\n", "# only a comment\n", "---\n", "~"] {
        assert!(wrong(text).2.contains("empty"), "{text:?}");
    }
    assert_eq!(wrong("a: 1\n---\nb: 2\n"), (2, 1, "a second document begins here".to_owned()));
}

#[test]
fn syntax_errors_have_a_place_and_advice() {
    let not_closed = |bracket, line| format!("not valid YAML: this `{bracket}` is not closed before line {line}");
    assert_eq!(wrong("a: 1\nb: [1, 2\nc: 3\n"), (2, 4, not_closed('[', 3)));
    assert_eq!(wrong("a: {\"x}\": [1],\n  b: '}' # }\n\nc: 3\nd: 4\n"), (1, 4, not_closed('{', 4)));
    // Closed in the end: what is missing is a comma.
    assert_eq!(wrong("a: {\n  b: {}\n  c: {}\n}\n").0, 3);
    assert_eq!(wrong("a: *nobody\n").0, 1);
    assert_eq!(wrong("a: 1\n\tb: 2\n").0, 2);
    assert_eq!(wrong("a: b: c\n").0, 1);
    let (_, mistakes) = tree("links:\n- {mtu: ${MTU}}\n");
    assert!(mistakes[0].help.contains("quote values with `${...}`"), "{mistakes:?}");
    let (_, mistakes) = tree("links: [{dev: eth{n}, endpoints: [spine[1-4]:e, b]}]\n");
    assert!(mistakes[0].help.contains("quote values"), "{mistakes:?}");
}

#[test]
fn bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{below}]\n");
    }
    assert!(wrong(&bomb).2.contains("aliases stand for more than 100000 values"));
    assert!(wrong("a: &a [*a]").2.contains("inside its own anchor"));
    let quadratic = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(2000), "*a, ".repeat(2000));
    assert!(wrong(&quadratic).2.contains("aliases stand for more than"));
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |open: &str, levels: usize| format!("a: {}", open.repeat(levels));
    assert!(wrong(&nested("[", 100_000)).2.contains("64 levels"));
    assert!(wrong(&nested("{b: ", 70)).2.contains("64 levels"));
    assert!(wrong(&"- ".repeat(5000)).2.contains("64 levels"));
    let deep = format!("a: &a {}{}\nb: {}*a{}\n", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40));
    assert!(wrong(&deep).2.contains("64 levels"));
}

#[test]
fn too_many_values_are_refused() {
    assert!(wrong(&format!("a: [{}]", "1,".repeat(MOST_NODES))).2.contains("1000000 values"));
}

mod properties {
    use proptest::prelude::*;

    use super::tree;

    const DOCUMENT: &str = "name: x\nnodes: &n\n  r1: {sysctl: {a.b: 1}}\n  'r2': !!str ~\nlinks:\n  - {endpoints: [r1:e, \"r2:e\\n\"], mtu: 9000}\n  - <<: *n\n    text: |-\n      block\n    folded: >+\n      more\n? x\n: [*n, - , '']\n...\n";

    fn check(text: &str) -> Result<(), TestCaseError> {
        let (node, mistakes) = tree(text);
        prop_assert!(node.is_some() || !mistakes.is_empty());
        for mistake in mistakes {
            prop_assert!(text.get(mistake.span.offset..mistake.span.offset + mistake.span.len).is_some());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            check(&String::from_utf8_lossy(&bytes))?;
        }

        #[test]
        fn no_indicators_make_it_panic(text in "[-\\[\\]{},:?&*!|>'\"%@`# \\n\\t\\r\u{feff}ab<0~.\u{85}\u{2028}]{0,60}") {
            check(&text)?;
        }

        #[test]
        fn no_mutation_makes_it_panic(
            cuts in proptest::collection::vec((0..DOCUMENT.len(), 0..4_usize, "[-\\[\\]{},:?&*!|>'\"%# \\n\\ta]{0,3}"), 1..6),
        ) {
            let mut text = DOCUMENT.to_owned();
            for (at, len, insert) in cuts {
                let end = (at + len).min(text.len());
                text.replace_range(at.min(end)..end, &insert);
            }
            check(&text)?;
        }
    }
}

/// Found by the fuzz target: the parser counts a line behind the last byte, and ends lines at lone carriage returns.
#[test]
fn a_place_is_where_an_editor_has_it() {
    assert_eq!(wrong("nodes: [r1]\n\u{e5}\u{e5}"), (2, 3, "not valid YAML: simple key expected".to_owned()));
    let (_, mistakes) = tree("a: 1\rb: 2\n}");
    assert_eq!((mistakes[0].span.line, mistakes[0].span.column), (2, 1), "{mistakes:?}");
}
