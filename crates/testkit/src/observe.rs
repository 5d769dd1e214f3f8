//! The observer that is not our own code: `ip -j` and `tc -j`, and whole dumps of a namespace made of them, without
//! what moves on its own, for "exactly the state before" comparisons.
//! Deliberately knows nothing about what any of it ought to be.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};

use crate::process::{program, run};

/// Fields that change while nobody configures anything: clocks, bridge timers, and what follows them with a delay
/// (the kernel's linkwatch updates the operational state up to a second after the carrier has changed).
const VOLATILE: [&str; 10] = [
    "valid_life_time",
    "preferred_life_time",
    "tentative",
    "operstate",
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
    "expires",
    "users",
];

/// Flags of links and routes that linkwatch sets late, like `operstate`.
const VOLATILE_FLAGS: [&str; 2] = ["NO-CARRIER", "linkdown"];

/// What `ip -j -d ARGS` answers, in the caller's own namespace; an empty list when it prints nothing.
///
/// # Panics
/// When `ip` fails.
#[track_caller]
pub fn ip(args: &str) -> Value {
    json_of("ip", None, args)
}

/// [`ip`] in a named namespace; like `ip -n NAME -j -d ARGS`.
///
/// # Panics
/// When `ip` fails.
#[track_caller]
pub fn ip_in(netns: &str, args: &str) -> Value {
    json_of("ip", Some(netns), args)
}

/// Links with their addresses, routes of all tables, rules, neighbours that were told, nexthop objects and qdiscs of a
/// named namespace, both families, without what moves on its own. Indexes stay: a link that was deleted and made again is not the same link.
///
/// # Panics
/// When `ip` or `tc` fails.
#[track_caller]
pub fn netns_dump(name: &str) -> Value {
    Value::Object(dump(Some(name)))
}

/// [`netns_dump`] of the caller's own namespace, its rules of nftables, and under `netns` that of every named one, by name.
///
/// # Panics
/// When `ip` or `tc` fails.
#[track_caller]
pub fn host_dump() -> Value {
    let mut host = dump(None);
    // Without counters. It prints nothing where there is nothing, and is not everywhere.
    let rules = program("nft").args(["-s", "-j", "list", "ruleset"]).output();
    let rules = rules.ok().and_then(|rules| serde_json::from_slice(&rules.stdout).ok());
    host.insert("nftables".to_owned(), rules.map_or(Value::Null, |rules: Value| rules["nftables"].clone()));
    let named = named_netns().into_iter().map(|name| (name.clone(), netns_dump(&name)));
    host.insert("netns".to_owned(), Value::Object(named.collect()));
    Value::Object(host)
}

/// Compares two dumps, and names only what differs: whole ones are unreadable.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_same_dump(before: &Value, after: &Value) {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten(before, String::new(), &mut old);
    flatten(after, String::new(), &mut new);
    let gone = old.iter().filter(|(path, value)| new.get(*path) != Some(value)).map(|(path, value)| ('-', path, value));
    let come = new.iter().filter(|(path, value)| old.get(*path) != Some(value)).map(|(path, value)| ('+', path, value));
    let lines: Vec<_> = gone.chain(come).map(|(sign, path, value)| format!("{sign} {path} = {value}")).collect();
    assert!(lines.is_empty(), "not the state before:\n{}", lines.join("\n"));
}

/// Every leaf of the value by its path; items of lists by what names them, so that one gone does not shift the rest.
fn flatten(value: &Value, path: String, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(value, format!("{path}/{key}"), leaves)),
        Value::Array(items) if items.iter().all(|item| item["ifname"].is_string()) => {
            items.iter().for_each(|item| flatten(item, format!("{path}/{}", item["ifname"]), leaves));
        }
        Value::Array(items) => {
            for item in items {
                let times = leaves.keys().filter(|leaf| leaf.starts_with(&format!("{path}/{item}#"))).count();
                leaves.insert(format!("{path}/{item}#{times}"), "there".to_owned());
            }
        }
        leaf => drop(leaves.insert(path, leaf.to_string())),
    }
}

