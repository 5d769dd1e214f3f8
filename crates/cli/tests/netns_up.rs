//! `up`, `plan`, `down` on real namespaces, looked at by `ip`.

mod common;

use common::{Folder, TRIANGLE};
use serde_json::{Value, json};
use wireloom_testkit::{assert_same_dump, host_dump, ip_in, run, sandbox, sh, sh_in, wireloom};

fn mtu(netns: &str, link: &str) -> Value {
    ip_in(netns, &format!("link show {link}"))[0]["mtu"].clone()
}

#[test]
fn up_makes_it_again_does_nothing_and_down_leaves_no_trace() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        sh("ip netns add other");
        let before = host_dump();
        let first = folder.wireloom("up triangle.yaml").ok();
        let expected = "triangle: 3 namespaces, 3 links, 6 addresses, 1 sysctl in ";
        assert!(first.stdout.starts_with(expected) && first.stdout.lines().count() == 1, "{first:?}");
        sh_in("triangle.r1", "ping -c1 -W2 12.12.12.2");
        assert_eq!(folder.wireloom("up triangle.yaml").ok().stdout, "triangle: nothing to do\n");
        let gone = folder.wireloom("down triangle").ok();
        assert!(gone.stdout.starts_with("triangle: removed 3 namespaces in "), "{gone:?}");
        assert_same_dump(&before, &host_dump());
        assert_eq!(sh("ls /run"), "netns\n");
        assert_eq!(folder.wireloom("down triangle").ok().stdout, "triangle: not up\n");
    });
}

#[test]
fn programs_learn_what_changed_and_how_long_it_took() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let answer = folder.wireloom("up triangle.yaml -o json").ok().json();
        assert_eq!(answer["topology"], "triangle");
        let added = json!({"namespaces": 3, "links": 3, "addresses": 6, "sysctls": 1});
        assert_eq!(answer["summary"], json!({"added": added, "changed": {}, "removed": {}}));
        let namespace = json!({"action": "add", "object": "namespace", "node": "r1", "text": "namespace r1"});
        assert_eq!(answer["changed"][0], namespace);
        let phases: Vec<_> = answer["phases"].as_array().unwrap().iter().map(|phase| &phase["name"]).collect();
        assert_eq!((phases[0], phases[phases.len() - 1]), (&json!("observe"), &json!("verify")));
        assert!(phases.contains(&&json!("links")) && phases.contains(&&json!("namespaces")), "{phases:?}");
        assert!(answer["phases"].as_array().unwrap().iter().all(|phase| phase["ms"].is_f64()));
        assert_eq!((&answer["left_alone"], &answer["warnings"]), (&json!([]), &json!([])));
        let gone = folder.wireloom("down triangle.yaml -o json").ok().json();
        assert_eq!((&gone["was_up"], &gone["summary"]["removed"]), (&json!(true), &json!({"namespaces": 3})));
        assert_eq!(folder.wireloom("down triangle.yaml -o json").ok().json()["was_up"], json!(false));
    });
}

