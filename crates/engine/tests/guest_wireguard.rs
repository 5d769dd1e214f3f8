//! wireguard in the guest's kernel: keys that nobody wrote down, peers that are named by their links, packets that cross.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{Machine, state};
use wireloom_engine::{LinkKind, State, Step};
use wireloom_testkit::{assert_same_dump, host_dump, needs, sandbox, sh, sh_in};

/// Two nodes with a cable, and a tunnel through it whose ends name each other.
const PAIR: &str = "
owner: pair
namespaces:
  a:
    source: {named: pair.a}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/a'}
      eth1: {kind: {veth: {peer: 'b:eth1'}}, mtu: 1500, up: true, group: GROUP, alias: 'wireloom:pair/a:eth1', addresses: [{net: 192.0.2.1/24}]}
      wg0:
        kind: {wireguard: {port: 51820, peers: [{key: {of: 'b:wg0'}, endpoint: '192.0.2.2:51820', allowed: [10.0.0.2/32]}]}}
        mtu: 1420
        up: true
        group: GROUP
        alias: wireloom:pair/a:wg0
        addresses: [{net: 10.0.0.1/24}]
  b:
    source: {named: pair.b}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/b'}
      eth1: {kind: {veth: {peer: 'a:eth1'}}, mtu: 1500, up: true, group: GROUP, alias: 'wireloom:pair/b:eth1', addresses: [{net: 192.0.2.2/24}]}
      wg0:
        kind: {wireguard: {port: 51820, peers: [{key: {of: 'a:wg0'}, keepalive_s: 25, allowed: [10.0.0.1/32]}]}}
        mtu: 1420
        up: true
        group: GROUP
        alias: wireloom:pair/b:wg0
        addresses: [{net: 10.0.0.2/24}]
";

fn ping() {
    sh_in("pair.a", "ping -c 1 -W 20 10.0.0.2");
}

fn keys(machine: &mut Machine, desired: &State) -> Vec<String> {
    let observed = wireloom_engine::observe(&machine.scope(desired)).unwrap();
    let links = observed.namespaces.values().flat_map(|netns| netns.links.values());
    let key = |kind: &LinkKind| match kind {
        LinkKind::Wireguard(wireguard) => wireguard.public_key.map(|key| key.to_string()),
        _ => None,
    };
    links.filter_map(|link| key(&link.kind)).collect()
}

#[test]
fn ends_that_name_each_other_talk_and_find_each_other_again() {
    needs!("wireguard");
    sandbox(|| {
        let before = host_dump();
        let desired = state(PAIR);
        let mut machine = Machine::new();
        machine.up(&desired).unwrap();
        assert!(machine.plan(&desired).is_empty(), "{:#?}", machine.plan(&desired).steps);
        ping();
        let first = keys(&mut machine, &desired);
        assert!(first.len() == 2 && first[0] != first[1], "{first:?}");
        // The peer's key goes with the link: the other end learns the new one.
        sh("ip -n pair.b link del wg0");
        machine.up(&desired).unwrap();
        assert!(machine.plan(&desired).is_empty(), "{:#?}", machine.plan(&desired).steps);
        ping();
        let second = keys(&mut machine, &desired);
        assert!(second[0] == first[0] && second[1] != first[1], "{first:?} {second:?}");
        let alone =
            state(&PAIR.replace("[{key: {of: 'b:wg0'}, endpoint: '192.0.2.2:51820', allowed: [10.0.0.2/32]}]", "[]"));
        let steps = machine.plan(&alone).steps;
        assert!(matches!(steps.as_slice(), [Step::SetLink { .. }]), "{steps:#?}");
        machine.up(&alone).unwrap();
        assert_eq!(keys(&mut machine, &desired), second, "a change of peers keeps the key");
        machine.up(&desired).unwrap();
        ping();
        machine.down(&desired);
        assert_same_dump(&before, &host_dump());
    });
}
