//! Rules, neighbours, nexthop objects and segments on a real kernel: packets go where they say, what others have is left
//! alone, and nothing is left behind.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{
    Machine, lives,
    network::{link_of, network},
    settled_dump,
};
use wireloom_engine::{Address, Failure, State};
use wireloom_testkit::{assert_same_dump, ip_in, sandbox, sh, sh_in};

/// Two ways from h1 to 10.9.9.9: over r1, where it is, and over r2, where it is too.
fn two_ways(more: &str) -> State {
    let cables = [
        ("h1:eth1 10.1.0.1/24 fd01::1/64", "r1:eth1 10.1.0.2/24 fd01::2/64"),
        ("h1:eth2 10.2.0.1/24", "r2:eth1 10.2.0.2/24"),
    ];
    let there = "routes: [{destination: 10.5.0.0/16, hops: [{via: 10.1.0.1}]}]\n";
    let mut state = network("ways", &cables, &[("h1", more), ("r1", there)]);
    for router in ["r1", "r2"] {
        link_of(&mut state, router, "lo").addresses.push(Address::new("10.9.9.9/32".parse().unwrap(), true));
    }
    state
}

/// Which router a ping from h1 reaches.
fn reached(options: &str) -> &'static str {
    let counts = || ["ways.r1", "ways.r2"].map(|netns| sh_in(netns, "awk '/^Icmp:/ {print $10}' /proc/net/snmp"));
    let before = counts();
    sh_in("ways.h1", &format!("ping -c1 -w10 {options} 10.9.9.9"));
    let after = counts();
    match (before[0] != after[0], before[1] != after[1]) {
        (true, false) => "r1",
        (false, true) => "r2",
        both => panic!("{both:?}"),
    }
}

const TABLES: &str = "
routes:
  - {destination: 10.9.9.9/32, hops: [{via: 10.1.0.2}]}
  - {destination: 10.9.9.9/32, hops: [{via: 10.2.0.2}], table: 7}
";

#[test]
fn a_rule_sends_marked_packets_another_way() {
    sandbox(|| {
        let with = |rules: &str| two_ways(&format!("{TABLES}rules: [{rules}]\n"));
        let marked = with("{priority: 100, fwmark: {mark: 5}, action: {lookup: 7}}");
        lives(&marked, |machine| {
            assert_eq!((reached(""), reached("-m 5")), ("r1", "r2"));
            assert!(sh_in("ways.h1", "ip rule").contains("100:\tfrom all fwmark 0x5 lookup 7 proto 87"));
            let changed = with(
                "{priority: 100, to: 10.9.9.0/24, action: {lookup: 7}}, {priority: 7, v6: true, action: blackhole}",
            );
            let plan = machine.up(&changed).unwrap().plan;
            assert_eq!(plan.steps.len(), 3, "{:?}", plan.steps);
            assert_eq!(reached(""), "r2");
            sh_in("ways.h1", "! ping -c1 -w2 fd01::2");
            machine.up(&with("")).unwrap();
            assert_eq!(reached(""), "r1");
            assert_eq!(sh_in("ways.h1", "ip rule | wc -l; ip -6 rule | wc -l"), "3\n2\n");
        });
    });
}

#[test]
fn every_condition_of_a_rule_is_read_back() {
    sandbox(|| {
        let rules = "rules:
  - {priority: 10, not: true, from: 10.0.0.0/8, to: 192.168.0.0/16, action: {lookup: 4711}}
  - {priority: 11, iif: eth1, oif: eth2, action: unreachable}
  - {priority: 12, fwmark: {mark: 16, mask: 240}, ip_proto: 17, sport: {first: 53, last: 53}, dport: {first: 1, last: 1023}, action: prohibit}
  - {priority: 13, suppress_prefixlength: 0, action: {lookup: 254}}
  - {priority: 1000, v6: true, action: l3mdev}
  - {priority: 15, v6: true, from: 'fd00::/8', action: blackhole}
";
        lives(&two_ways(rules), |_| {
            let found = sh_in("ways.h1", "ip rule; ip -6 rule");
            for line in [
                "10:\tnot from 10.0.0.0/8 to 192.168.0.0/16 lookup 4711 proto 87",
                "11:\tfrom all iif eth1 oif eth2 unreachable proto 87",
                "12:\tfrom all fwmark 0x10/0xf0 ipproto udp sport 53 dport 1-1023 prohibit proto 87",
                "13:\tfrom all lookup main suppress_prefixlength 0 proto 87",
                "1000:\tfrom all lookup [l3mdev-table] proto 87",
                "15:\tfrom fd00::/8 blackhole proto 87",
            ] {
                assert!(found.contains(line), "{line}:\n{found}");
            }
        });
    });
}

