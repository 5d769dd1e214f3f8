//! The schema and the reader know the same keys, and every example keeps to the schema.

#![allow(missing_docs, reason = "a test")]

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use wireloom_topology::{
    load::load_text,
    lower_tree, schema,
    tree::{Node, Plain, Tree, Value as Shape},
    variables::Variables,
};

fn tree(text: &str) -> Tree {
    load_text("t.yaml", text, &Variables::none()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn as_json(node: &Node) -> Value {
    match &node.value {
        Shape::Sequence(items) => items.iter().map(as_json).collect(),
        Shape::Mapping(entries) => entries.iter().map(|entry| (entry.key.to_string(), as_json(&entry.value))).collect(),
        Shape::Scalar(scalar) => match scalar.value() {
            Plain::Null => Value::Null,
            Plain::Bool(bool) => json!(bool),
            Plain::Int(int) => json!(i64::try_from(int).expect("a small number")),
            Plain::Float(float) => json!(float),
            Plain::Text(text) => json!(text),
        },
    }
}

/// As much of a JSON Schema validator as our schemas need. Knows every word that they use, or panics.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(words) = schema.as_object() else {
        return if schema == &json!(false) { Err(format!("{value} is not allowed")) } else { Ok(()) };
    };
    for (word, says) in words {
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "deprecated" | "$comment" | "format" | "default" => {}
            "$ref" => fits(root, root.pointer(&says.as_str().expect("a text")[1..]).expect("a known $ref"), value)?,
            "type" => type_fits(says, value)?,
            "enum" if says.as_array().is_some_and(|all| all.contains(value)) => {}
            "const" if says == value => {}
            "enum" | "const" => return Err(format!("{value} is not in {says}")),
            "anyOf" | "oneOf" => {
                let fitting = |s: &&Value| fits(root, s, value).is_ok();
                if !says.as_array().expect("a list").iter().any(|s| fitting(&s)) {
                    return Err(format!("{value} fits none of {says}"));
                }
            }
            "minimum" | "maximum" => {
                let (number, limit) = (value.as_f64().unwrap_or(0.0), says.as_f64().expect("a number"));
                if (word == "minimum" && number < limit) || (word == "maximum" && number > limit) {
                    return Err(format!("{value} is beyond {says}"));
                }
            }
            // The only patterns are those of a template and a variable: one of these characters.
            "pattern"
                if value.as_str().is_none_or(|text| text.contains(|c| says.as_str().expect("a text").contains(c))) => {}
            "pattern" => return Err(format!("{value} does not match {says}")),
            "items" => value.as_array().into_iter().flatten().try_for_each(|item| fits(root, says, item))?,
            "properties" | "additionalProperties" | "patternProperties" => members_fit(root, words, value)?,
            other => panic!("the schema uses `{other}`, which this test does not know"),
        }
    }
    Ok(())
}

fn type_fits(says: &Value, value: &Value) -> Result<(), String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |word: &Value| word == kind || (word == "number" && kind == "integer");
    let fits = says.as_array().map_or_else(|| is(says), |all| all.iter().any(is));
    if fits { Ok(()) } else { Err(format!("{value} is no {says}")) }
}

fn members_fit(root: &Value, words: &serde_json::Map<String, Value>, value: &Value) -> Result<(), String> {
    for (key, member) in value.as_object().into_iter().flatten() {
        let known = words.get("properties").and_then(|all| all.get(key));
        let free = words.get("patternProperties").filter(|_| key.starts_with("x-")).map(|_| &Value::Bool(true));
        if let Some(schema) = known.or(free).or(words.get("additionalProperties")) {
            fits(root, schema, member).map_err(|wrong| format!("{key}: {wrong}"))?;
        }
    }
    Ok(())
}

