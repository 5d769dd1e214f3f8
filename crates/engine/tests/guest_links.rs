//! Links on others and tunnels that many kernels lack, made by the engine in the guest's kernel: each carries a packet, is
//! read back with `ip`, changes in place where it can, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{Machine, state};
use serde_json::Value;
use wireloom_engine::{State, Step};
use wireloom_testkit::{assert_same_dump, host_dump, ip_in, needs, sandbox, sh_in};

/// A cable between a and b, and a third node c: the lines A, B and C become links.
const THREE: &str = "
owner: pair
namespaces:
  a:
    source: {named: pair.a}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/a'}
      eth1:
        kind: {veth: {peer: 'b:eth1'}}
        mac: c2:00:00:00:00:01
        mtu: 1600
        up: true
        group: GROUP
        alias: wireloom:pair/a:eth1
        addresses: [{net: 10.0.0.1/24}, {net: 'fd00::1/64', nodad: true}]
      A
    sysctls: {net.ipv4.ip_forward: '1'}
  b:
    source: {named: pair.b}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/b'}
      eth1:
        kind: {veth: {peer: 'a:eth1'}}
        mac: c2:00:00:00:00:02
        mtu: 1600
        up: true
        group: GROUP
        alias: wireloom:pair/b:eth1
        addresses: [{net: 10.0.0.2/24}, {net: 'fd00::2/64', nodad: true}]
      B
    routes: [{destination: 10.3.0.2/32, hops: [{via: 10.0.0.1}]}]
  c:
    source: {named: pair.c}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/c'}
      C
    ROUTES
";

fn three(a: &str, b: &str, c: &str, routes: &str) -> State {
    let lines = [("      A\n", a), ("      B\n", b), ("      C\n", c), ("    ROUTES\n", routes)];
    let fill = |yaml: String, (place, line): (&str, &str)| {
        let indent = place.len() - place.trim_start().len();
        let line = if line.is_empty() { String::new() } else { format!("{:indent$}{line}\n", "") };
        yaml.replacen(place, &line, 1)
    };
    state(&lines.into_iter().fold(THREE.to_owned(), fill))
}

/// A link in one line.
fn link(node: &str, name: &str, kind: &str, nets: &[&str]) -> String {
    let mark = format!("alias: 'wireloom:pair/{node}:{name}', group: GROUP");
    let nets: Vec<_> = nets.iter().map(|net| format!("{{net: '{net}', nodad: {}}}", net.contains(':'))).collect();
    format!("{name}: {{kind: {kind}, up: true, {mark}, addresses: [{}]}}", nets.join(", "))
}

/// Up, `look`, and down to the machine before; nothing is to be done in between.
fn lives(desired: &State, look: impl FnOnce(&mut Machine)) {
    let before = host_dump();
    let mut machine = Machine::new();
    machine.up(desired).unwrap();
    assert!(machine.plan(desired).is_empty(), "{:#?}", machine.plan(desired).steps);
    look(&mut machine);
    machine.down(desired);
    assert_same_dump(&before, &host_dump());
}

/// Changes to `desired`; what was made anew, with the reasons.
fn changes(machine: &mut Machine, desired: &State) -> Vec<String> {
    let plan = machine.up(desired).unwrap().plan;
    let in_place = plan.steps.iter().any(|step| matches!(step, Step::SetLink { .. }));
    assert!(in_place || !plan.replaced.is_empty(), "{:#?}", plan.steps);
    assert!(machine.plan(desired).is_empty(), "{:#?}", machine.plan(desired).steps);
    plan.replaced.into_values().collect()
}

fn info(node: &str, name: &str) -> Value {
    ip_in(&format!("pair.{node}"), &format!("link show {name}"))[0]["linkinfo"].clone()
}

fn answers(from: &str, to: &str) {
    sh_in(&format!("pair.{from}"), &format!("ping -c 1 -W 20 {to}"));
}