#[test]
fn routes_share_a_nexthop_object_that_moves_under_them() {
    sandbox(|| {
        let with = |nexthops: &str| {
            two_ways(&format!("nexthops: [{nexthops}]\nroutes: [{{destination: 10.9.9.0/24, nexthop: 10}}]\n"))
        };
        let first = with(
            "{id: 10, to: {group: {1: 1, 2: 3}}}, {id: 1, to: {via: {via: 10.1.0.2, dev: eth1}}}, \
                          {id: 2, to: {via: {via: 10.2.0.2, dev: eth2}}}, {id: 3, to: {blackhole: {}}}, \
                          {id: 4, to: {dev: {dev: eth1, v6: true}}}",
        );
        lives(&first, |machine| {
            sh_in("ways.h1", "ping -c1 -w10 10.9.9.9");
            let found = sh_in("ways.h1", "ip nexthop");
            for line in [
                "id 1 via 10.1.0.2 dev eth1 scope link proto 87",
                "id 10 group 1/2,3 proto 87",
                "id 3 blackhole proto 87",
            ] {
                assert!(found.contains(line), "{line}:\n{found}");
            }
            let second = with("{id: 10, to: {via: {via: 10.2.0.2, dev: eth2}}}");
            machine.up(&second).unwrap();
            assert_eq!(reached(""), "r2");
            assert!(sh_in("ways.h1", "ip route").contains("10.9.9.0/24 nhid 10"));
            sh("ip -n ways.h1 nexthop del id 10");
            let plan = machine.up(&second).unwrap().plan;
            assert_eq!(plan.steps.len(), 2, "the kernel has dropped the route too: {:?}", plan.steps);
            // The link goes down and comes back in one run: what the kernel drops with it is put back.
            let mut down = second.clone();
            link_of(&mut down, "h1", "eth2").mac = "c2:00:00:00:00:99".parse().ok();
            machine.up(&down).unwrap();
            assert_eq!(reached(""), "r2");
        });
    });
}

#[test]
fn a_neighbour_that_is_told_is_not_asked_for() {
    sandbox(|| {
        let with = |neighbours: &str| two_ways(&format!("{TABLES}neighbours: [{neighbours}]\n"));
        let told = |mac: &str| {
            with(&format!(
                "{{dev: eth1, entry: {{lladdr: {{address: 10.1.0.2, lladdr: '{mac}'}}}}}}, \
             {{dev: eth1, entry: {{lladdr: {{address: 'fd01::2', lladdr: '{mac}'}}}}}}, {{dev: eth1, entry: {{proxy: {{address: 10.1.0.77}}}}}}"
            ))
        };
        lives(&told("c2:00:00:00:00:77"), |machine| {
            sh_in("ways.h1", "! ping -c1 -w1 10.9.9.9; ! ping -c1 -w1 fd01::2");
            let mac = ip_in("ways.r1", "link show eth1")[0]["address"].as_str().unwrap().to_owned();
            machine.up(&told(&mac)).unwrap();
            sh_in("ways.h1", "ping -c1 -w10 10.9.9.9; ping -c1 -w10 fd01::2");
            assert!(
                sh_in("ways.h1", "ip neigh show")
                    .contains(&format!("10.1.0.2 dev eth1 lladdr {mac} PERMANENT proto 87"))
            );
            assert!(sh_in("ways.h1", "ip neigh show proxy").contains("10.1.0.77 dev eth1"));
            // The kernel forgets them with the MAC.
            let mut changed = told(&mac);
            link_of(&mut changed, "h1", "eth1").mac = "c2:00:00:00:00:01".parse().ok();
            machine.up(&changed).unwrap();
            assert!(machine.plan(&changed).is_empty());
            assert!(sh_in("ways.h1", "ip neigh show").contains("PERMANENT"));
            // What was found out gives way to what is told.
            machine.up(&with("")).unwrap();
            sh_in("ways.h1", "ping -c1 -w10 10.9.9.9");
            machine.up(&told(&mac)).unwrap();
            assert!(machine.plan(&told(&mac)).is_empty());
        });
    });
}