/// What is in /run/netns; no such folder is no namespace.
fn named_netns() -> Vec<String> {
    let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The dump behind both public ones.
#[track_caller]
fn dump(netns: Option<&str>) -> Map<String, Value> {
    let questions = [
        ("links", "ip", "addr"),
        ("routes4", "ip", "-4 route show table all"),
        ("routes6", "ip", "-6 route show table all"),
        ("rules4", "ip", "-4 rule"),
        ("rules6", "ip", "-6 rule"),
        ("neighbours", "ip", "neighbour show nud permanent"),
        ("nexthops", "ip", "nexthop"),
        ("qdiscs", "tc", "qdisc"),
    ];
    let answer = |(key, tool, args): (&str, &str, &str)| (key.to_owned(), lasting(json_of(tool, netns, args)));
    questions.into_iter().map(answer).collect()
}

/// Runs one of iproute2's tools and reads what it prints.
#[track_caller]
fn json_of(tool: &str, netns: Option<&str>, args: &str) -> Value {
    let mut command = program(tool);
    command.args(netns.into_iter().flat_map(|name| ["-n", name]));
    let run = run(command.args(["-j", "-d"]).args(args.split_whitespace())).ok();
    if run.stdout.trim().is_empty() { json!([]) } else { run.json() }
}

/// The value without what moves on its own, at any depth.
fn lasting(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(key, value)| !is_volatile(key, value));
            Value::Object(kept.map(|(key, value)| (key, lasting(value))).collect())
        }
        Value::Array(items) => {
            let kept = items.into_iter().filter(|item| !is_late(item));
            Value::Array(kept.map(lasting).collect())
        }
        other => other,
    }
}

/// What linkwatch adds after the carrier has come: the flags, and the kernel's own multicast route of an IPv6 link.
fn is_late(item: &Value) -> bool {
    let own_multicast = item["type"] == "multicast" && item["dst"] == "ff00::/8" && item["protocol"] == "kernel";
    own_multicast || item.as_str().is_some_and(|flag| VOLATILE_FLAGS.contains(&flag))
}

/// Also volatile: the handle of a qdisc that nobody named; the kernel counts those for the whole machine, from 8001.
fn is_volatile(key: &str, value: &Value) -> bool {
    let handle = || value.as_str().and_then(|text| u32::from_str_radix(text.trim_end_matches(':'), 16).ok());
    VOLATILE.contains(&key) || (key == "handle" && handle().is_some_and(|handle| handle > 0x8000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sandbox, sh};

    #[test]
    fn a_dump_shows_every_kind_of_difference_and_the_way_back() {
        sandbox(|| {
            sh("ip netns add a; ip link add v0 type veth peer name v1 netns a; ip link set v0 addrgenmode none up
                sysctl -qw net.ipv6.conf.v0.accept_dad=0; ip -n a link set v1 addrgenmode none up");
            let steps = [
                ("ip addr add 10.0.0.1/24 dev v0", "ip addr del 10.0.0.1/24 dev v0"),
                ("ip -6 addr add 2001:db8::1/64 dev v0 nodad", "ip -6 addr del 2001:db8::1/64 dev v0"),
                ("ip link set v0 mtu 1400", "ip link set v0 mtu 1500"),
                ("ip -6 route add blackhole 2001:db8:1::/48", "ip -6 route del blackhole 2001:db8:1::/48"),
                ("ip route add blackhole 10.9.0.0/16 table 7", "ip route del blackhole 10.9.0.0/16 table 7"),
                ("ip rule add from 10.1.0.0/16 table 7", "ip rule del from 10.1.0.0/16 table 7"),
                ("ip nexthop add id 7 dev v0", "ip nexthop del id 7"),
                ("ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0", "ip neigh del 10.0.0.9 dev v0"),
                ("tc qdisc add dev v0 ingress", "tc qdisc del dev v0 ingress"),
                ("ip -n a link set v1 mtu 1300", "ip -n a link set v1 mtu 1500"),
                ("ip netns add b", "ip netns del b"),
            ];
            for (there, back) in steps {
                let before = host_dump();
                sh(there);
                assert_ne!(host_dump(), before, "{there}");
                sh(back);
                assert_same_dump(&before, &host_dump());
            }
        });
    }

    #[test]
    #[should_panic(expected = "- /links/\"a\"/mtu = 1500\n+ /links/\"a\"/mtu = 9000")]
    fn a_difference_is_named_by_its_path() {
        let links = |mtu| json!({"links": [{"ifname": "b", "mtu": 1400}, {"ifname": "a", "mtu": mtu}], "routes4": []});
        assert_same_dump(&links(1500), &links(9000));
    }

    #[test]
    #[should_panic(expected = "+ /routes4/1#1 = there")]
    fn an_item_that_is_there_twice_is_a_difference() {
        assert_same_dump(&json!({"routes4": [1]}), &json!({"routes4": [1, 1]}));
    }

    #[test]
    fn ip_answers_for_the_namespace_that_it_was_asked_about() {
        sandbox(|| {
            sh("ip netns add a; ip -n a link add v0 type veth peer name v1");
            assert_eq!(ip("link").as_array().unwrap().len(), 1);
            assert_eq!(ip_in("a", "link show v1")[0]["linkinfo"]["info_kind"], "veth");
            assert_eq!(ip_in("a", "link set v1 up"), json!([]));
        });
    }
}
