//! Options of bridges and of their ports: what crosses, what does not, and how they change in place.

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh_in};

/// Three hosts on a bridge.
fn three(options: &str, port: &str) -> String {
    format!(
        r#"
name: lan
links:
  - {{node: a, bridge: s1, ip: 10.0.0.1/24 {port}}}
  - {{node: b, bridge: s1, ip: 10.0.0.2/24 {port}}}
  - {{node: c, bridge: s1, ip: 10.0.0.3/24}}
bridges: [{{bridge: s1 {options}}}]
"#
    )
}

fn reaches(from: &str, to: &str) -> bool {
    sh_in(from, &format!("ping -c 1 -W 1 {to} >/dev/null && echo yes || echo no")).trim() == "yes"
}

#[test]
fn isolated_ports_reach_only_the_others_and_change_in_place() {
    sandbox(|| {
        let folder = Folder::with(&[("lan.yaml", &three("", ", isolated: true"))]);
        let before = host_dump();
        folder.wireloom("up lan.yaml").ok();
        assert_eq!(folder.wireloom("up lan.yaml").ok().stdout, "lan: nothing to do\n");
        assert!(reaches("lan.a", "10.0.0.3") && !reaches("lan.a", "10.0.0.2"));
        folder.write("lan.yaml", &three("", ""));
        let up = folder.wireloom("up lan.yaml").ok();
        assert!(up.stdout.contains("~ link wireloom-lan:a-eth0: port isolated -> plain"), "{up:?}");
        assert!(reaches("lan.a", "10.0.0.2"), "what the document does not say any more is as it was");
        sh_in("wireloom-lan", "bridge link set dev a-eth0 hairpin on");
        let drift = folder.wireloom("status lan.yaml");
        assert!(drift.stdout.contains("port hairpin -> plain"), "{drift:?}");
        folder.wireloom("down lan.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn every_option_is_as_the_kernel_shows_it() {
    sandbox(|| {
        let options = ", stp: true, group-fwd-mask: 65528, priority: 4096, forward-delay: 2, hello-time: 1, max-age: 6, \
                       ageing: 77, multicast-snooping: false";
        let folder = Folder::with(&[(
            "lan.yaml",
            &three(options, ", hairpin: true, learning: false, guard: true, cost: 9, priority: 3"),
        )]);
        folder.wireloom("up lan.yaml").ok();
        assert_eq!(folder.wireloom("up lan.yaml").ok().stdout, "lan: nothing to do\n");
        let bridge = sh_in("wireloom-lan", "ip -d link show s1");
        for word in [
            "stp_state 1",
            "group_fwd_mask 0xfff8",
            "priority 4096",
            "forward_delay 200",
            "hello_time 100",
            "max_age 600",
            "ageing_time 7700",
            "mcast_snooping 0",
        ] {
            assert!(bridge.contains(word), "{word}: {bridge}");
        }
        let port = sh_in("wireloom-lan", "bridge -d link show dev a-eth0");
        for word in ["hairpin on", "learning off", "guard on", "cost 9", "priority 3"] {
            assert!(port.contains(word), "{word}: {port}");
        }
        folder.write("lan.yaml", &three(", stp: false, priority: 8192", ""));
        folder.wireloom("up lan.yaml").ok();
        let bridge = sh_in("wireloom-lan", "ip -d link show s1");
        assert!(bridge.contains("stp_state 0") && bridge.contains("priority 8192"), "{bridge}");
        folder.wireloom("down lan.yaml").ok();
    });
}

#[test]
fn a_kernel_without_vlans_of_bridges_says_so() {
    sandbox(|| {
        if wireloom_testkit::has_kind("bridge-vlan") {
            return;
        }
        let folder = Folder::with(&[("lan.yaml", &three("", ", vlan: 7"))]);
        let before = host_dump();
        let run = folder.wireloom("up lan.yaml");
        assert!(run.status == 69 && run.stderr.contains("VLANs of bridges"), "{run:?}");
        assert_same_dump(&before, &host_dump());
    });
}