#[test]
fn a_vxlan_sends_frames_to_the_hosts_that_it_is_told_of() {
    sandbox(|| {
        let build = |forwards: &str| {
            let mut state = two_ways(&format!("neighbours: [{forwards}]\n"));
            for (node, local, net) in [("h1", "10.1.0.1", "10.99.0.1/24"), ("r1", "10.1.0.2", "10.99.0.2/24")] {
                let group = state.owner.group();
                let yaml = format!(
                    "kind: {{vxlan: {{vni: 7, port: 4789, underlay: {node}, local: {local}}}}}\nup: true\ngroup: {group}\n\
                     alias: 'wireloom:ways/{node}:vx'\naddresses: [{{net: {net}}}]\n"
                );
                let netns = state.namespaces.get_mut(node).unwrap();
                netns.links.insert("vx".parse().unwrap(), serde_saphyr::from_str(&yaml).unwrap());
            }
            let r1 = state.namespaces.get_mut("r1").unwrap();
            r1.neighbours = serde_saphyr::from_str("[{dev: vx, entry: {forward: {dst: 10.1.0.1}}}]").unwrap();
            state
        };
        let to = |host: &str| format!("{{dev: vx, entry: {{forward: {{dst: {host}}}}}}}");
        lives(&build(&to("10.1.0.77")), |machine| {
            sh_in("ways.h1", "! ping -c1 -w1 10.99.0.2");
            let both = build(&format!("{}, {}", to("10.1.0.77"), to("10.1.0.2")));
            machine.up(&both).unwrap();
            sh_in("ways.h1", "ping -c1 -w10 10.99.0.2");
            sh_in("ways.h1", "bridge fdb append 00:00:00:00:00:00 dev vx dst 10.1.0.88");
            let plan = machine.plan(&both);
            assert!(plan.is_empty() && plan.left_alone.len() == 1, "{plan:?}");
            let plan = machine.up(&build(&to("10.1.0.2"))).unwrap().plan;
            assert_eq!(plan.steps.len(), 1, "{:?}", plan.steps);
            let table = sh_in("ways.h1", "bridge fdb show dev vx");
            assert!(
                table.contains("10.1.0.88") && table.contains("10.1.0.2") && !table.contains("10.1.0.77"),
                "{table}"
            );
        });
    });
}

/// h1 - r1 (encapsulates) - r2 (End) - r3 (unpacks) - h2, and back the same way with fewer segments.
fn segments(encap: &str, local: &str) -> State {
    let cables = [
        ("h1:eth1 10.1.0.1/24 fd01::1/64", "r1:eth1 10.1.0.2/24 fd01::2/64"),
        ("r1:eth2 fd12::1/64", "r2:eth1 fd12::2/64"),
        ("r2:eth2 fd23::2/64", "r3:eth1 fd23::3/64"),
        ("r3:eth2 10.2.0.2/24 fd02::2/64", "h2:eth1 10.2.0.1/24 fd02::1/64"),
    ];
    let takes = "net.ipv6.conf.all.seg6_enabled: '1', net.ipv6.conf.eth1.seg6_enabled: '1'";
    let router = format!(
        "sysctls: {{{takes}, net.ipv6.conf.eth2.seg6_enabled: '1', net.ipv4.ip_forward: '1', \
         net.ipv6.conf.all.forwarding: '1'}}\nroutes:\n"
    );
    let route = |to: &str, rest: &str| format!("  - {{destination: '{to}', {rest}}}\n");
    let via = |to: &str, hop: &str| route(to, &format!("hops: [{{via: '{hop}'}}]"));
    let encapsulated = format!("hops: [{{via: 'fd12::2', dev: eth2, encap: {{seg6: {encap}}}}}]");
    // Into an IPv4 packet no header of IPv6 goes.
    let v4 = if encap.contains("inline") { THROUGH_BOTH } else { encap };
    let handled = |dev: &str, how: &str| format!("hops: [{{dev: {dev}, encap: {{seg6local: {how}}}}}]");
    let back = "hops: [{via: 'fd23::2', encap: {seg6: {segments: ['fc00:1::']}}}]";
    let r1 = [
        route("10.2.0.0/24", &format!("hops: [{{via: 'fd12::2', dev: eth2, encap: {{seg6: {v4}}}}}]")),
        route("fd02::/64", &encapsulated),
        via("fc00::/16", "fd12::2"),
        route("fc00:1::/128", &handled("eth1", "{end-dx4: 10.1.0.1}")),
    ];
    let r2 = [
        route("fc00:2::/128", &handled("eth1", "end")),
        via("fc00:3::/32", "fd23::3"),
        via("fc00:1::/32", "fd12::1"),
        via("fd02::/64", "fd23::3"),
        via("fd01::/64", "fd12::1"),
    ];
    let r3 = [
        route("fc00:3::/128", &handled("eth2", local)),
        route("10.1.0.0/24", back),
        via("fc00:1::/32", "fd23::2"),
        via("fd01::/64", "fd23::2"),
        route("fd02::/64", "hops: [{dev: eth2}], table: 7"),
    ];
    let more = [
        ("h1", format!("routes:\n{}{}", via("10.2.0.0/24", "10.1.0.2"), via("fd02::/64", "fd01::2"))),
        (
            "h2",
            format!("sysctls: {{{takes}}}\nroutes:\n{}{}", via("10.1.0.0/24", "10.2.0.2"), via("fd01::/64", "fd02::2")),
        ),
        ("r1", router.clone() + &r1.concat()),
        ("r2", router.clone() + &r2.concat()),
        ("r3", router + &r3.concat()),
    ];
    network("sid", &cables, &more.each_ref().map(|(node, yaml)| (*node, yaml.as_str())))
}