#[test]
fn an_ipvlan_shares_the_address_of_its_parent_in_another_node() {
    needs!("ipvlan", "ipvtap");
    for kind in ["ipvlan", "ipvtap"] {
        sandbox(|| {
            let over = |mode: &str, net: &str, routes: &str| {
                let kind = format!("{{{kind}: {{parent: 'a:eth1', mode: {mode}}}}}");
                three("", "", &link("c", "iv0", &kind, &[net]), routes)
            };
            lives(&over("l2", "10.0.0.3/24", ""), |_| {
                answers("c", "10.0.0.2");
                let info = info("c", "iv0");
                assert_eq!((&info["info_kind"], &info["info_data"]["mode"]), (&kind.into(), &"l2".into()));
            });
            let routes = "routes: [{destination: 0.0.0.0/0, hops: [{dev: iv0}]}]";
            lives(&over("l3", "10.3.0.2/32", routes), |machine| {
                answers("b", "10.3.0.2");
                assert!(changes(machine, &over("l3s", "10.3.0.2/32", routes)).is_empty(), "a mode changes in place");
                answers("b", "10.3.0.2");
                assert_eq!(info("c", "iv0")["info_data"]["mode"], "l3s");
            });
        });
    }
}

#[test]
fn private_ipvlans_do_not_talk_and_others_do() {
    needs!("ipvlan");
    sandbox(|| {
        let over = |flag: &str| {
            let kind = format!("{{ipvlan: {{parent: 'a:eth1', flag: {flag}}}}}");
            let (first, second) =
                (link("c", "iv0", &kind, &["10.0.0.3/24"]), link("b", "iv1", &kind, &["10.9.0.4/32"]));
            three("", &second, &first, "routes: [{destination: 10.9.0.4/32, hops: [{dev: iv0}]}]")
        };
        let back = "ip route add 10.0.0.3/32 dev iv1 src 10.9.0.4; ";
        lives(&over("bridge"), |machine| {
            sh_in("pair.b", back);
            answers("c", "10.9.0.4");
            assert!(changes(machine, &over("private")).is_empty(), "a flag changes in place");
            sh_in("pair.c", "! ping -c 1 -W 1 10.9.0.4");
            assert_eq!(info("c", "iv0")["info_data"]["private"], true, "{}", info("c", "iv0"));
        });
    });
}

#[test]
fn a_macvtap_has_an_address_of_its_own() {
    needs!("macvtap");
    sandbox(|| {
        let over = |mode: &str| {
            let kind = format!("{{macvtap: {{parent: 'a:eth1', mode: {mode}}}}}");
            three("", "", &link("c", "mt0", &kind, &["10.0.0.3/24"]), "")
        };
        lives(&over("bridge"), |machine| {
            answers("c", "10.0.0.2");
            assert!(changes(machine, &over("vepa")).is_empty(), "a mode changes in place");
            answers("c", "10.0.0.2");
            let info = info("c", "mt0");
            assert_eq!((&info["info_kind"], &info["info_data"]["mode"]), (&"macvtap".into(), &"vepa".into()));
        });
    });
}

/// Both ends of a tunnel over the cable; KEYS stands for what is said at both. Over IPv6 with the source address, without
/// which ip6_tnl_xmit_ctl sends nothing.
fn tunnel(kind: &str, v6: bool, keys: &str, nets: [&[&str]; 2]) -> State {
    let (here, there) = if v6 { ("fd00::1", "fd00::2") } else { ("10.0.0.1", "10.0.0.2") };
    let end = |node: &str, local: &str, remote: &str, nets: &[&str]| {
        let local = if v6 && kind.contains("ip-tunnel") { format!("local: '{local}', ") } else { String::new() };
        let keys = format!("remote: '{remote}', {local}{}", keys.replace("NODE", node));
        link(node, "t0", &kind.replace("KEYS", &keys), nets)
    };
    three(&end("a", here, there, nets[0]), &end("b", there, here, nets[1]), "", "")
}

#[test]
fn a_geneve_carries_frames_over_both_versions() {
    needs!("geneve");
    for v6 in [false, true] {
        sandbox(|| {
            let geneve = |keys: &str| {
                let kind = "{geneve: {KEYS}}";
                tunnel(kind, v6, keys, [&["10.5.0.1/24", "fd05::1/64"], &["10.5.0.2/24", "fd05::2/64"]])
            };
            lives(&geneve("vni: 5, ttl: 9"), |machine| {
                answers("a", "10.5.0.2");
                answers("a", "fd05::2");
                assert!(changes(machine, &geneve("vni: 5, ttl: 11")).is_empty(), "hops change in place");
                assert_eq!(info("a", "t0")["info_data"]["ttl"], 11);
                let reasons = changes(machine, &geneve("vni: 6, ttl: 11, port: 6082"));
                assert_eq!(reasons, ["vni 5 -> 6", "vni 5 -> 6"]);
                answers("a", "10.5.0.2");
                assert_eq!(info("b", "t0")["info_data"]["port"], 6082);
            });
        });
    }
}

