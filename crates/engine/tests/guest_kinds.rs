//! Kinds that many kernels lack, made by the engine in the guest's kernel: each carries a packet, is read back with `ip`
//! and `tc`, changes in place where it can, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{lives, state};
use serde_json::{Value, json};
use wireloom_engine::{State, Step};
use wireloom_testkit::{ip_in, needs, sandbox, sh, sh_in};

/// Two nodes and a cable, with room for more: the lines MORE, A and B are replaced.
const PAIR: &str = "
owner: pair
namespaces:
  host: {source: current}
  a:
    source: {named: pair.a}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/a'}
      eth1:
        kind: {veth: {peer: 'b:eth1'}}
        mac: c2:00:00:00:00:01
        mtu: 1500
        up: true
        group: GROUP
        alias: wireloom:pair/a:eth1
        addresses: [{net: 10.0.0.1/24}]
        MORE
      A
  b:
    source: {named: pair.b}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/b'}
      eth1:
        kind: {veth: {peer: 'a:eth1'}}
        mac: c2:00:00:00:00:02
        mtu: 1500
        up: true
        group: GROUP
        alias: wireloom:pair/b:eth1
        addresses: [{net: 10.0.0.2/24}]
      B
    routes: [{destination: 192.0.2.1/32, hops: [{via: 10.0.0.1}]}]
";

/// A cable from the host to a namespace that others made.
const OFFICE: &str = "
    ip netns add office; ip link add uplink type veth peer name far netns office
    ip link set uplink addrgenmode none; ip link set uplink up; ip addr add 192.0.2.1/24 dev uplink
    ip -n office link set far addrgenmode none; ip -n office link set far up; ip -n office addr add 192.0.2.2/24 dev far
";

/// The pair with more settings of a's end, and another link in each node.
fn pair(more: &str, a: &str, b: &str) -> State {
    let parts = [("        MORE\n", more, 8), ("      A\n", a, 6), ("      B\n", b, 6)];
    let fill = |yaml: String, (place, part, indent): (&str, &str, usize)| {
        let line = if part.is_empty() { String::new() } else { format!("{:indent$}{part}\n", "") };
        yaml.replacen(place, &line, 1)
    };
    state(&parts.into_iter().fold(PAIR.to_owned(), fill))
}

/// A link in one line.
fn link(node: &str, name: &str, kind: &str, net: &str) -> String {
    let mark = format!("alias: 'wireloom:pair/{node}:{name}', group: GROUP");
    format!("{name}: {{kind: {kind}, up: true, {mark}, addresses: [{{net: {net}}}]}}")
}

/// Round trips of some pings from a to b, in milliseconds.
fn round_trips(options: &str) -> Vec<f64> {
    let reply = sh_in("pair.a", &format!("ping -c 2 -W 20 {options} 10.0.0.2"));
    let times = reply.split("time=").skip(1).filter_map(|rest| rest.split(' ').next()?.parse().ok());
    let times: Vec<f64> = times.collect();
    assert_eq!(times.len(), 2, "{reply}");
    times
}

fn root_qdisc() -> Value {
    let qdiscs: Value = serde_json::from_str(&sh_in("pair.a", "tc -j qdisc show dev eth1")).unwrap();
    qdiscs[0].clone()
}

#[test]
fn a_vlan_carries_its_tag_over_a_cable_between_nodes() {
    needs!("vlan");
    for (protocol, word) in [("802.1q", "802.1Q"), ("802.1ad", "802.1ad")] {
        sandbox(|| {
            let vlan = |node: &str, net: &str| {
                let kind = format!("{{vlan: {{parent: '{node}:eth1', vid: 7, protocol: {protocol}}}}}");
                link(node, "eth1.7", &kind, net)
            };
            lives(&pair("", &vlan("a", "10.7.0.1/24"), &vlan("b", "10.7.0.2/24")), |_| {
                sh_in("pair.a", "ping -c 1 -W 20 10.7.0.2");
                let info = ip_in("pair.b", "link show eth1.7")[0]["linkinfo"].clone();
                assert_eq!(info["info_kind"], "vlan");
                assert_eq!((&info["info_data"]["id"], &info["info_data"]["protocol"]), (&json!(7), &json!(word)));
            });
        });
    }
}

