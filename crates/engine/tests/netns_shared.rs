//! Namespaces that exist without us, with others in them, and what others do in namespaces of ours: what is theirs stays
//! as it is, and what is ours is known again. Deliberately not here: what becomes of a step that fails.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{Machine, settled_dump, state};
use wireloom_engine::{Conflict, Failure, LinkKind, Mark, Scope, State, observe};
use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh, sh_in};

/// A router of `owner` behind interface `ethN` of a namespace that is there already: an address on that one's lo, one on
/// the link, a route to what is behind.
fn behind_shop(owner: &str, n: u8) -> String {
    let yaml = "
owner: OWNER
namespaces:
  shop:
    source: {named: shop}
    links:
      lo: {kind: loopback, addresses: [{net: 10.9.9.N/32}]}
      ethN:
        kind: {veth: {peer: 'r:eth1'}}
        mac: c2:00:00:00:0N:01
        up: true
        group: GROUP
        alias: wireloom:OWNER/shop:ethN
        addresses: [{net: 10.0.N.1/24}]
    routes:
      - {destination: 10.8.N.0/24, hops: [{via: 10.0.N.2}]}
      - {destination: 10.7.N.0/24, nexthop: N}
    rules: [{priority: 10N, from: 10.6.N.0/24, action: {lookup: 10N}}]
    neighbours: [{dev: ethN, entry: {lladdr: {address: 10.0.N.9, lladdr: 'c2:00:00:00:0N:09'}}}]
    nexthops: [{id: N, to: {via: {via: 10.0.N.2, dev: ethN}}}]
  r:
    source: {named: OWNER.r}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:OWNER/r', addresses: [{net: 10.8.N.1/32}]}
      eth1:
        kind: {veth: {peer: 'shop:ethN'}}
        mac: c2:00:00:00:0N:02
        up: true
        group: GROUP
        alias: wireloom:OWNER/r:eth1
        addresses: [{net: 10.0.N.2/24}]
";
    yaml.replace("OWNER", owner).replace('N', &n.to_string())
}

