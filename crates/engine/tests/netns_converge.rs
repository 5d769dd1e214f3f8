//! Topologies that go up, change and come down on a real kernel, read back with `ip`, and crossed by packets.

mod machine;

use machine::{Machine, settled_dump, state};
use wireloom_engine::{Failure, State};
use wireloom_testkit::{assert_same_dump, host_dump, ip_in, netns_dump, sandbox, sh, sh_in};

/// Two nodes, one link, a router's worth of settings.
const PAIR: &str = "
owner: pair
namespaces:
  a:
    source: {named: pair.a}
    own: true
    sysctls: {net.ipv4.ip_forward: '1'}
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/a', addresses: [{net: 10.9.9.1/32}]}
      eth1:
        kind: {veth: {peer: 'b:eth1'}}
        mac: c2:00:00:00:00:01
        mtu: 9000
        up: true
        queues: 1
        group: GROUP
        alias: wireloom:pair/a:eth1 to b
        addresses: [{net: 10.0.0.1/24}, {net: 'fd00::1/64', nodad: true}]
  b:
    source: {named: pair.b}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:pair/b'}
      eth1:
        kind: {veth: {peer: 'a:eth1'}}
        mac: c2:00:00:00:00:02
        mtu: 9000
        up: true
        queues: 1
        group: GROUP
        alias: wireloom:pair/b:eth1
        addresses: [{net: 10.0.0.2/24}, {net: 'fd00::2/64', nodad: true}]
    routes:
      - {destination: 10.9.9.1/32, hops: [{via: 10.0.0.1}]}
";

fn pair() -> State {
    state(PAIR)
}

#[test]
fn a_pair_goes_up_carries_packets_and_comes_down_to_nothing() {
    sandbox(|| {
        let before = host_dump();
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        sh_in("pair.b", "ping -c1 -w10 -M do -s 8000 10.9.9.1");
        sh_in("pair.b", "ping -6 -c1 -w10 fd00::1");
        let link = &ip_in("pair.a", "link show eth1")[0];
        assert_eq!(link["ifalias"], "wireloom:pair/a:eth1 to b");
        assert_eq!(link["address"], "c2:00:00:00:00:01");
        assert_eq!((&link["mtu"], &link["num_tx_queues"]), (&9000.into(), &1.into()));
        assert_eq!(sh_in("pair.a", "sysctl -n net.ipv4.ip_forward").trim(), "1");
        assert_eq!(sh_in("pair.b", "sysctl -n net.ipv4.ip_forward").trim(), "0");
        assert!(sh_in("pair.b", "ip route show proto 87").contains("10.9.9.1 via 10.0.0.1"));
        assert!(machine.plan(&pair()).is_empty(), "{:#?}", machine.plan(&pair()).steps);
        let report = machine.up(&pair()).unwrap();
        assert!(report.plan.is_empty());
        machine.down(&pair());
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_change_of_mtu_or_address_loses_no_packet_of_another_link() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        let index = ip_in("pair.a", "link show eth1")[0]["ifindex"].clone();
        let changed = PAIR.replace("mtu: 9000", "mtu: 4000").replace("10.0.0.1/24", "10.0.0.7/24");
        let changed = changed.replace("{via: 10.0.0.1}", "{via: 10.0.0.7}");
        machine.up(&state(&changed)).unwrap();
        let link = &ip_in("pair.a", "link show eth1")[0];
        assert_eq!((&link["mtu"], &link["ifindex"]), (&4000.into(), &index), "changed in place");
        sh_in("pair.b", "ping -c1 -w10 10.9.9.1");
        assert!(machine.plan(&state(&changed)).is_empty());
    });
}

#[test]
fn drift_is_seen_and_mended() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        for damage in [
            "ip -n pair.a link del eth1",
            "ip -n pair.b addr del 10.0.0.2/24 dev eth1",
            "ip -n pair.b route del 10.9.9.1",
            "ip -n pair.b link set eth1 mtu 1400",
            "ip -n pair.b link set eth1 down",
            "ip -n pair.a link set eth1 alias other",
            "ip netns del pair.b",
            "ip netns exec pair.a sysctl -qw net.ipv4.ip_forward=0",
        ] {
            sh(damage);
            assert!(!machine.plan(&pair()).is_empty(), "not seen: {damage}");
            machine.up(&pair()).unwrap_or_else(|failure| panic!("{damage}: {failure}"));
            assert!(machine.plan(&pair()).is_empty(), "not mended: {damage}");
            sh_in("pair.b", "ping -c1 -w10 10.9.9.1");
        }
    });
}

