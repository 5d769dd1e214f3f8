//! VLANs of bridges, which many kernels lack.

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
