//! What fits through a tunnel that leaves by an interface which the document does not make.

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, host_dump, ip_in, sandbox, sh};

const LAB: &str = r#"
name: lab
nodes: {h1: {}}
links: [{node: h1, bridge: s1, ip: 10.0.0.1/24}]
tunnels: [{type: vxlan, bridge: s1, vni: 7, remote: 192.0.2.7MORE}]
"#;

/// The host's uplink, with a way to the other end by a gateway.
const UPLINK: &str = "ip link add uplink mtu 9000 type veth peer name far; ip link set uplink addrgenmode none up
    ip link set far addrgenmode none up; ip addr add 198.51.100.1/24 dev uplink; ip route add default via 198.51.100.2";

fn mtu(netns: &str, link: &str) -> u64 {
    ip_in(netns, &format!("link show {link}"))[0]["mtu"].as_u64().expect("a number")
}

#[test]
fn the_mtu_is_what_fits_into_the_hosts_uplink() {
    sandbox(|| {
        sh(UPLINK);
        let before = host_dump();
        let folder = Folder::with(&[("lab.yaml", &LAB.replace("MORE", ""))]);
        let plan = folder.wireloom("plan lab.yaml").ok().stdout;
        assert!(plan.contains("vx7 vxlan vni 7 remote 192.0.2.7") && plan.contains("mtu 8950"), "{plan}");
        folder.wireloom("up lab.yaml").ok();
        assert_eq!([mtu("lab.h1", "eth0"), mtu("wireloom-lab", "s1"), mtu("wireloom-lab", "vx7")], [8950; 3]);
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        // Nearer than the default route: another interface, with less room.
        sh("ip link add near mtu 1400 type veth peer name off; ip link set near addrgenmode none up
            ip link set off addrgenmode none up; ip addr add 192.0.2.1/24 dev near");
        assert!(folder.wireloom("plan lab.yaml").ok().stdout.contains("mtu 8950 -> 1350"));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!([mtu("lab.h1", "eth0"), mtu("wireloom-lab", "vx7")], [1350; 2]);
        sh("ip link del near");
        folder.wireloom("down lab.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn more_than_fits_is_a_mistake_that_names_the_uplink() {
    sandbox(|| {
        sh(UPLINK);
        let folder = Folder::with(&[("lab.yaml", &LAB.replace("MORE", ", mtu: 8951"))]);
        let run = folder.wireloom("up lab.yaml");
        let words = "mtu 8951 of wireloom-lab:vx7 is above what host:uplink passes on, 8950";
        assert!(run.status == 65 && run.stderr.contains(words), "{run:?}");
        folder.wireloom("validate lab.yaml").ok();
    });
}