#[test]
fn what_a_process_adds_is_left_alone() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        sh("ip -n pair.a addr add 10.5.5.5/32 dev eth1 && ip -n pair.a route add 10.6.0.0/16 via 10.0.0.2");
        sh("ip -n pair.a link add br7 type bridge");
        let plan = machine.plan(&pair());
        assert!(plan.is_empty());
        assert_eq!(plan.left_alone.len(), 3, "{:?}", plan.left_alone);
        machine.up(&pair()).unwrap();
        assert!(sh_in("pair.a", "ip route").contains("10.6.0.0/16"));
        assert!(sh_in("pair.a", "ip addr").contains("10.5.5.5"));
    });
}

#[test]
fn others_are_never_touched() {
    sandbox(|| {
        sh("ip netns add pair.a && ip -n pair.a link add eth1 type veth peer name x");
        let before = netns_dump("pair.a");
        let mut machine = Machine::new();
        let failure = machine.up(&pair()).unwrap_err();
        assert!(matches!(&failure, Failure::Conflicts(c) if c.len() == 1), "{failure}");
        assert_eq!(machine.notes.begun, 0, "nothing was begun");
        assert_same_dump(&before, &netns_dump("pair.a"));
        machine.down(&pair());
        assert_same_dump(&before, &netns_dump("pair.a"));
    });
}

#[test]
fn a_step_that_fails_takes_the_others_back() {
    sandbox(|| {
        let before = host_dump();
        let broken = PAIR.replace("hops: [{via: 10.0.0.1}]", "hops: [{via: 10.77.0.1}]");
        let failure = Machine::new().up(&state(&broken)).unwrap_err();
        let Failure::Step { rest, .. } = &failure else { panic!("{failure}") };
        assert!(rest.left.is_empty() && rest.done > 0, "{failure}");
        assert!(failure.to_string().contains("route 10.9.9.1/32 via 10.77.0.1"), "{failure}");
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_failed_change_leaves_what_was_there() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        let dump = || settled_dump(&["pair.a", "pair.b"]);
        let before = dump();
        let broken = PAIR
            .replace("mtu: 9000", "mtu: 4000")
            .replace("queues: 1", "queues: 2")
            .replace("hops: [{via: 10.0.0.1}]", "hops: [{via: 10.77.0.1}]");
        machine.up(&state(&broken)).unwrap_err();
        assert_same_dump(&before, &dump());
        assert!(machine.plan(&pair()).is_empty());
    });
}

#[test]
fn stopping_at_any_step_undoes_and_running_again_converges() {
    sandbox(|| {
        let before = host_dump();
        let mut machine = Machine::new();
        for steps in 0..12 {
            match machine.up_to(&pair(), steps) {
                Err(Failure::Cancelled { rest }) => assert!(rest.left.is_empty(), "{rest}"),
                Err(other) => panic!("{other}"),
                Ok(_) => break,
            }
            assert_same_dump(&before, &host_dump());
        }
        machine.up(&pair()).unwrap();
        machine.down(&pair());
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_namespace_that_somebody_holds_loses_its_links() {
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&pair()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a process that outlives this line")]
        let mut holder =
            std::process::Command::new("ip").args(["netns", "exec", "pair.a", "sleep", "60"]).spawn().unwrap();
        let pid = holder.id();
        wireloom_testkit::eventually("the holder is inside", || sh(&format!("cat /proc/{pid}/comm")).trim() == "sleep");
        let report = machine.down(&pair());
        let links = sh(&format!("nsenter --net=/proc/{pid}/ns/net ip -o link"));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(report.held.iter().map(|l| l.as_str()).collect::<Vec<_>>(), ["a"]);
        assert!(!links.contains("eth1"), "{links}");
    });
}