/// That namespace of others, with something in it.
fn open_shop() {
    sh("ip netns add shop; ip -n shop link set lo up
        ip -n shop link add till type veth peer name drawer; ip -n shop link set till up; ip -n shop link set drawer up
        ip -n shop addr add 192.0.2.1/24 dev till; ip -n shop route add 198.51.100.0/24 via 192.0.2.9
        ip -n shop rule add pref 200 lookup 8; ip -n shop nexthop add id 77 blackhole
        ip -n shop neigh add 192.0.2.7 lladdr c2:00:00:00:00:77 dev till");
}

/// Nothing that `other` does touches `one`, who is up, nor what is nobody's.
fn leaves_alone(other: &State, changed: &State, one: &State) {
    sandbox(|| {
        open_shop();
        let empty = settled_dump(&["shop"]);
        let (mut first, mut second) = (Machine::new(), Machine::new());
        first.up(one).unwrap();
        let dump = || settled_dump(&["shop", &one.owner.netns_of("r")]);
        let alone = dump();
        for desired in [other, changed] {
            second.up(desired).unwrap();
            assert_eq!(first.up(one).unwrap().plan.steps, []);
            assert_eq!(second.plan(desired).steps, []);
        }
        second.down(other);
        assert_same_dump(&alone, &dump());
        assert_eq!(first.plan(one).steps, []);
        first.down(one);
        assert_same_dump(&empty, &settled_dump(&["shop"]));
    });
}

#[test]
fn two_topologies_in_one_namespace_leave_each_other_alone() {
    let (a, b) = (behind_shop("a", 1), behind_shop("b", 2));
    let elsewhere = |yaml: &str, n: &str| {
        let moved = yaml.replace(&format!("10.9.9.{n}/"), "10.9.9.7/").replace(&format!("10.0.{n}.1/"), "10.0.7.1/");
        state(
            &moved
                .replace(&format!("10.8.{n}.0/"), "10.8.7.0/")
                .replace(&format!("10.0.{n}.2/"), "10.0.7.2/")
                .replace(&format!("via: 10.0.{n}.2"), "via: 10.0.7.2"),
        )
    };
    leaves_alone(&state(&b), &elsewhere(&b, "2"), &state(&a));
    leaves_alone(&state(&a), &elsewhere(&a, "1"), &state(&b));
}

/// Addresses and routes do not say whose they are: without the ledger they may be another's.
#[test]
fn what_no_ledger_knows_is_left_alone_in_a_namespace_of_others() {
    sandbox(|| {
        open_shop();
        let desired = state(&behind_shop("a", 1));
        Machine::new().up(&desired).unwrap();
        let smaller = behind_shop("a", 1).replace(", addresses: [{net: 10.9.9.1/32}]", "");
        let smaller = state(&smaller.replace("10.8.1.0/24", "10.8.3.0/24"));
        Machine::new().up(&smaller).unwrap();
        assert!(sh_in("shop", "ip addr show lo").contains("10.9.9.1/32"));
        let routes = sh_in("shop", "ip route");
        assert!(routes.contains("10.8.1.0/24") && routes.contains("10.8.3.0/24"), "{routes}");
    });
}

#[test]
fn a_link_in_our_group_without_mark_is_ours_only_where_the_ledger_names_it() {
    sandbox(|| {
        open_shop();
        let desired = state(&behind_shop("a", 1));
        let group = desired.owner.group();
        sh(&format!("ip -n shop link set till group {group}"));
        let mut machine = Machine::new();
        machine.up(&desired).unwrap();
        machine.down(&desired);
        assert!(sh_in("shop", "ip link").contains("till@drawer"));
    });
}

/// A node with nothing in it.
const LONE: &str = "
owner: lone
namespaces:
  r:
    source: {named: lone.r}
    own: true
    links: {lo: {kind: loopback, up: true, alias: 'wireloom:lone/r'}}
";

#[test]
fn a_namespace_without_its_mark_is_known_by_its_identity() {
    sandbox(|| {
        let before = host_dump();
        let mut machine = Machine::new();
        machine.up(&state(LONE)).unwrap();
        sh("ip -n lone.r link set lo alias ''");
        assert_eq!(machine.plan(&state(LONE)).steps.len(), 1, "the mark");
        machine.up(&state(LONE)).unwrap();
        assert!(sh("ip -n lone.r link show lo").contains("wireloom:lone/r"));
        sh("ip -n lone.r link set lo alias ''");
        machine.down(&state(LONE));
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_namespace_of_the_same_name_is_not_taken_over() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&state(LONE)).unwrap();
        for alias in ["", "somebody's", "wireloom:lone/s", "wireloom:ring/r"] {
            sh("ip netns del lone.r; ip netns add lone.r");
            sh(&format!("ip -n lone.r link set lo alias \"{alias}\""));
            let foreign = host_dump();
            let failure = machine.up(&state(LONE)).unwrap_err();
            let Failure::Conflicts(conflicts) = &failure else { panic!("{alias}: {failure}") };
            assert!(matches!(conflicts[..], [Conflict::ForeignNetns { .. }]), "{alias}: {failure}");
            let mut stranger = Machine::new();
            stranger.down(&state(LONE));
            assert_same_dump(&foreign, &host_dump());
        }
        machine.down(&state(LONE));
        assert!(sh("ip netns").contains("lone.r"));
    });
}

/// What an interrupted run was making may lack its mark; what it can have made has nothing in it but links of our group.
#[test]
fn a_claimed_namespace_is_ours_when_nothing_of_others_is_in_it() {
    sandbox(|| {
        let lone = state(LONE);
        let group = lone.owner.group();
        let mut scope = Scope::new(&lone.owner);
        scope.claim(&lone);
        let own = || observe(&scope).unwrap().namespaces.values().next().unwrap().own;
        sh("ip netns add lone.r");
        assert!(own(), "empty");
        sh(&format!("ip -n lone.r link add v0 group {group} type veth peer name v1"));
        assert!(!own(), "v1 is in no group");
        sh(&format!("ip -n lone.r link set v1 group {group}"));
        assert!(own(), "all in our group");
        let mut known = Scope::new(&lone.owner);
        known.remember(&lone);
        assert!(!observe(&known).unwrap().namespaces.values().next().unwrap().own, "not claimed");
    });
}

#[test]
fn only_namespaces_with_their_own_mark_are_discovered() {
    sandbox(|| {
        let lone = state(LONE);
        let mark = |label: &str| Mark::netns(&lone.owner, &label.parse().unwrap()).to_string();
        for (name, alias) in [("r", mark("r")), ("s", String::new()), ("u", mark("r")), ("v", "lone".into())] {
            sh(&format!("ip netns add lone.{name}; ip -n lone.{name} link set lo alias '{alias}'"));
        }
        let mut scope = Scope::new(&lone.owner);
        scope.discover().unwrap();
        let found = observe(&scope).unwrap().namespaces;
        assert_eq!(found.keys().map(|label| label.as_str()).collect::<Vec<_>>(), ["r"]);
    });
}