const THROUGH_BOTH: &str = "{segments: ['fc00:2::', 'fc00:3::']}";

#[test]
fn ipv4_crosses_an_ipv6_network_by_its_segments() {
    sandbox(|| {
        let dx4 = segments(THROUGH_BOTH, "{end-dx4: 10.2.0.1}");
        lives(&dx4, |machine| {
            sh_in("sid.h1", "ping -c1 -w10 10.2.0.1");
            assert!(sh_in("sid.r1", "ip route").contains("encap seg6 mode encap segs 2 [ fc00:2:: fc00:3:: ]"));
            assert!(sh_in("sid.r3", "ip -6 route").contains("encap seg6local action End.DX4 nh4 10.2.0.1"));
            sh("ip -n sid.r2 -6 route del fc00:2::/128");
            sh_in("sid.h1", "! ping -c1 -w1 10.2.0.1");
            assert_eq!(machine.up(&dx4).unwrap().plan.steps.len(), 1);
            sh_in("sid.h1", "ping -c1 -w10 10.2.0.1");
            let astray = segments("{segments: ['fc00:2::', 'fc00:4::']}", "{end-dx4: 10.2.0.1}");
            machine.up(&astray).unwrap();
            sh_in("sid.h1", "! ping -c1 -w1 10.2.0.1");
        });
    });
}

#[test]
fn ipv6_is_unpacked_to_a_hop_or_looked_up_in_a_table() {
    for local in ["{end-dx6: 'fd02::1'}", "{end-dt6: {table: 7}}"] {
        sandbox(|| {
            lives(&segments(THROUGH_BOTH, local), |_| {
                sh_in("sid.h1", "ping -c1 -w10 fd02::1");
            });
        });
    }
}

#[test]
fn segments_in_the_packet_itself_and_every_action_are_read_back() {
    sandbox(|| {
        let inline = "{inline: true, segments: ['fc00:2::']}";
        lives(&segments(inline, "{end-dt6: {table: 7}}"), |machine| {
            sh_in("sid.h1", "ping -c1 -w10 fd02::1");
            for local in ["{end-x: 'fd23::2'}", "{end-t: 254}", "end"] {
                let desired = segments(inline, local);
                machine.up(&desired).unwrap();
                assert!(machine.plan(&desired).is_empty(), "{local}");
            }
        });
    });
}

