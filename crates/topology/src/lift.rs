//! Where a file may say what: our keys at the top, under `x-network:`, and under `services.NAME.x-network:` of a
//! compose file. Turns a file into parts that all look as if they stood at the top. Merges nothing.

use crate::{
    mistake::Mistake,
    tree::{Entry, Node, Value, push_key},
};

/// Keys of a compose file that are none of our business, if it is one.
const COMPOSE: [&str; 7] = ["services", "volumes", "networks", "version", "configs", "secrets", "include"];

/// Where our keys may stand in other people's documents.
const SECTION: &str = "x-network";

/// A mapping with our keys at its top, and the field path that it was written under (empty for the top itself).
#[derive(Debug)]
pub struct Part {
    /// The mapping.
    pub root: Node,
    /// The path it was written under.
    pub path: String,
}

/// The parts of a file, in the order in which later ones win: top, `x-network`, services.
pub fn lift(root: Node, mistakes: &mut Vec<Mistake>) -> Vec<Part> {
    let span = root.span;
    let Value::Mapping(entries) = root.value else {
        let help = "write `links:` and a list of links below it";
        mistakes.push(Mistake::at(span, format!("the document is {}, not a mapping", root.describe()), help));
        return Vec::new();
    };
    let is_compose = entries.iter().any(|entry| matches!(&*entry.key, "services" | SECTION));
    let (mut top, mut parts) = (Vec::new(), Vec::new());
    for entry in entries {
        match &*entry.key {
            SECTION => parts.extend(section(entry.value, SECTION.to_owned(), mistakes)),
            "services" => parts.extend(services(entry.value, mistakes)),
            key if key.starts_with("x-") || (is_compose && COMPOSE.contains(&key)) => {}
            _ => top.push(entry),
        }
    }
    parts.sort_by_key(|part| part.path != SECTION);
    parts.insert(0, Part { root: Node::new(Value::Mapping(top), span), path: String::new() });
    parts
}

/// What stands under an `x-network`.
fn section(node: Node, path: String, mistakes: &mut Vec<Mistake>) -> Option<Part> {
    match &node.value {
        Value::Mapping(_) => Some(Part { root: node, path }),
        _ if node.is_null() => None,
        _ => {
            let message = format!("expected a mapping, found {}", node.describe());
            let help = "write `links:` and a list of links below it";
            mistakes.push(Mistake::at(node.span, message, help).in_field(path));
            None
        }
    }
}

/// The `x-network` of every service, whose links and commands are the service's unless they say otherwise.
fn services(node: Node, mistakes: &mut Vec<Mistake>) -> Vec<Part> {
    let Value::Mapping(services) = node.value else { return Vec::new() };
    let mut parts = Vec::new();
    for Entry { key: name, key_span, value } in services {
        let Value::Mapping(keys) = value.value else { continue };
        let Some(found) = keys.into_iter().find(|entry| &*entry.key == SECTION) else { continue };
        let mut path = "services".to_owned();
        push_key(&mut path, &name);
        push_key(&mut path, SECTION);
        let Some(mut part) = section(found.value, path, mistakes) else { continue };
        if let Value::Mapping(keys) = &mut part.root.value {
            for entry in keys.iter_mut().filter(|entry| matches!(&*entry.key, "links" | "commands")) {
                imply(&mut entry.value, &Node::text(&name, key_span));
            }
        }
        parts.push(part);
    }
    parts
}

/// Every item of a list is the service's, unless it names whose it is.
fn imply(list: &mut Node, service: &Node) {
    let Value::Sequence(items) = &mut list.value else { return };
    for item in items {
        let named = ["service", "container", "node", "endpoints"].iter().any(|key| item.get(key).is_some());
        if let Value::Mapping(entries) = &mut item.value
            && !named
        {
            entries.push(Entry { key: "service".into(), key_span: service.span, value: service.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn parts(text: &str) -> (Vec<Part>, Vec<Mistake>) {
        let mut sources = Sources::default();
        let file = sources.add("t.yaml", text);
        let mut mistakes = Vec::new();
        let root = crate::parse::parse(&sources, file, &mut mistakes).unwrap();
        (lift(root, &mut mistakes), mistakes)
    }

    fn keys(part: &Part) -> Vec<&str> {
        part.root.entries().iter().map(|entry| &*entry.key).collect()
    }

    #[test]
    fn a_compose_file_has_parts() {
        let (parts, mistakes) = parts(
            "version: 3\nx-other: 1\nservices:\n  web:\n    image: x\n    x-network:\n      links: [{bridge: s1}, {node: r1}]\n  db: {image: y}\nx-network:\n  bridges: []\nlinks: []\nnetworks: {}\n",
        );
        assert_eq!(mistakes, []);
        let paths: Vec<_> = parts.iter().map(|part| &*part.path).collect();
        assert_eq!(paths, ["", "x-network", "services.web.x-network"]);
        assert_eq!(parts.iter().map(keys).collect::<Vec<_>>(), [["links"], ["bridges"], ["links"]]);
        let links = parts[2].root.get("links").unwrap().items();
        assert_eq!(links[0].get("service").and_then(Node::as_text), Some("web"));
        assert_eq!(links[1].get("service"), None);
    }

    #[test]
    fn without_compose_its_keys_are_not_known() {
        assert_eq!(keys(&parts("volumes: {}\nlinks: []\n").0[0]), ["volumes", "links"]);
    }

    #[test]
    fn what_is_no_mapping_is_a_mistake() {
        assert_eq!(parts("[1]").1[0].message, "the document is a list, not a mapping");
        assert_eq!(parts("x-network: 5\n").1[0].message, "expected a mapping, found the number 5");
        assert_eq!(parts("x-network:\nlinks: []\n").1, []);
    }
}
