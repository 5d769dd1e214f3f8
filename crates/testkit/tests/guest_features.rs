//! What the guest tier is for: kinds that many kernels lack can be made there, and packets cross them.
//! Only the observers are used, so that a failure here is the guest's and not Wireloom's.

use wireloom_testkit::{ip_in, needs, sandbox, sh, sh_in};

/// Two namespaces, a and b, joined by a veth pair that is up: e0 in each.
const PAIR: &str = "
    ip netns add a
    ip netns add b
    ip -n a link add e0 type veth peer name e0 netns b
    ip -n a link set e0 up
    ip -n b link set e0 up";

#[test]
fn a_ping_crosses_a_vlan() {
    needs!("vlan");
    sandbox(|| {
        sh(PAIR);
        for (netns, address) in [("a", "10.7.0.1/24"), ("b", "10.7.0.2/24")] {
            sh(&format!(
                "ip -n {netns} link add link e0 name e0.7 type vlan id 7
                 ip -n {netns} addr add {address} dev e0.7
                 ip -n {netns} link set e0.7 up"
            ));
        }
        sh_in("a", "ping -c 1 -W 10 10.7.0.2");
        assert_eq!(ip_in("b", "link show e0.7")[0]["linkinfo"]["info_data"]["id"], 7);
    });
}

#[test]
fn a_dummy_holds_an_address_that_answers() {
    needs!("dummy");
    sandbox(|| {
        sh("ip link add d0 type dummy; ip addr add 192.0.2.1/32 dev d0; ip link set d0 up; ip link set lo up");
        sh("ping -c 1 -W 10 192.0.2.1");
    });
}

#[test]
fn netem_delays_a_ping_at_least_as_long_as_asked() {
    needs!("netem");
    sandbox(|| {
        sh(PAIR);
        sh("ip -n a addr add 10.0.0.1/24 dev e0; ip -n b addr add 10.0.0.2/24 dev e0
            tc -n a qdisc add dev e0 root netem delay 200ms");
        let reply = sh_in("a", "ping -c 2 -W 20 10.0.0.2");
        let times: Vec<f64> =
            reply.split("time=").skip(1).filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect();
        assert_eq!(times.len(), 2, "{reply}");
        assert!(times.iter().all(|time| *time >= 200.0), "{reply}");
    });
}

#[test]
fn the_kinds_of_later_issues_can_be_made() {
    needs!("vrf", "ipvlan", "geneve", "wireguard", "gre", "ipip", "bond", "netkit");
    sandbox(|| {
        sh("ip link add blue type vrf table 10; ip link add wg0 type wireguard");
        let kinds = ["blue", "wg0"]
            .map(|name| wireloom_testkit::ip(&format!("link show {name}"))[0]["linkinfo"]["info_kind"].clone());
        assert_eq!(kinds, ["vrf", "wireguard"]);
    });
}