#[test]
fn routes_take_what_ip_route_takes() {
    sandbox(|| {
        let with = |more: &str| {
            two_ways(&format!(
                "routes:
  - {{destination: 10.9.9.9/32, hops: [{{via: 'fd01::2', dev: eth1}}], advmss: 1200, mtu: 1300}}
  - {{destination: 10.9.9.0/24, kind: throw, table: 7}}
  - {{destination: 10.8.0.0/24, hops: [{{via: 10.1.0.2, dev: eth1{more}}}]}}
  - {{destination: 'fd08::/64', hops: [{{via: 'fd01::2', dev: eth1{more}}}]}}
"
            ))
        };
        lives(&with(", onlink: true"), |machine| {
            assert_eq!(reached(""), "r1");
            let found = sh_in("ways.h1", "ip route; ip route show table 7; ip -6 route");
            for line in [
                "10.9.9.9 via inet6 fd01::2 dev eth1 proto 87 mtu 1300 advmss 1200",
                "throw 10.9.9.0/24 proto 87",
                "10.8.0.0/24 via 10.1.0.2 dev eth1 proto 87 onlink",
            ] {
                assert!(found.contains(line), "{line}:\n{found}");
            }
            let plan = machine.up(&with("")).unwrap().plan;
            assert_eq!(plan.steps.len(), 4, "{:?}", plan.steps);
            assert!(machine.plan(&with("")).is_empty());
        });
    });
}

#[test]
fn what_others_have_is_left_alone_or_in_the_way() {
    sandbox(|| {
        let more = "rules: [{priority: 100, action: {lookup: 7}}]
neighbours: [{dev: eth1, entry: {lladdr: {address: 10.1.0.2, lladdr: 'c2:00:00:00:00:77'}}}]
nexthops: [{id: 1, to: {blackhole: {}}}]
";
        let desired = two_ways(more);
        let mut machine = Machine::new();
        machine.up(&two_ways("")).unwrap();
        let without = settled_dump(&["ways.h1"]);
        sh("ip -n ways.h1 rule add pref 200 lookup 8; ip -n ways.h1 nexthop add id 2 blackhole
            ip -n ways.h1 neigh add 10.1.0.9 lladdr c2:00:00:00:00:09 dev eth1");
        let foreign = settled_dump(&["ways.h1"]);
        let plan = machine.up(&desired).unwrap().plan;
        assert_eq!((plan.steps.len(), plan.left_alone.len()), (3, 3), "{plan:?}");
        machine.up(&two_ways("")).unwrap();
        assert_same_dump(&foreign, &settled_dump(&["ways.h1"]));
        sh("ip -n ways.h1 rule add pref 100 lookup 9; ip -n ways.h1 nexthop add id 1 dev eth1
            ip -n ways.h1 neigh add 10.1.0.2 lladdr c2:00:00:00:00:09 dev eth1");
        let in_the_way = settled_dump(&["ways.h1"]);
        let Failure::Conflicts(conflicts) = machine.up(&desired).unwrap_err() else { panic!("not a conflict") };
        let words: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), 3, "{words:?}");
        assert_same_dump(&in_the_way, &settled_dump(&["ways.h1"]));
        sh("ip -n ways.h1 rule del pref 100; ip -n ways.h1 rule del pref 200; ip -n ways.h1 nexthop flush
            ip -n ways.h1 neigh flush nud permanent dev eth1");
        assert_same_dump(&without, &settled_dump(&["ways.h1"]));
    });
}

#[test]
fn a_run_that_is_stopped_takes_its_objects_back() {
    sandbox(|| {
        let both = "rules: [{priority: 100, action: {lookup: 7}}]
neighbours: [{dev: eth1, entry: {lladdr: {address: 10.1.0.2, lladdr: 'c2:00:00:00:00:77'}}}]
nexthops: [{id: 9, to: {group: {10: 1}}}, {id: 10, to: {via: {via: 10.1.0.2, dev: eth1}}}]
routes: [{destination: 10.9.9.0/24, nexthop: 9}]
";
        let (first, second) = (two_ways(both), two_ways(""));
        let mut machine = Machine::new();
        machine.up(&first).unwrap();
        for (from, to) in [(&first, &second), (&second, &first)] {
            machine.up(from).unwrap();
            let before = settled_dump(&["ways.h1"]);
            let steps = machine.plan(to).steps;
            assert_eq!(steps.len(), 5, "{steps:?}");
            for stop in 1..steps.len() {
                let failure = machine.up_to(to, stop).unwrap_err();
                assert!(matches!(&failure, Failure::Cancelled { rest } if rest.left.is_empty()), "{stop}: {failure}");
                assert_same_dump(&before, &settled_dump(&["ways.h1"]));
            }
        }
    });
}