#[test]
fn a_vlan_stands_on_an_interface_of_the_host() {
    needs!("vlan");
    sandbox(|| {
        sh("ip link add uplink type veth peer name far
            for link in uplink far; do ip link set $link addrgenmode none; ip link set $link up; done
            ip link add link far name far.9 type vlan id 9
            ip link set far.9 addrgenmode none; ip link set far.9 up; ip addr add 10.9.0.1/24 dev far.9");
        let vlan =
            |vid: u16| link("a", "wan", &format!("{{vlan: {{parent: 'host:uplink', vid: {vid}}}}}"), "10.9.0.2/24");
        lives(&pair("", &vlan(8), ""), |machine| {
            sh_in("pair.a", "! ping -c 1 -W 1 10.9.0.1");
            let plan = machine.up(&pair("", &vlan(9), "")).unwrap().plan;
            let reasons: Vec<_> = plan.replaced.values().map(String::as_str).collect();
            assert_eq!(reasons, ["id 8 -> 9"], "another tag takes another link");
            sh_in("pair.a", "ping -c 1 -W 20 10.9.0.1");
            assert_eq!(ip_in("pair.a", "link show wan")[0]["linkinfo"]["info_data"]["id"], 9);
        });
    });
}

#[test]
fn links_on_others_stand_on_an_interface_of_the_host() {
    needs!("macvlan", "macvtap", "ipvlan", "ipvtap");
    for kind in ["macvlan", "macvtap", "ipvlan", "ipvtap"] {
        sandbox(|| {
            sh(OFFICE);
            let over = format!("{{{kind}: {{parent: 'host:uplink'}}}}");
            lives(&pair("", &link("a", "wan", &over, "192.0.2.3/24"), ""), |_| {
                sh_in("pair.a", "ping -c 1 -W 20 192.0.2.2");
                assert_eq!(ip_in("pair.a", "link show wan")[0]["linkinfo"]["info_kind"], kind);
            });
        });
    }
}

#[test]
fn a_geneve_leaves_by_the_routes_of_the_host() {
    needs!("geneve");
    sandbox(|| {
        sh(OFFICE);
        sh("ip -n office link add gnv type geneve id 7 remote 192.0.2.1
            ip -n office link set gnv addrgenmode none; ip -n office link set gnv up
            ip -n office addr add 10.9.0.1/24 dev gnv");
        let geneve = |underlay: &str| {
            let kind = format!("{{geneve: {{vni: 7, remote: 192.0.2.2, underlay: {underlay}}}}}");
            pair("", &link("a", "wan", &kind, "10.9.0.2/24"), "")
        };
        lives(&geneve("host"), |_| {
            sh_in("pair.a", "ping -c 1 -W 20 10.9.0.1");
        });
        // The node itself has no way there.
        lives(&geneve("a"), |_| {
            sh_in("pair.a", "! ping -c 1 -W 1 10.9.0.1");
        });
    });
}

#[test]
fn a_dummy_holds_an_address_that_answers() {
    needs!("dummy");
    sandbox(|| {
        lives(&pair("", &link("a", "d0", "{dummy: {}}", "192.0.2.1/32"), ""), |_| {
            sh_in("pair.b", "ping -c 1 -W 20 192.0.2.1");
            assert_eq!(ip_in("pair.a", "link show d0")[0]["linkinfo"]["info_kind"], "dummy");
        });
    });
}

#[test]
fn netem_delays_loses_and_changes_in_place() {
    needs!("netem");
    sandbox(|| {
        let netem = |options: &str| pair(&format!("qdisc: {{netem: {{{options}}}}}"), "", "");
        let delayed = netem("delay_us: 200000, jitter_us: 1000, loss: 0");
        lives(&delayed, |machine| {
            // The jitter is a spread to both sides.
            assert!(round_trips("").iter().all(|time| *time >= 199.0));
            let found = root_qdisc();
            assert_eq!((&found["kind"], &found["options"]["delay"]["delay"]), (&json!("netem"), &json!(0.2)));
            let index = ip_in("pair.a", "link show eth1")[0]["ifindex"].clone();
            let lost = machine.up(&netem("loss: 1000000")).unwrap();
            assert!(matches!(lost.plan.steps[..], [Step::SetQdisc { .. }]), "{:?}", lost.plan.steps);
            sh_in("pair.a", "! ping -c 3 -i 0.2 -W 1 10.0.0.2");
            assert_eq!(root_qdisc()["options"]["loss-random"]["loss"], 1.0);
            assert_eq!((&root_qdisc()["handle"], &found["handle"]), (&json!("5757:"), &json!("5757:")));
            machine.up(&pair("", "", "")).unwrap();
            assert_ne!(root_qdisc()["kind"], "netem");
            round_trips("");
            assert_eq!(ip_in("pair.a", "link show eth1")[0]["ifindex"], index, "the link was not touched");
        });
    });
}

#[test]
fn netem_with_a_rate_takes_its_time_for_each_byte() {
    needs!("netem", "tbf");
    sandbox(|| {
        let netem = "qdisc: {netem: {delay_us: 10000, rate_bit: 80000, limit: 50, duplicate: 2500, corrupt: 0}}";
        lives(&pair(netem, "", ""), |machine| {
            // 1000 bytes and more at 10,000 bytes a second, and the delay.
            assert!(round_trips("-s 1000").iter().all(|time| *time >= 110.0));
            let options = root_qdisc()["options"].clone();
            assert_eq!((&options["rate"]["rate"], &options["limit"]), (&json!(10_000), &json!(50)));
            assert_eq!(options["duplicate"]["duplicate"], 0.0025);
            let tbf = pair("qdisc: {tbf: {rate_bit: 8000000, burst: 32000, limit: 64000}}", "", "");
            machine.up(&tbf).unwrap();
            assert!(machine.plan(&tbf).is_empty());
            assert_eq!((&root_qdisc()["kind"], &root_qdisc()["options"]["rate"]), (&json!("tbf"), &json!(1_000_000)));
            round_trips("");
        });
    });
}
