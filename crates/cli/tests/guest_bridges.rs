//! VLANs of bridges, vrfs and bonds, which many kernels lack.

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, host_dump, needs, sandbox, sh_in};

const VLANS: &str = r#"
name: vl
links:
  - {node: a, bridge: s1, ip: 10.0.0.1/24, vlan: 10}
  - {node: b, bridge: s1, ip: 10.0.0.2/24, vlan: 10}
  - {node: c, bridge: s1, ip: 10.0.0.3/24, vlan: 20}
  - {node: d, bridge: s1, trunk: [10, 30-40], native: 20, ip: 10.0.0.4/24}
"#;

fn reaches(from: &str, to: &str) -> bool {
    sh_in(from, &format!("ping -c 1 -W 2 {to} >/dev/null && echo yes || echo no")).trim() == "yes"
}

#[test]
fn only_ports_of_one_vlan_talk_and_they_move_in_place() {
    sandbox(|| {
        needs!("bridge-vlan");
        let folder = Folder::with(&[("vl.yaml", VLANS)]);
        let before = host_dump();
        folder.wireloom("up vl.yaml").ok();
        assert_eq!(folder.wireloom("up vl.yaml").ok().stdout, "vl: nothing to do\n");
        assert!(reaches("vl.a", "10.0.0.2") && !reaches("vl.a", "10.0.0.3"), "10 and 10, 10 and 20");
        assert!(reaches("vl.c", "10.0.0.4") && !reaches("vl.a", "10.0.0.4"), "without a tag the trunk is in 20");
        folder.write("vl.yaml", &VLANS.replace("vlan: 20", "vlan: 10"));
        let up = folder.wireloom("up vl.yaml").ok();
        assert!(up.stdout.contains("port vlan 20 untagged -> vlan 10 untagged"), "{up:?}");
        assert_eq!(folder.wireloom("up vl.yaml").ok().stdout, "vl: nothing to do\n");
        assert!(reaches("vl.a", "10.0.0.3") && !reaches("vl.c", "10.0.0.4"));
        let plain = VLANS
            .lines()
            .map(|line| line.split(", vlan").next().unwrap_or_default().split(", trunk").next().unwrap_or_default());
        let plain: Vec<String> = plain
            .map(
                |line| {
                    if line.contains("node") && !line.ends_with('}') { format!("{line}}}") } else { line.to_owned() }
                },
            )
            .collect();
        folder.write("vl.yaml", &plain.join("\n"));
        folder.wireloom("up vl.yaml").ok();
        assert!(reaches("vl.a", "10.0.0.3"), "no VLANs any more");
        folder.wireloom("down vl.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

const VRFS: &str = r#"
name: vf
nodes: {h1: , h2: , h3: , r: {sysctl: {net.ipv4.ip_forward: 1}}}
links:
  - {type: vrf, node: r, dev: red, table: 10}
  - {type: vrf, node: r, dev: blue, table: 20}
  - {endpoints: ["h1:eth1", "r:eth1"], ip: [10.0.1.2/24, 10.0.1.1/24], route: [default via 10.0.1.1, null], controller: [null, red]}
  - {endpoints: ["h2:eth1", "r:eth2"], ip: [10.0.2.2/24, 10.0.2.1/24], route: [default via 10.0.2.1, 192.0.2.0/24 via 10.0.2.2],
     controller: [null, red]}
  - {endpoints: ["h3:eth1", "r:eth3"], ip: [10.0.3.2/24, 10.0.3.1/24], route: [default via 10.0.3.1, null], controller: [null, blue]}
"#;

#[test]
fn a_vrf_routes_between_its_own_ports_only() {
    sandbox(|| {
        needs!("vrf");
        let folder = Folder::with(&[("vf.yaml", VRFS)]);
        let before = host_dump();
        folder.wireloom("up vf.yaml").ok();
        assert_eq!(folder.wireloom("up vf.yaml").ok().stdout, "vf: nothing to do\n");
        assert!(reaches("vf.h1", "10.0.2.2"), "both are in red");
        assert!(!reaches("vf.h1", "10.0.3.2"), "that one is in blue");
        let table = sh_in("vf.r", "ip route show table 10");
        assert!(table.contains("192.0.2.0/24 via 10.0.2.2"), "{table}");
        folder.write("vf.yaml", &VRFS.replace("[null, blue]", "[null, red]").replace("table: 10", "table: 11"));
        folder.wireloom("up vf.yaml").ok();
        assert_eq!(folder.wireloom("up vf.yaml").ok().stdout, "vf: nothing to do\n");
        assert!(
            reaches("vf.h1", "10.0.3.2") && reaches("vf.h1", "10.0.2.2"),
            "all are in red, and its table is another"
        );
        folder.wireloom("down vf.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

const BOND: &str = r#"
name: bd
nodes: {a: , b: }
links:
  - {type: bond, node: a, dev: bond0, bond-mode: active-backup, bond-miimon: 50, bond-primary: eth1, ip: 10.0.0.1/24}
  - {type: bond, node: b, dev: bond0, bond-mode: active-backup, bond-miimon: 50, bond-primary: eth1, ip: 10.0.0.2/24}
  - {endpoints: ["a:eth1", "b:eth1"], controller: [bond0, bond0]}
  - {endpoints: ["a:eth2", "b:eth2"], controller: [bond0, bond0]}
"#;

#[test]
fn a_bond_goes_on_when_its_active_port_goes_down() {
    sandbox(|| {
        needs!("bond");
        let folder = Folder::with(&[("bd.yaml", BOND)]);
        let before = host_dump();
        folder.wireloom("up bd.yaml").ok();
        assert_eq!(folder.wireloom("up bd.yaml").ok().stdout, "bd: nothing to do\n");
        let active = || sh_in("bd.a", "ip -d link show bond0");
        assert!(active().contains("active_slave eth1 ") && active().contains("primary eth1 "), "{}", active());
        assert!(reaches("bd.a", "10.0.0.2"));
        sh_in("bd.b", "ip link set eth1 down");
        sh_in("bd.a", "sleep 1");
        assert!(active().contains("active_slave eth2 "), "{}", active());
        assert!(reaches("bd.a", "10.0.0.2"), "by the other port");
        folder.wireloom("up bd.yaml").ok();
        assert_eq!(folder.wireloom("up bd.yaml").ok().stdout, "bd: nothing to do\n");
        let other = BOND.replace("active-backup", "balance-rr").replace(", bond-primary: eth1", "");
        folder.write("bd.yaml", &other.replace("a: ,", "a: {sysctl: {net.ipv4.ip_forward: many}},"));
        let failed = folder.wireloom("up bd.yaml");
        assert!(failed.status != 0 && failed.stderr.contains("ip_forward"), "{failed:?}");
        assert!(active().contains("mode active-backup") && reaches("bd.a", "10.0.0.2"), "the way back: {}", active());
        folder.write("bd.yaml", BOND);
        assert_eq!(folder.wireloom("up bd.yaml").ok().stdout, "bd: nothing to do\n");
        folder.write("bd.yaml", &other);
        folder.wireloom("up bd.yaml").ok();
        assert!(active().contains("mode balance-rr") && reaches("bd.a", "10.0.0.2"), "made anew, with its ports");
        folder.wireloom("down bd.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}
