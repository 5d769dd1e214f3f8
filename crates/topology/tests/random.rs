//! Documents put together from valid parts lower without a mistake or come with mistakes, but never with a panic; and
//! what comes out holds together.

#![allow(missing_docs, reason = "a test")]

use proptest::prelude::*;
use wireloom_engine::LinkKind;
use wireloom_topology::{Lowered, load::load_text, lower_tree, variables::Variables};

fn lower(text: &str) -> Result<Lowered, String> {
    let tree = load_text("t.yaml", text, &Variables::none()).map_err(|mistakes| mistakes.render(false))?;
    lower_tree(&tree, "t").map_err(|mistakes| mistakes.render(false))
}

/// A link between two of ten nodes, its interfaces named by its number.
fn two_ended(number: usize) -> impl Strategy<Value = String> {
    let addresses = prop::sample::select(vec![
        String::new(),
        format!(", ip: [10.{number}.0.0/31, 10.{number}.0.1/31]"),
        format!(", ip: ['fd00:{number}::1/64', ['fd00:{number}::2/64', 10.{number}.0.2/24]]"),
        format!(", subnet: [10.{number}.0.0/24, 'fd00:{number}::/64']"),
    ]);
    let options = prop::sample::select(vec!["", ", mtu: 9000", ", netem: delay 1ms", ", rate: 1mbit", ", up: false"]);
    (0..10u8, 0..10u8, addresses, options).prop_map(move |(a, b, addresses, options)| {
        format!("  - {{endpoints: ['n{a}:a{number}', 'n{b}:b{number}']{addresses}{options}}}\n")
    })
}

fn one_ended(number: usize) -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec![
        "bridge: s1".to_owned(),
        "bridge: s2, mtu: 1400".to_owned(),
        format!("bridge: s3, ip: 'fd01::{:x}/64'", number + 1),
        format!("type: dummy, ip: 10.200.{number}.1/32"),
        format!("type: macvlan, outer-dev: up{number}"),
        format!("type: vlan, vlanid: {}, outer-dev: up0", number + 1),
        format!("type: vxlan, vni: {}, remote: 192.0.2.1", number + 1),
    ]);
    (0..10u8, kind).prop_map(move |(node, kind)| format!("  - {{node: n{node}, dev: e{number}, {kind}}}\n"))
}

fn document() -> impl Strategy<Value = String> {
    let links: Vec<_> = (0..24usize).map(|n| prop_oneof![two_ended(n), one_ended(n)]).collect();
    let bridges = prop::sample::subsequence(
        vec![
            "  - {bridge: s1, subnet: 10.201.0.0/16}\n",
            "  - {bridge: s2, mtu: 4000, stp: true}\n",
            "  - {bridge: s3, node: n0, ip: 'fd01::ffff/64'}\n",
            "  - {bridge: s4, mode: linux}\n",
        ],
        0..=4,
    );
    (links, 0..24usize, bridges).prop_map(|(links, most, bridges)| {
        let (links, bridges) = (links[..most].concat(), bridges.concat());
        format!("nodes:\n  n[0-9]: {{loopback: '10.255.0.{{n}}/32'}}\nlinks:\n{links}bridges:\n{bridges}")
    })
}

fn check(lowered: &Lowered) -> Result<(), TestCaseError> {
    let state = &lowered.desired;
    for (netns, namespace) in &state.namespaces {
        for (ifname, link) in &namespace.links {
            if let LinkKind::Veth(veth) = &link.kind {
                let peer = veth.peer.as_ref().and_then(|peer| state.link(peer));
                prop_assert_eq!(peer.map(|peer| peer.mtu), Some(link.mtu), "{}:{} and its peer", netns, ifname);
            }
            if let Some(controller) = &link.controller {
                prop_assert!(namespace.links.contains_key(controller), "{}:{} has no {}", netns, ifname, controller);
            }
            prop_assert!(!namespace.own || link.mark().is_some(), "{}:{} has no mark", netns, ifname);
        }
    }
    let again = serde_json::to_value(state).and_then(serde_json::from_value::<wireloom_engine::State>);
    prop_assert_eq!(again.as_ref().ok(), Some(state));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_of_valid_parts_lower(text in document()) {
        let lowered = lower(&text);
        prop_assert!(lowered.is_ok(), "{}\n{}", text, lowered.unwrap_err());
        check(&lowered.unwrap())?;
    }

    #[test]
    fn mangled_documents_never_panic(text in document(), from in 0..2000usize, with in "[a-z0-9:{}\\[\\], \\-']{0,4}", cut in 0..12usize) {
        let (from, to) = (from.min(text.len()), (from + cut).min(text.len()));
        let mangled = format!("{}{with}{}", &text[..from], &text[to..]);
        if let Ok(lowered) = lower(&mangled) {
            check(&lowered)?;
        }
    }
}

#[test]
fn a_long_chain_is_whole() {
    let lowered =
        lower("links: [{endpoints: ['n[0-9999]:r', 'n[1-10000]:l'], pairs: zip, subnet: 10.0.0.0/16}]").unwrap();
    assert_eq!(lowered.desired.count_links(), 20_000);
    assert_eq!(lowered.nodes.len(), 10_001);
    let last = lowered.desired.link(&"n10000:l".parse().unwrap()).unwrap();
    assert_eq!(last.addresses[0].net.to_string(), "10.0.78.31/31");
    assert!(
        lower("links: [{endpoints: ['n[0-999]:r{b}', 'm[0-999]:l{a}']}]")
            .unwrap_err()
            .contains("more than 100000 links")
    );
}