/// Two nodes with a cable, and a third one where a process is at work.
const THREE: &str = "
owner: t
namespaces:
  r1:
    source: {named: t.r1}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:t/r1'}
      eth1: {kind: {veth: {peer: 'r2:eth1'}}, up: true, group: GROUP, alias: 'wireloom:t/r1:eth1', addresses: [{net: 10.0.0.1/24}]}
  r2:
    source: {named: t.r2}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:t/r2'}
      eth1: {kind: {veth: {peer: 'r1:eth1'}}, up: true, group: GROUP, alias: 'wireloom:t/r2:eth1', addresses: [{net: 10.0.0.2/24}]}
  r3:
    source: {named: t.r3}
    own: true
    links: {lo: {kind: loopback, up: true, alias: 'wireloom:t/r3'}}
  r4:
    source: {named: t.r4}
    own: true
    links: {lo: {kind: loopback, up: true, alias: 'wireloom:t/r4'}}
";

/// The number of a link.
fn index(netns: &str, link: &str) -> String {
    wireloom_testkit::ip_in(netns, &format!("link show {link}"))[0]["ifindex"].to_string()
}

#[test]
fn pairs_of_others_with_the_numbers_of_ours_hide_nothing() {
    sandbox(|| {
        let desired = state(THREE);
        let mut machine = Machine::new();
        machine.up(&desired).unwrap();
        let (one, two) = (index("t.r1", "eth1"), index("t.r2", "eth1"));
        sh(&format!(
            "ip -n t.r3 link add in1 index {one} type veth peer name in2 index {two}
             ip -n t.r4 link add out1 index {one} type veth peer name out2 index {two} netns t.r1
             ip -n t.r1 link add same index 77 type veth peer name same index 77 netns t.r2
             ip -n t.r1 link add x index 88 type veth peer name y index 89
             ip -n t.r2 link add x index 88 type veth peer name y index 89"
        ));
        let plan = machine.plan(&desired);
        assert_eq!(plan.steps, []);
        let observed = observe(&machine.scope(&desired)).unwrap();
        let pairs = [("r1:eth1", "r2:eth1"), ("r3:in1", "r3:in2"), ("r4:out1", "r1:out2"), ("r1:same", "r2:same")];
        for (at, peer) in pairs.into_iter().chain([("r1:x", "r1:y"), ("r2:x", "r2:y")]) {
            for (at, peer) in [(at, peer), (peer, at)] {
                let LinkKind::Veth(veth) = &observed.link(&at.parse().unwrap()).unwrap().kind else { panic!("{at}") };
                assert_eq!(veth.peer, Some(peer.parse().unwrap()), "{at}");
            }
        }
        machine.up(&desired).unwrap();
        sh_in("t.r1", "ping -c1 -w10 10.0.0.2");
    });
}

#[test]
fn the_highest_number_of_all_stops_nobody() {
    sandbox(|| {
        let mut machine = Machine::new();
        let alone = THREE.replace("eth1", "eth0");
        machine.up(&state(&alone)).unwrap();
        sh("ip -n t.r1 link add last index 2147483647 type veth peer name first");
        machine.up(&state(THREE)).unwrap();
        sh_in("t.r1", "ping -c1 -w10 10.0.0.2");
    });
}

#[test]
fn an_interface_of_others_at_either_end_is_a_conflict() {
    for (netns, link) in [("t.r1", "r1:eth1"), ("t.r2", "r2:eth1")] {
        sandbox(|| {
            let mut machine = Machine::new();
            machine.up(&state(&THREE.replace("eth1", "eth0"))).unwrap();
            sh(&format!("ip -n {netns} link add eth1 type veth peer name theirs"));
            let dump = || settled_dump(&["t.r1", "t.r2"]);
            let (before, begun) = (dump(), machine.notes.begun);
            let failure = machine.up(&state(THREE)).unwrap_err();
            let Failure::Conflicts(conflicts) = &failure else { panic!("{failure}") };
            assert!(
                matches!(&conflicts[..], [Conflict::ForeignLink { at, .. }] if at.to_string() == link),
                "{conflicts:?}"
            );
            assert_eq!(machine.notes.begun, begun, "nothing was begun");
            assert_same_dump(&before, &dump());
        });
    }
}

#[test]
fn a_link_with_an_alias_in_another_encoding_is_seen() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&state(THREE)).unwrap();
        sh("ip -n t.r3 link add v0 type veth peer name v1; ip -n t.r3 link set v0 alias \"$(printf '\\377\\376')\"");
        assert_eq!(machine.plan(&state(THREE)).left_alone.len(), 2, "v0 and v1");
        machine.down(&state(THREE));
    });
}