#[test]
fn a_changed_document_changes_what_differs_and_plan_says_so_before() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let index = ip_in("triangle.r1", "link show eth1")[0]["ifindex"].clone();
        let faster = TRIANGLE.replace("12.12.12.2/24]", "12.12.12.22/24], mtu: 9000");
        folder.write("triangle.yaml", &faster);
        let lines = "~ link r1:eth1: mtu 1500 -> 9000\n~ link r2:eth1: mtu 1500 -> 9000\n\
            - address 12.12.12.2/24 on r2:eth1\n+ address 12.12.12.22/24 on r2:eth1\n";
        let plan = folder.wireloom("plan triangle.yaml").ok();
        let summary = "triangle: made 1 address; changed 2 links; removed 1 address";
        let to_come = "triangle: would make 1 address; change 2 links; remove 1 address";
        assert_eq!(plan.stdout, format!("{lines}{to_come}\n"));
        assert_eq!(folder.wireloom("plan triangle.yaml --exit-code").status, 2);
        assert_eq!(mtu("triangle.r1", "eth1"), 1500);
        let up = folder.wireloom("up triangle.yaml").ok();
        assert!(up.stdout.starts_with(&format!("{lines}{summary} in ")), "{up:?}");
        assert_eq!((mtu("triangle.r1", "eth1"), mtu("triangle.r2", "eth1")), (json!(9000), json!(9000)));
        assert_eq!(ip_in("triangle.r1", "link show eth1")[0]["ifindex"], index);
        assert_eq!(folder.wireloom("plan triangle.yaml --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_link_that_cannot_be_changed_is_replaced_with_a_reason() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        folder.write("triangle.yaml", &TRIANGLE.replace("\"r2:eth1\"]", "\"r3:eth9\"]"));
        let plan = folder.wireloom("plan triangle.yaml").ok();
        assert!(plan.stdout.starts_with("- link r1:eth1 <-> r2:eth1 veth mtu 1500 (replaced: "), "{plan:?}");
        let rows = folder.wireloom("plan triangle.yaml -o json").ok().json();
        let row = &rows["changes"][0];
        assert_eq!((&row["action"], &row["object"], &row["name"]), (&json!("remove"), &json!("link"), &json!("eth1")));
        assert!(row["reason"].as_str().unwrap().contains("r3:eth9"), "{row}");
        folder.wireloom("up triangle.yaml").ok();
        assert_eq!(folder.wireloom("up triangle.yaml").ok().stdout, "triangle: nothing to do\n");
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn what_others_added_is_shown_and_left_alone() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        sh("ip -n triangle.r1 addr add 192.0.2.1/24 dev eth1");
        let again = folder.wireloom("up triangle.yaml").ok();
        let expected = "triangle: nothing to do\nof others, left alone:\n  address 192.0.2.1/24 on r1:eth1\n";
        assert_eq!(again.stdout, expected);
        let row =
            json!([{"object": "address", "node": "r1", "name": "eth1", "text": "address 192.0.2.1/24 on r1:eth1"}]);
        assert_eq!(folder.wireloom("plan triangle.yaml -o json").ok().json()["left_alone"], row);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn something_foreign_in_the_way_is_named_and_nothing_changes() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        sh("ip netns add triangle.r2");
        let before = host_dump();
        let run = folder.wireloom("up triangle.yaml -o json");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stderr.contains("triangle.r2 for node r2 exists already and is not ours"), "{run:?}");
        assert!(run.json()["error"]["message"].as_str().unwrap().contains("exists already"), "{run:?}");
        assert_same_dump(&before, &host_dump());
        assert_eq!(folder.wireloom("ls -o json").ok().json(), json!({"topologies": []}));
        folder.wireloom("down triangle").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_step_that_fails_is_undone_unless_it_is_to_be_kept() {
    sandbox(|| {
        // Only the kernel knows its settings: nothing sees it coming before the links are there.
        let bad = "name: bad\nnodes: {a: {sysctl: {net.ipv4.no_such_setting: 1}}, b: {}}\n\
            links: [{endpoints: [\"a:x\", \"b:x\"]}]\n";
        let folder = Folder::with(&[("bad.yaml", bad)]);
        let run = folder.wireloom("up bad.yaml");
        assert_eq!(run.status, 65, "{run:?}");
        assert!(run.stderr.contains("this kernel has no setting net.ipv4.no_such_setting, which node a"), "{run:?}");
        assert_eq!(sh("ls /run/netns"), "");
        assert_eq!(sh("ls /run"), "netns\n");
        let kept = folder.wireloom("up bad.yaml --keep-partial");
        assert!(kept.stderr.contains("were kept"), "{kept:?}");
        assert_eq!(sh("ls /run/netns"), "bad.a\nbad.b\n");
        assert_eq!(folder.wireloom("ls -o json").ok().json()["topologies"][0]["state"], "interrupted");
        folder.wireloom("down bad").ok();
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn a_failed_ping_before_is_no_holder_of_a_namespace() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        // Packets that wait for a neighbour keep a namespace for three seconds.
        sh("ip -n triangle.r1 addr del 12.12.12.1/24 dev eth1");
        sh("ip netns exec triangle.r2 ping -c1 -W0.1 12.12.12.1 || true");
        let gone = folder.wireloom("down triangle -o json").ok();
        assert_eq!((&gone.json()["holders"], &gone.json()["warnings"]), (&json!([]), &json!([])));
        assert!(!gone.stderr.contains("warning"), "{gone:?}");
    });
}

#[test]
fn nothing_in_the_environment_takes_everything_down() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        for twin in ["WIRELOOM_DOWN_ALL", "WIRELOOM_ALL"] {
            let refused = run(wireloom().current_dir(folder.path("..")).env(twin, "1").arg("down"));
            assert_eq!(refused.status, 64, "{refused:?}");
        }
        sh("ip netns add blue; ip -n blue link set lo alias wireloom:lost/blue");
        let audit = run(wireloom().env("WIRELOOM_FIX", "1").arg("audit"));
        assert_eq!(audit.status, 1, "{audit:?}");
        folder.wireloom("down --all").ok();
    });
}

