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
        sh(
            "ip -n blue link set mine alias wireloom:lost/blue:mine; ip link add br0 type bridge; touch /run/netns/gone.x",
        );
        let run = folder.wireloom("audit");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stdout.contains("stray: link mine of lost (/run/netns/blue)\n"), "{run:?}");
        assert!(run.stdout.contains("stray: namespace r1 of other (/run/netns/other.r1)\n"), "{run:?}");
        assert!(run.stdout.contains("stray: name gone.x of gone (/run/netns/gone.x)\n"), "{run:?}");
        assert!(run.stdout.contains("triangle: 9 objects in place\n"), "{run:?}");
        let fixed = folder.wireloom("audit --fix -o json").ok().json();
        assert_eq!((&fixed["stray"], &fixed["fixed"]), (&json!(0), &json!(11)), "{fixed}");
        assert_eq!(sh("ls /run/netns"), "blue\ntriangle.r1\ntriangle.r2\ntriangle.r3\n");
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
