//! Several parts to one document: later ones win, mappings merge by key, and the lists of links, bridges, tunnels,
//! commands and checks by what their items are about. Knows the keys that make two items the same, and no others.

use std::collections::HashMap;

use crate::{
    lift::Part,
    tree::{Entry, Node, Value, push_key},
};

/// Merges parts in order. Nothing comes of no part.
pub fn merge(parts: Vec<Part>) -> Option<Node> {
    let mut parts = parts.into_iter().filter(|part| !part.root.entries().is_empty()).peekable();
    let mut first = parts.next()?;
    if parts.peek().is_some() || !first.path.is_empty() {
        remember(&mut first);
    }
    let mut root = first.root;
    for part in parts {
        top(&mut root, part);
    }
    Some(root)
}

/// Gives the values and list items of a part the paths that they were written under: merging moves them.
fn remember(part: &mut Part) {
    let Value::Mapping(entries) = &mut part.root.value else { return };
    for entry in entries {
        let path = join(&part.path, &entry.key);
        if let Value::Sequence(items) = &mut entry.value.value {
            for (index, item) in items.iter_mut().enumerate() {
                item.origin = Some(format!("{path}[{index}]").into());
            }
        }
        entry.value.origin = Some(path.into());
    }
}

fn join(path: &str, key: &str) -> String {
    let mut path = path.to_owned();
    push_key(&mut path, key);
    path
}

/// The top of the document: its lists merge item by item, everything else by key.
fn top(root: &mut Node, mut part: Part) {
    remember(&mut part);
    let (Value::Mapping(known), Value::Mapping(entries)) = (&mut root.value, part.root.value) else { return };
    for entry in entries {
        let Some(base) = known.iter_mut().find(|base| base.key == entry.key) else {
            known.push(entry);
            continue;
        };
        match (identity(&entry.key), &mut base.value.value, entry.value) {
            (Some(identity), Value::Sequence(base), Node { value: Value::Sequence(items), .. }) => {
                list(base, items, identity);
            }
            (_, _, value) => deep(&mut base.value, value),
        }
    }
}

/// What an item of a list is about: nothing for items that are never the same.
type Identity = fn(&Node) -> Option<String>;

fn identity(key: &str) -> Option<Identity> {
    match key {
        "links" => Some(link),
        "bridges" => Some(|bridge| Some(words(&[need(bridge, "bridge")?, or(bridge, "node", "")]))),
        "tunnels" => {
            Some(|tunnel| Some(words(&[need(tunnel, "bridge")?, or(tunnel, "type", "vxlan"), or(tunnel, "vni", "")])))
        }
        "commands" | "checks" => Some(|item| Some(spelled(item))),
        _ => None,
    }
}

fn need<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_text()
}

fn or<'a>(node: &'a Node, key: &str, otherwise: &'a str) -> &'a str {
    need(node, key).unwrap_or(otherwise)
}

fn words(words: &[&str]) -> String {
    words.join("\0")
}

/// A link is known by its ends, in either order, or by whose it is and the name of its interface.
fn link(link: &Node) -> Option<String> {
    if let Some(endpoints) = link.get("endpoints") {
        let mut ends: Vec<&str> = endpoints.items().iter().map(Node::as_text).collect::<Option<_>>()?;
        ends.sort_unstable();
        return Some(words(&ends));
    }
    let (kind, name) = ["node", "service", "container"].iter().find_map(|kind| Some((*kind, need(link, kind)?)))?;
    Some(words(&[kind, name, or(link, "dev", "eth0")]))
}

/// An item written out in full: two that read the same are the same.
fn spelled(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::Sequence(items) => format!("[{}]", items.iter().map(spelled).collect::<Vec<_>>().join(",")),
        Value::Mapping(entries) => {
            let mut keys: Vec<_> = entries.iter().map(|e| format!("{:?}:{}", e.key, spelled(&e.value))).collect();
            keys.sort_unstable();
            format!("{{{}}}", keys.join(","))
        }
    }
}

/// Merges items into those they are the same as, each of them once; the others are appended.
fn list(base: &mut Vec<Node>, items: Vec<Node>, identity: Identity) {
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, item) in base.iter().enumerate() {
        if let Some(name) = identity(item) {
            known.entry(name).or_insert(index);
        }
    }
    for item in items {
        match identity(&item).and_then(|name| known.remove(&name)) {
            Some(index) => same(&mut base[index], item),
            None => base.push(item),
        }
    }
}

/// Merges an item into the one that it is the same as.
fn same(base: &mut Node, mut item: Node) {
    let turned = match (base.get("endpoints"), item.get("endpoints")) {
        (Some(first), Some(second)) => {
            first.items().first().map(Node::as_text) != second.items().first().map(Node::as_text)
        }
        _ => false,
    };
    if turned {
        turn(&mut item);
    }
    deep(base, item);
}

/// Swaps the ends of a two-ended link, so that values for each end meet those of the same end.
fn turn(link: &mut Node) {
    let Value::Mapping(entries) = &mut link.value else { return };
    for entry in entries.iter_mut().filter(|e| matches!(&*e.key, "endpoints" | "ip" | "mac" | "route" | "alias")) {
        if let Value::Sequence(items) = &mut entry.value.value
            && items.len() == 2
        {
            items.reverse();
        }
    }
}