#[test]
fn a_geneve_leaves_by_the_routes_of_another_node() {
    needs!("geneve");
    sandbox(|| {
        let end = |node: &str, remote: &str, underlay: &str, net: &str| {
            let kind = format!("{{geneve: {{vni: 5, remote: {remote}, underlay: {underlay}}}}}");
            link(node, "t0", &kind, &[net])
        };
        let b = end("b", "10.0.0.1", "b", "10.5.0.2/24");
        lives(&three("", &b, &end("c", "10.0.0.2", "a", "10.5.0.1/24"), ""), |_| answers("c", "10.5.0.2"));
    });
}

#[test]
fn tunnels_over_ip_carry_what_they_are_for() {
    let (v4, v6): ([&[&str]; 2], [&[&str]; 2]) =
        ([&["10.5.0.1/24"], &["10.5.0.2/24"]], [&["fd05::1/64"], &["fd05::2/64"]]);
    for (form, probe, outer_v6, nets, to) in [
        ("gre", "gre", false, v4, "10.5.0.2"),
        ("gretap", "gretap", false, v6, "fd05::2"),
        ("ipip", "ipip", false, v4, "10.5.0.2"),
        ("sit", "sit", false, v6, "fd05::2"),
        ("ip6gre", "gre", true, v4, "10.5.0.2"),
        ("ip6gretap", "gre", true, v4, "10.5.0.2"),
        ("ip6tnl", "ipip", true, v4, "10.5.0.2"),
    ] {
        needs!(probe);
        sandbox(|| {
            let kind = format!("{{ip-tunnel: {{form: {form}, KEYS}}}}");
            let with = |keys: &str| tunnel(&kind, outer_v6, keys, nets);
            lives(&with("ttl: 33"), |machine| {
                answers("a", to);
                assert_eq!(info("a", "t0")["info_kind"], form);
                assert!(changes(machine, &with("ttl: 44")).is_empty(), "{form}: hops change in place");
                answers("a", to);
                let by = with("ttl: 44, dev: 'NODE:eth1'");
                assert_eq!(changes(machine, &by).len(), 2, "{form}: another link below takes another tunnel");
                answers("a", to);
            });
        });
    }
}

#[test]
fn keys_tell_gre_tunnels_apart() {
    needs!("gre");
    for (form, v6) in [("gre", false), ("ip6gre", true)] {
        sandbox(|| {
            let with = |key: u32| {
                let kind = format!("{{ip-tunnel: {{form: {form}, KEYS}}}}");
                tunnel(&kind, v6, &format!("key: {key}"), [&["10.5.0.1/24"], &["10.5.0.2/24"]])
            };
            lives(&with(7), |machine| {
                answers("a", "10.5.0.2");
                assert_eq!(info("a", "t0")["info_data"]["ikey"], "0.0.0.7");
                assert_eq!(changes(machine, &with(8)), ["key 7 -> 8", "key 7 -> 8"]);
                answers("a", "10.5.0.2");
            });
        });
    }
}

#[test]
fn a_netkit_joins_two_nodes_like_a_cable() {
    needs!("netkit");
    for mode in ["l3", "l2"] {
        sandbox(|| {
            let pair = |policy: &str| {
                let end = |node: &str, other: &str, policy: &str, net: &str| {
                    let kind = format!("{{netkit: {{peer: '{other}:nk0', mode: {mode}, policy: {policy}}}}}");
                    link(node, "nk0", &kind, &[net])
                };
                let (a, b) = (end("a", "b", policy, "10.6.0.1/24"), end("b", "a", "forward", "10.6.0.2/24"));
                three(&a, &b, "", "")
            };
            lives(&pair("forward"), |machine| {
                answers("a", "10.6.0.2");
                assert_eq!(info("a", "nk0")["info_kind"], "netkit");
                let reasons = changes(machine, &pair("blackhole"));
                assert!(reasons.contains(&"policy forward -> blackhole".to_owned()), "{reasons:?}");
                sh_in("pair.a", "! ping -c 1 -W 1 10.6.0.2");
            });
        });
    }
}