#[test]
fn down_needs_no_ledger_and_takes_all() {
    sandbox(|| {
        let other = TRIANGLE.replace("name: triangle", "name: other");
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE), ("other.yaml", &other)]);
        folder.wireloom("up triangle.yaml").ok();
        folder.wireloom("up other.yaml").ok();
        sh("rm -r /run/wireloom/other");
        let names = folder.wireloom("ls -o json").ok().json();
        assert_eq!(names["topologies"].as_array().unwrap().len(), 1);
        let gone = folder.wireloom("down --all -o json").ok().json();
        let topologies: Vec<_> = gone["topologies"].as_array().unwrap().iter().map(|t| &t["topology"]).collect();
        assert_eq!(topologies, ["other", "triangle"]);
        assert_eq!(sh("ls /run/netns; ls /run"), "netns\n");
        assert_eq!(folder.wireloom("down --all").ok().stdout, "nothing is up\n");
    });
}

#[test]
fn a_name_that_a_kill_left_without_a_namespace_is_no_obstacle() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        for verb in ["down triangle", "up triangle.yaml"] {
            sh("ip netns del triangle.r2; touch /run/netns/triangle.r2");
            folder.wireloom(verb).ok();
            let names = sh("ls /run/netns");
            assert_eq!(names, if verb.starts_with("up") { "triangle.r1\ntriangle.r2\ntriangle.r3\n" } else { "" });
            folder.wireloom("up triangle.yaml").ok();
        }
        assert_eq!(folder.wireloom("plan triangle --exit-code").status, 0);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_setting_of_a_namespace_of_others_is_put_back() {
    sandbox(|| {
        let lab = "name: lab\nnodes: {blue: {netns: blue, sysctl: {net.ipv4.ip_forward: 1}}, a: {}}\n\
            links: [{endpoints: [\"a:x\", \"blue:x\"], ip: [10.0.0.1/24, 10.0.0.2/24]}]\n";
        let folder = Folder::with(&[("lab.yaml", lab)]);
        let missing = folder.wireloom("up lab.yaml");
        assert_eq!(missing.status, 1);
        assert!(missing.stderr.contains("namespace blue for node blue does not exist"), "{missing:?}");
        sh("ip netns add blue");
        sh_in("blue", "sysctl -qw net.ipv4.ip_forward=0");
        let before = host_dump();
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(sh_in("blue", "sysctl -n net.ipv4.ip_forward"), "1\n");
        folder.wireloom("down lab").ok();
        assert_eq!(sh_in("blue", "sysctl -n net.ipv4.ip_forward"), "0\n");
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_node_that_becomes_a_namespace_of_others_leaves_nothing_of_ours() {
    sandbox(|| {
        let lab = "name: lab\nnodes: {a: {}, b: {}}\nlinks: [{endpoints: [\"a:x\", \"b:x\"]}]\n";
        let folder = Folder::with(&[("lab.yaml", lab)]);
        sh("ip netns add blue");
        let before = host_dump();
        for b in ["b: {}", "b: {netns: blue}", "b: {}"] {
            folder.write("lab.yaml", &lab.replace("b: {}", b));
            folder.wireloom("up lab.yaml").ok();
            let names = if b == "b: {}" { "blue\nlab.a\nlab.b\n" } else { "blue\nlab.a\n" };
            assert_eq!(sh("ls /run/netns"), names);
            assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        }
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn down_finds_what_a_document_made_that_is_broken_by_now() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        folder.write("triangle.yaml", "name: [");
        let run = folder.wireloom("down triangle.yaml").ok();
        assert!(run.stderr.contains("triangle was made from it"), "{run:?}");
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn ls_tells_what_is_up() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let empty = folder.wireloom("ls").ok();
        assert_eq!((empty.stdout.as_str(), empty.stderr.as_str()), ("", "nothing is up\n"));
        folder.wireloom("up triangle.yaml").ok();
        let file = folder.path("triangle.yaml").display().to_string();
        let row = json!({"name": "triangle", "state": "up", "nodes": 3, "links": 3, "documents": [file]});
        assert_eq!(folder.wireloom("ls -o json").ok().json(), json!({"topologies": [row]}));
        assert_eq!(folder.wireloom("ls").ok().stdout, format!("triangle  up  3 nodes, 3 links  {file}\n"));
        let script = format!(
            "cd {}; mkdir sub; echo 'name: b\nnodes: {{a: {{}}}}' >b.yaml; {1} up sub/../b.yaml; \
             echo 'name: c\nnodes: {{a: {{}}}}' | {1} up - 2>&1",
            folder.path("").display(),
            wireloom().get_program().display()
        );
        sh(&script);
        let b = folder.path("b.yaml").display().to_string();
        let lines = [
            format!("b         up  1 node, 0 links   {b}\n"),
            "c         up  1 node, 0 links   (stdin)\n".to_owned(),
            format!("triangle  up  3 nodes, 3 links  {file}\n"),
        ];
        assert_eq!(folder.wireloom("ls").ok().stdout, lines.concat());
        folder.wireloom("down --all").ok();
    });
}