/// Later wins, except that null does not take away a mapping or a list.
fn deep(base: &mut Node, over: Node) {
    let path = over.origin.clone().unwrap_or_default();
    match (&mut base.value, over) {
        (Value::Mapping(known), Node { value: Value::Mapping(entries), .. }) => keys(known, entries, &path),
        (Value::Mapping(_) | Value::Sequence(_), over) if over.is_null() => {}
        (_, over) => *base = over,
    }
}

fn keys(known: &mut Vec<Entry>, entries: Vec<Entry>, path: &str) {
    let mut index: HashMap<Box<str>, usize> = known.iter().enumerate().map(|(at, e)| (e.key.clone(), at)).collect();
    for mut entry in entries {
        if entry.value.origin.is_none() {
            entry.value.origin = Some(join(path, &entry.key).into());
        }
        match index.get(&entry.key) {
            Some(at) => deep(&mut known[*at].value, entry.value),
            None => {
                index.insert(entry.key.clone(), known.len());
                known.push(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lift::lift, source::Sources};

    fn merged(texts: &[&str]) -> Node {
        let (mut sources, mut mistakes, mut parts) = (Sources::default(), Vec::new(), Vec::new());
        for text in texts {
            let file = sources.add("t.yaml", *text);
            let root = crate::parse::parse(&sources, file, &mut mistakes).unwrap();
            parts.extend(lift(root, &mut mistakes));
        }
        assert_eq!(mistakes, []);
        merge(parts).unwrap()
    }

    fn check(texts: &[&str], expected: &str) {
        assert_eq!(spelled(&merged(texts)), spelled(&merged(&[expected])), "{texts:?}");
    }

    #[test]
    fn later_scalars_win_and_mappings_merge() {
        check(
            &["{name: a, nodes: {r1: {x: 1}}}", "{name: b, nodes: {r1: {y: 2}, r2: {}}}"],
            "{name: b, nodes: {r1: {x: 1, y: 2}, r2: {}}}",
        );
        check(&["nodes: {r1: {x: 1}, r2: ~}", "nodes: {r1: , r2: {y: 1}}"], "nodes: {r1: {x: 1}, r2: {y: 1}}");
        check(&["nodes: {r1: {routes: [a, b]}}", "nodes: {r1: {routes: [c]}}"], "nodes: {r1: {routes: [c]}}");
    }

    #[test]
    fn links_merge_by_node_and_dev() {
        check(
            &[
                "links: [{node: a, bridge: s1, ip: 1}, {service: a, bridge: s1}]",
                "links: [{node: a, dev: eth0, mtu: 9}, {node: a, dev: eth1}]",
            ],
            "links: [{node: a, bridge: s1, ip: 1, dev: eth0, mtu: 9}, {service: a, bridge: s1}, {node: a, dev: eth1}]",
        );
    }

    #[test]
    fn two_ended_links_merge_in_either_order() {
        check(
            &[
                "links: [{endpoints: ['a:x', 'b:y'], ip: [1, 2], mac: [m, n]}]",
                "links: [{endpoints: ['b:y', 'a:x'], ip: [3, 4], mtu: 9}]",
            ],
            "links: [{endpoints: ['a:x', 'b:y'], ip: [4, 3], mac: [m, n], mtu: 9}]",
        );
        check(
            &["links: [{endpoints: ['a:x', 'b:y']}]", "links: [{endpoints: ['a:x', 'b:z']}]"],
            "links: [{endpoints: ['a:x', 'b:y']}, {endpoints: ['a:x', 'b:z']}]",
        );
    }

    #[test]
    fn what_one_part_says_twice_stays_twice() {
        let twice = "links: [{node: a, mtu: 1}, {node: a, mtu: 2}]";
        check(&[twice], twice);
        check(&["links: [{node: a, ip: 1}]", twice], "links: [{node: a, ip: 1, mtu: 1}, {node: a, mtu: 2}]");
    }

    #[test]
    fn bridges_tunnels_commands_and_checks_merge_by_what_they_are() {
        check(
            &["bridges: [{bridge: s, mtu: 1}]", "bridges: [{bridge: s, node: n}, {bridge: s, mtu: 2}]"],
            "bridges: [{bridge: s, mtu: 2}, {bridge: s, node: n}]",
        );
        check(
            &[
                "tunnels: [{bridge: s, vni: 1, remote: a}]",
                "tunnels: [{type: vxlan, bridge: s, vni: 1, remote: b}, {bridge: s, vni: 2}]",
            ],
            "tunnels: [{type: vxlan, bridge: s, vni: 1, remote: b}, {bridge: s, vni: 2}]",
        );
        check(
            &["commands: [{node: a, command: x}]", "commands: [{command: x, node: a}, {node: a, command: y}]"],
            "commands: [{node: a, command: x}, {node: a, command: y}]",
        );
        check(
            &["checks: [{ping: {from: a, to: b}}]", "checks: [{ping: {to: b, from: a}}]"],
            "checks: [{ping: {from: a, to: b}}]",
        );
    }

    #[test]
    fn both_places_of_a_file_count() {
        check(
            &["links: [{node: a}]\nx-network: {links: [{node: a, mtu: 1}, {node: b}]}\n"],
            "links: [{node: a, mtu: 1}, {node: b}]",
        );
    }

    #[test]
    fn moved_values_keep_their_paths() {
        let root = merged(&["links: [{node: a}]", "x-network: {links: [{node: b}, {node: a, mtu: 1}]}"]);
        let links = root.get("links").unwrap().items();
        assert_eq!(links[1].origin.as_deref(), Some("x-network.links[0]"));
        assert_eq!(links[0].get("mtu").unwrap().origin.as_deref(), Some("x-network.links[1].mtu"));
    }
}