#[test]
fn every_example_and_fixture_fits_the_schema() {
    let schema = schema();
    let fixtures =
        fs::read_dir("tests/lower").expect("fixtures").map(|entry| entry.expect("one").path().join("document.yaml"));
    let examples = fs::read_dir("../../examples").expect("examples").map(|entry| entry.expect("one").path());
    for path in fixtures.chain(examples) {
        let value = as_json(&tree(&fs::read_to_string(&path).expect("a text")).root);
        fits(&schema, &schema, &value).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = schema();
    for wrong in [
        json!({"link": []}),
        json!({"links": {}}),
        json!({"links": [{"mtuu": 9000}]}),
        json!({"links": [{"mtu": "9000"}]}),
        json!({"links": [{"ip": {"a": 1}}]}),
        json!({"nodes": {"r1": {"sysctls": {}}}}),
        json!({"bridges": [{"mode": "linus"}]}),
        json!({"checks": [{"ping": {"form": "a"}}]}),
        json!({"links": [{"netem": {"delai": "1ms"}}]}),
    ] {
        assert!(fits(&schema, &schema, &wrong).is_err(), "{wrong}");
        let tree = tree(&wrong.to_string());
        assert!(lower_tree(&tree, "t").is_err(), "{wrong}");
    }
}

/// Which keys the reader knows, from its own words about a key that it does not know.
fn known_to_the_reader(document: &str) -> Vec<String> {
    let mistakes = lower_tree(&tree(document), "t").expect_err("the key is unknown");
    let help = &mistakes.list.iter().find(|mistake| mistake.message.contains("zzzzzzzz")).expect("it is named").help;
    let mut known: Vec<_> = help.split_once("known here: ").expect("a list").1.split(", ").map(str::to_owned).collect();
    known.sort();
    known
}

#[test]
fn the_schema_has_the_keys_that_the_reader_knows() {
    let schema = schema();
    let places = BTreeMap::from([
        ("NodeSpec", "nodes: {a: {zzzzzzzz: 1}}"),
        ("LinkSpec", "links: [{zzzzzzzz: 1}]"),
        ("BridgeSpec", "bridges: [{zzzzzzzz: 1}]"),
        ("TunnelSpec", "tunnels: [{zzzzzzzz: 1}]"),
        ("NodeCommand", "commands: [{zzzzzzzz: 1}]"),
        ("CommandKeys", "nodes: {a: {commands: [{zzzzzzzz: 1}]}}"),
        ("FileKeys", "nodes: {a: {files: {/a: {zzzzzzzz: 1}}}}"),
        ("FolderKeys", "nodes: {a: {private: [{zzzzzzzz: 1}]}}"),
        ("RunKeys", "nodes: {a: {run: [{zzzzzzzz: 1}]}}"),
        ("CheckSpec", "checks: [{zzzzzzzz: 1}]"),
        ("PingSpec", "checks: [{ping: {zzzzzzzz: 1}}]"),
        ("RouteSpec", "checks: [{route: {zzzzzzzz: 1}}]"),
        ("TcpSpec", "checks: [{tcp: {zzzzzzzz: 1}}]"),
        ("PeerSpec", "links: [{peers: [{zzzzzzzz: 1}]}]"),
        ("EthtoolKeys", "links: [{ethtool: {zzzzzzzz: 1}}]"),
        ("InternetKeys", "nodes: {a: {internet: {zzzzzzzz: 1}}}"),
        ("NetemKeys", "links: [{netem: {zzzzzzzz: 1}}]"),
    ]);
    // Nobody is led to keys that are not there yet.
    let keys = |of: &Value| {
        let all = of["properties"].as_object().expect("properties").iter();
        let mut keys: Vec<_> = all.filter(|(_, of)| of["deprecated"] != true).map(|(key, _)| key.clone()).collect();
        keys.retain(|key| key != "x-network");
        keys.sort();
        keys
    };
    assert_eq!(keys(&schema), known_to_the_reader("zzzzzzzz: 1"));
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        if definition.get("properties").is_some() {
            assert_eq!(keys(definition), known_to_the_reader(places[name.as_str()]), "{name}");
            for (key, says) in definition["properties"].as_object().expect("properties") {
                assert!(says.get("description").is_some(), "{name}.{key} is not explained");
            }
        }
    }
}
