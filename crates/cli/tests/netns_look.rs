//! `status`, `check` and `exec` on real namespaces that somebody has damaged.

mod common;

use common::{Folder, TRIANGLE};
use serde_json::json;
use wireloom_testkit::{ip_in, sandbox, sh};

/// Takes part of it away.
const DAMAGE: &str = "ip -n triangle.r1 addr del 12.12.12.1/24 dev eth1; ip -n triangle.r2 link set eth2 down";

#[test]
fn status_gives_namespaces_and_links_to_programs() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let status = folder.wireloom("status triangle -o json").ok().json();
        assert_eq!((&status["topology"], &status["state"]), (&json!("triangle"), &json!("up")));
        let inode: u64 = sh("stat -Lc %i /run/netns/triangle.r1").trim().parse().unwrap();
        let namespace = json!({"name": "triangle.r1", "path": "/run/netns/triangle.r1", "inode": inode});
        let r1 = &status["nodes"]["r1"];
        assert_eq!((&r1["namespace"], &r1["own"]), (&namespace, &json!(true)));
        let link = &r1["links"][0];
        let seen = &ip_in("triangle.r1", "addr show eth1")[0];
        assert_eq!((&link["name"], &link["mac"], &link["mtu"]), (&json!("eth1"), &seen["address"], &seen["mtu"]));
        assert_eq!((&link["state"], &link["kind"], &link["peer"]), (&json!("up"), &json!("veth"), &json!("r2:eth1")));
        assert_eq!(link["addresses"][0], "12.12.12.1/24");
        assert_eq!((&status["drift"], &status["processes"]), (&json!([]), &json!([])));
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn drift_is_shown_counted_as_a_status_and_mended() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        assert_eq!(folder.wireloom("status triangle --exit-code").status, 0);
        sh(DAMAGE);
        let status = folder.wireloom("status triangle --exit-code");
        assert_eq!(status.status, 2, "{status:?}");
        assert!(status.stdout.contains("\n+ address 12.12.12.1/24 on r1:eth1\n"), "{status:?}");
        assert!(status.stdout.contains("eth2            no-carrier veth to r2:eth2"), "{status:?}");
        let drift = folder.wireloom("status triangle -o json").ok().json()["drift"].clone();
        assert_eq!(drift.as_array().unwrap().len(), 2, "{drift}");
        folder.wireloom("up triangle.yaml").ok();
        assert_eq!(folder.wireloom("status triangle --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_namespace_that_is_gone_is_missing_and_comes_back() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        sh("ip netns del triangle.r1");
        let status = folder.wireloom("status triangle -o json").ok().json();
        assert_eq!(status["nodes"]["r1"]["namespace"]["inode"], json!(null));
        assert_eq!(status["nodes"]["r1"]["links"][0]["state"], "missing");
        let run = folder.wireloom("exec r1 -- true");
        assert_eq!(run.status, 125, "{run:?}");
        assert!(run.stderr.contains("`wireloom up` makes it again"), "{run:?}");
        folder.wireloom("up triangle.yaml").ok();
        folder.wireloom("exec r1 -- ping -c1 -W2 12.12.12.2").ok();
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn who_is_not_up_is_told_who_is() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        for verb in ["status", "check", "plan"] {
            let run = folder.argv(&[verb, "tirangle"]);
            assert_eq!(run.status, 1);
            assert!(run.stderr.contains("did you mean triangle?"), "{run:?}");
        }
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn check_tries_every_pair_and_says_why_not() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let all = folder.wireloom("check triangle").ok();
        assert!(all.stdout.ends_with("triangle: 6 of 6 checks passed\n"), "{all:?}");
        sh(DAMAGE);
        let run = folder.wireloom("check triangle");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stdout.contains("fails: ping r1 -> r2 (12.12.12.2): link r1:eth1 has lost its address"), "{run:?}");
        assert!(run.stdout.contains("fails: ping r2 -> r3 (23.23.23.3): link r2:eth2 is down"), "{run:?}");
        let why = "link r3:eth2 has no carrier: its other end r2:eth2 is down";
        assert!(run.stdout.contains(why), "{run:?}");
        assert!(run.stdout.ends_with("triangle: 2 of 6 checks passed\n"), "{run:?}");
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn checks_of_the_document_are_made_in_their_order() {
    sandbox(|| {
        let checks = "checks:\n  - ping: {from: r1, to: r2}\n  - ping: {from: r1, to: 23.23.23.3, fails: true}\n\
            \x20 - tcp: {from: r3, to: \"13.13.13.1:9\", fails: true}\n  - ping: {from: r1, to: 203.0.113.1, timeout: 100ms}\n";
        let folder = Folder::with(&[("triangle.yaml", &format!("{TRIANGLE}{checks}"))]);
        folder.wireloom("up triangle.yaml").ok();
        let run = folder.wireloom("check triangle -o json");
        let answer = run.json();
        assert_eq!((run.status, &answer["passed"], &answer["failed"]), (1, &json!(3), &json!(1)), "{answer}");
        let kinds: Vec<_> = answer["checks"].as_array().unwrap().iter().map(|check| &check["kind"]).collect();
        assert_eq!(kinds, ["ping", "ping", "tcp", "ping"]);
        let first = &answer["checks"][0];
        assert_eq!(
            (&first["ok"], &first["node"], &first["address"]),
            (&json!(true), &json!("r2"), &json!("12.12.12.2"))
        );
        assert!(first["rtt_us"].is_u64(), "{first}");
        assert_eq!(answer["checks"][3]["why"], "no route leads there");
        assert_eq!(folder.wireloom("check triangle --pairs -o json").ok().json()["passed"], json!(6));
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn check_of_what_is_not_up_says_so() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let run = folder.wireloom("check triangle.yaml");
        assert_eq!(run.status, 1);
        assert!(run.stdout.contains("fails: ping r1 -> r2 (12.12.12.2): node r1 has no namespace"), "{run:?}");
    });
}

#[test]
fn exec_finds_the_node_and_becomes_the_program() {
    sandbox(|| {
        let other = "name: other\nnodes: {r1: {}, x1: {}}\nlinks: [{endpoints: [\"r1:eth7\", \"x1:eth7\"]}]\n";
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE), ("other.yaml", other)]);
        folder.wireloom("up triangle.yaml").ok();
        assert_eq!(folder.wireloom("exec r1 -- ls /sys/class/net").ok().stdout, "eth1\neth2\nlo\n");
        folder.wireloom("up other.yaml").ok();
        let several = folder.wireloom("exec r1 -- true");
        assert_eq!(several.status, 125);
        assert!(several.stderr.contains("several topologies have a node r1: other, triangle"), "{several:?}");
        let chosen = folder.wireloom("exec -t other r1 ls /sys/class/net").ok();
        assert_eq!(chosen.stdout, "eth7\nlo\n");
        assert_eq!(folder.wireloom("exec -f other.yaml r1 -- ls /sys/class/net").ok().stdout, "eth7\nlo\n");
        assert_eq!(folder.argv(&["exec", "x1", "--", "sh", "-c", "exit 7"]).status, 7);
        assert_eq!(folder.wireloom("exec other.x1 -- ls /sys/class/net").ok().stdout, "eth7\nlo\n");
        let elsewhere = folder.wireloom("exec -t triangle x1 -- true");
        let expected = "topology triangle does not have a node x1; one of that name is in other";
        assert!(elsewhere.status == 125 && elsewhere.stderr.contains(expected), "{elsewhere:?}");
        assert_eq!(folder.wireloom("exec x1 -- no-such-program").status, 127);
        assert_eq!(folder.wireloom("exec x1 -- /etc/passwd").status, 126);
        let nearby = folder.wireloom("exec r9 -- true");
        assert!(nearby.status == 125 && nearby.stderr.contains("did you mean r1?"), "{nearby:?}");
        let gone = folder.wireloom("down triangle other nothing -o json").ok().json();
        let was_up = |index: usize| &gone["topologies"][index]["was_up"];
        assert_eq!((was_up(0), was_up(1), was_up(2)), (&json!(false), &json!(true), &json!(true)), "{gone}");
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn a_matrix_tells_kinds_apart_and_a_large_one_is_a_summary() {
    sandbox(|| {
        let checks = "checks:\n  - ping: {from: r1, to: r2}\n  - tcp: {from: r1, to: \"r2:81\", timeout: 100ms}\n";
        let folder = Folder::with(&[("triangle.yaml", &format!("{TRIANGLE}{checks}"))]);
        folder.wireloom("up triangle.yaml").ok();
        let run = folder.wireloom("check triangle");
        let words =
            |line: usize| run.stdout.lines().nth(line).unwrap_or_default().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(0), ["r2", "r2:81"], "{run:?}");
        assert_eq!((words(1)[0], words(1)[2]), ("r1", "FAILS"), "{run:?}");
        folder.wireloom("down triangle").ok();

        let lab = |most: u8| {
            let ends = (1..=most).map(|n| format!("  - {{node: n{n}, dev: e, bridge: s, ip: 10.0.0.{n}/24}}\n"));
            let nodes = (1..=most).map(|n| format!("n{n}: {{}}, ")).collect::<String>();
            let ends = ends.collect::<String>();
            format!("name: lab\nnodes: {{{nodes}}}\nbridges: [{{bridge: s}}]\nlinks:\n{ends}")
        };
        folder.write("lab.yaml", &lab(33));
        let unasked = folder.wireloom("check lab.yaml");
        assert_eq!(unasked.status, 64, "{unasked:?}");
        assert!(unasked.stderr.contains("lab has 33 nodes and no checks of its own; `--pairs` tries all 1056 pairs"));
        // More than the kernel's table of neighbours takes; and it is left as it was.
        folder.write("lab.yaml", &lab(40));
        folder.wireloom("up lab.yaml").ok();
        sh("ip netns exec lab.n1 ping -c1 -W5 10.0.0.2");
        let all = folder.wireloom("check lab --pairs").ok();
        assert_eq!(all.stdout, "lab: 1560 of 1560 checks passed\n");
        let known = sh("for n in 1 2 3; do ip -n lab.n$n -4 neigh; done | cut -d' ' -f1");
        assert_eq!(known, "10.0.0.2\n10.0.0.1\n");
        folder.write("lab.yaml", &lab(21));
        folder.wireloom("up lab.yaml").ok();
        sh("ip -n lab.n7 link set e down");
        let run = folder.wireloom("check lab --pairs");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stdout.contains("    20 failed: link n7:e is down (no route leads there)\n"), "{run:?}");
        assert!(run.stdout.contains("... and 20 more"), "{run:?}");
        assert!(run.stdout.ends_with("lab: 380 of 420 checks passed\n"), "{run:?}");
        folder.wireloom("down lab").ok();
    });
}
