//! `audit`: what belongs to something, what is stray, and what `--fix` may take.

mod common;

use common::{Folder, TRIANGLE};
use serde_json::json;
use wireloom_testkit::{sandbox, sh};

#[test]
fn what_belongs_to_a_ledger_is_in_place() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let audit = folder.wireloom("audit -o json").ok().json();
        assert_eq!((&audit["stray"], &audit["fixed"]), (&json!(0), &json!(0)));
        let objects = audit["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 9, "{audit}");
        let link = json!({"topology": "triangle", "kind": "link", "name": "eth1", "place": "/run/netns/triangle.r1",
            "stray": false});
        assert!(objects.contains(&link), "{audit}");
        folder.wireloom("audit --fix").ok();
        assert_eq!(folder.wireloom("plan triangle --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn what_belongs_to_nothing_is_stray_and_goes_and_nothing_else() {
    sandbox(|| {
        let other = TRIANGLE.replace("name: triangle", "name: other");
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE), ("other.yaml", &other)]);
        folder.wireloom("up triangle.yaml").ok();
        folder.wireloom("up other.yaml").ok();
        sh("rm -r /run/wireloom/other; ip netns add blue; ip -n blue link add mine type veth peer name yours");
        sh("ip -n blue link set mine alias wireloom:lost/blue:mine; ip link add br0 type bridge; \
             touch /run/netns/triangle.x /run/netns/foreign.thing /run/netns/cni-1");
        let run = folder.wireloom("audit");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stdout.contains("stray: link mine of lost (/run/netns/blue)\n"), "{run:?}");
        assert!(run.stdout.contains("stray: namespace r1 of other (/run/netns/other.r1)\n"), "{run:?}");
        assert!(run.stdout.contains("stray: name triangle.x of triangle (/run/netns/triangle.x)\n"), "{run:?}");
        assert!(run.stdout.contains("triangle: 9 objects in place\n"), "{run:?}");
        assert!(run.stdout.ends_with("11 objects are stray; `wireloom audit --fix` removes them\n"), "{run:?}");
        let fixed = folder.wireloom("audit --fix -o json").ok().json();
        assert_eq!((&fixed["stray"], &fixed["fixed"]), (&json!(0), &json!(11)), "{fixed}");
        assert_eq!(sh("ls /run/netns"), "blue\ncni-1\nforeign.thing\ntriangle.r1\ntriangle.r2\ntriangle.r3\n");
        assert_eq!(sh("ip -n blue -br link | grep -c veth || true"), "0\n");
        sh("ip link show br0");
        folder.wireloom("audit").ok();
        assert_eq!(folder.wireloom("plan triangle --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_ledger_about_nothing_is_stray() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        sh("for i in 1 2 3; do ip netns del triangle.r$i; done");
        let audit = folder.wireloom("audit -o json");
        assert_eq!((audit.status, &audit.json()["objects"][0]["kind"]), (1, &json!("ledger")), "{audit:?}");
        folder.wireloom("audit --fix").ok();
        assert_eq!(folder.wireloom("ls -o json").ok().json(), json!({"topologies": []}));
    });
}

/// What a topology leaves on interfaces of others when its ledger is lost.
#[test]
fn addresses_routes_and_qdiscs_that_no_ledger_names_are_stray() {
    sandbox(|| {
        let lab = "name: lab\nnodes: {office: {netns: office, routes: [\"198.51.100.0/24 via 10.0.0.2\"]}, a: {}}\n\
            links: [{endpoints: [\"office:x\", \"a:x\"], ip: [10.0.0.1/24, 10.0.0.2/24], rate: 10mbit}]\n";
        let folder = Folder::with(&[("lab.yaml", lab)]);
        sh("ip netns add office; ip -n office link set lo up; ip link add br0 type bridge; ip link set br0 up");
        folder.wireloom("up lab.yaml").ok();
        let whole = folder.wireloom("audit").ok();
        assert!(whole.stdout.ends_with("nothing is stray\n"), "{whole:?}");
        // Addresses that ip(8) cannot make: the number is newer than it is.
        folder.write(
            "lost.yaml",
            "name: lost\nnodes: {office: {netns: office, loopback: [192.0.2.1/32, 2001:db8::1/128]}}\n",
        );
        folder.wireloom("up lost.yaml").ok();
        sh("rm -r /run/wireloom/lost; ip addr add 192.0.2.2/32 dev br0; ip -n office route add 203.0.113.0/24 dev lo proto 87 table 100
            ip route add blackhole 203.0.113.0/24 proto 87; ip route add 198.51.100.0/24 dev br0
            tc qdisc add dev br0 root handle 5757: tbf rate 1mbit burst 10k limit 10k");
        let run = folder.wireloom("audit");
        assert_eq!(run.status, 1, "{run:?}");
        let stray = [
            "address 192.0.2.1/32 on lo (/run/netns/office)",
            "route 203.0.113.0/24 table 100 (/run/netns/office)",
            "address 2001:db8::1/128 on lo (/run/netns/office)",
            "route 203.0.113.0/24 (/proc/self/ns/net)",
            "qdisc root on br0 (/proc/self/ns/net)",
        ];
        for line in stray {
            assert!(run.stdout.contains(&format!("stray: {line}\n")), "{line} in {run:?}");
        }
        assert_eq!(run.stdout.matches("stray: ").count(), 5, "{run:?}");
        let fixed = folder.wireloom("audit --fix").ok();
        for line in stray {
            assert!(fixed.stdout.contains(&format!("removed: {line}\n")), "{line} in {fixed:?}");
        }
        assert!(fixed.stdout.ends_with("5 objects removed, nothing is stray\n"), "{fixed:?}");
        assert_eq!(sh("ip route show proto 87; tc qdisc show dev br0 handle 5757:"), "");
        assert_eq!(sh("ip -n office -o addr show dev lo | grep -v 'inet 127\\|inet6 ::1/' || true"), "");
        assert_eq!(sh("ip -4 -o addr show dev br0 | wc -l; ip route show 198.51.100.0/24 | wc -l"), "1\n1\n");
        assert_eq!(folder.wireloom("plan lab --exit-code").status, 0);
        folder.wireloom("down lab").ok();
    });
}
