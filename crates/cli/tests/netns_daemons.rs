//! Real daemons side by side: FRR's routers that find their ways, and dnsmasq that gives out addresses.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::path::Path;

use common::Folder;
use serde_json::Value;
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh};

/// The rows of `check` about routes, with whether they are well.
fn routes(checked: &Value) -> Vec<(&Value, bool)> {
    let rows = checked["checks"].as_array().unwrap().iter();
    rows.filter(|row| row["kind"] == "route").map(|row| (row, row["ok"] == true)).collect()
}

#[test]
fn five_routers_of_frr_find_the_short_way_and_then_the_long_one() {
    sandbox(|| {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ospf.yaml");
        let folder = Folder::with(&[("ospf.yaml", &std::fs::read_to_string(example).unwrap())]);
        sh("ip netns add x; ip netns del x");
        let before = host_dump();
        folder.wireloom("up ospf.yaml").ok();
        let checked = folder.wireloom("check ospf.yaml -o json").ok().json();
        assert_eq!((&checked["passed"], &checked["failed"]), (&42.into(), &0.into()), "{checked}");
        let short = routes(&checked)[20].0;
        assert_eq!((&short["way"], &short["address"]), (&"via 10.0.12.2 dev eth1".into(), &"10.255.0.5".into()));
        let again = folder.wireloom("up ospf.yaml").ok().stdout;
        assert!(again.starts_with("ospf: nothing to do\nof others, left alone:\n  route 10."), "{again}");
        let neighbours = folder.argv(&["exec", "r3", "--", "vtysh", "-c", "show ip ospf neighbor"]).ok().stdout;
        assert!(neighbours.contains("10.255.0.1") && neighbours.contains("10.255.0.4"), "{neighbours}");

        folder.wireloom("link down r1:eth1").ok();
        // Far away the news comes later.
        eventually("r5 takes the long way", || sh("ip -n ospf.r5 route show 10.255.0.1").contains("via 10.0.45.1 "));
        let checked = folder.wireloom("check ospf.yaml -o json");
        assert_eq!(checked.status, 1, "{checked:?}");
        let checked = checked.json();
        let wrong: Vec<&Value> = routes(&checked).into_iter().filter(|(_, ok)| !ok).map(|(row, _)| row).collect();
        assert_eq!(
            (wrong.len(), &checked["failed"]),
            (2, &2.into()),
            "all others are reached on the detour: {checked}"
        );
        let why = wrong[0]["why"].as_str().unwrap();
        assert!(why.contains("it goes via 10.0.13.2 dev eth2, and not by r2"), "{why}");
        assert_eq!(routes(&checked)[3].0["way"], "via 10.0.13.2 dev eth2");

        folder.wireloom("link up r1:eth1").ok();
        folder.wireloom("check ospf.yaml").ok();
        folder.wireloom("down ospf").ok();
        assert_same_dump(&before, &host_dump());
        assert_eq!(sh("grep -c wireloom /proc/thread-self/mountinfo || true").trim(), "0");
    });
}

/// One network each, with a server of its own, and a client that asks whoever is there.
const DHCP: &str = r#"
name: dhcp
nodes:
  s[1-2]:
    private: /var/lib/misc
    files:
      /etc/dnsmasq.conf: |
        port=0
        interface=eth0
        bind-interfaces
        dhcp-range=10.{n}.0.100,10.{n}.0.100,1h
        dhcp-leasefile=/var/lib/misc/dnsmasq.leases
        log-facility=-
    run: [[dnsmasq, --keep-in-foreground, --conf-file=/etc/dnsmasq.conf, --user=root, --pid-file=/run/dnsmasq.pid]]
  c[1-2]: {}
links:
  - {endpoints: ["s1:eth0", "c1:eth0"], ip: [10.1.0.1/24, null]}
  - {endpoints: ["s2:eth0", "c2:eth0"], ip: [10.2.0.1/24, null]}
"#;

#[test]
fn two_dnsmasqs_give_addresses_each_to_its_own() {
    sandbox(|| {
        let folder = Folder::with(&[("dhcp.yaml", DHCP)]);
        folder.wireloom("up dhcp.yaml").ok();
        // busybox asks; its script gets the address in its environment.
        folder.write("script", "#!/bin/sh\n[ \"$1\" != bound ] || echo \"got $ip\"\n");
        sh(&format!("chmod +x {}", folder.path("script").display()));
        let ask = |node: &str| {
            let script = folder.path("script").display().to_string();
            let argv = [
                "exec", node, "--", "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10", "-T", "1", "-s",
                &script,
            ];
            folder.argv(&argv).ok().stdout
        };
        assert_eq!((ask("c1").trim(), ask("c2").trim()), ("got 10.1.0.100", "got 10.2.0.100"));
        let lease = |node: &str| folder.argv(&["exec", node, "--", "cat", "/var/lib/misc/dnsmasq.leases"]).ok().stdout;
        assert!(lease("s1").contains("10.1.0.100") && lease("s2").contains("10.2.0.100"));
        let changed = DHCP.replace("10.{n}.0.100,10.{n}.0.100", "10.{n}.0.7,10.{n}.0.7");
        folder.write("dhcp.yaml", &changed);
        folder.wireloom("up dhcp.yaml").ok();
        eventually("the new range is used", || ask("c1").trim() == "got 10.1.0.7");
        folder.wireloom("down dhcp").ok();
    });
}
