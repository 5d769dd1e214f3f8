//! Ways out and forwarded ports, from a document: what `plan` says, connections that cross, what `audit` finds, and the rules
//! of the machine before and after.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh, sh_in};

/// A web server behind a bridge that has no way to the host, and one that has an uplink of IPv6, too.
const WEB: &str = r#"
name: shop
nodes:
  web: {}
  api: {internet: {ipv6: true}}
links:
  - {node: web, dev: eth0, bridge: s1, ip: 10.0.1.10/24, route: default via 10.0.1.1, forward: "8080:80/tcp"}
  - {node: api, dev: eth0, bridge: s1, ip: 10.0.1.11/24, forward: ["8081:80/tcp", "[2001:db8::1]:9090:80"]}
commands:
  - {node: web, command: busybox httpd -f -p 80, supervised: true}
  - {node: api, command: busybox httpd -f -p 80, supervised: true}
"#;

/// A host with Docker's rules, and another one beside it.
const MACHINE: &str = "ip link set lo up; ip netns add lan; ip link add eth0 type veth peer name eth0 netns lan
ip link set eth0 addrgenmode none; ip -n lan link set eth0 addrgenmode none
ip addr add 192.0.2.1/24 dev eth0; ip -6 addr add 2001:db8::1/64 dev eth0 nodad; ip link set eth0 up
ip -n lan addr add 192.0.2.9/24 dev eth0; ip -n lan -6 addr add 2001:db8::9/64 dev eth0 nodad; ip -n lan link set eth0 up
nft -f - <<'X'
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}
table ip6 filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}
X
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0";

const SETTINGS: &str = "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding";

/// The server's own answer to a question for a file that is not there.
fn answers(netns: Option<&str>, address: &str, port: u16) -> bool {
    let ask = format!("exec 3<>/dev/tcp/{address}/{port} && printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3 && cat <&3");
    let script = format!("timeout 3 bash -c '{ask}' 2>&1 || true");
    netns.map_or_else(|| sh(&script), |netns| sh_in(netns, &script)).contains("404 Not Found")
}

#[test]
fn a_document_opens_ports_and_ways_out_past_docker_and_leaves_nothing() {
    sandbox(|| {
        sh(MACHINE);
        let folder = Folder::with(&[("shop.yaml", WEB)]);
        let (before, settings) = (host_dump(), sh(SETTINGS));
        let plan = folder.wireloom("plan shop.yaml -o json").ok().json();
        let rows = plan["changes"].as_array().unwrap();
        let of_host = rows.iter().find(|row| row["object"] == "firewall" && row["node"] == "host").unwrap();
        assert_eq!(of_host["text"], "firewall in host: 4 forwards, 1 way out, past Docker");
        folder.wireloom("up shop.yaml").ok();
        eventually("the servers listen", || answers(None, "127.0.0.1", 8080) && answers(None, "127.0.0.1", 8081));
        assert!(answers(Some("lan"), "192.0.2.1", 8080));
        assert!(answers(Some("lan"), "192.0.2.1", 8081));
        eventually("the router knows its own addresses", || answers(Some("lan"), "2001:db8::1", 9090));
        assert!(answers(Some("shop.api"), "192.0.2.1", 8080), "by the host's address");
        sh_in("shop.api", "ping -c1 -w5 192.0.2.9; ping -6 -c1 -w5 2001:db8::9");
        assert_eq!(folder.wireloom("plan shop --exit-code").status, 0);
        let again = folder.wireloom("up shop.yaml -o json").ok().json();
        assert_eq!(again["changed"].as_array().map(Vec::len), Some(0), "{again}");
        folder.wireloom("audit").ok();
        folder.wireloom("down shop").ok();
        assert_eq!(sh(SETTINGS), settings);
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn a_table_whose_ledger_is_lost_is_stray_and_goes_with_its_rule() {
    sandbox(|| {
        sh(MACHINE);
        let before = sh("nft -s list ruleset");
        let folder = Folder::with(&[("shop.yaml", WEB)]);
        folder.wireloom("up shop.yaml").ok();
        sh("rm -r /run/wireloom/shop; ip netns del shop.web; ip netns del shop.api; ip netns del wireloom-shop");
        let run = folder.wireloom("audit");
        assert!(run.status == 1 && run.stdout.contains("stray: table inet wireloom_shop of shop ("), "{run:?}");
        folder.wireloom("audit --fix").ok();
        assert_eq!(sh("nft -s list ruleset"), before);
        folder.wireloom("audit").ok();
    });
}

#[test]
fn a_table_of_others_is_a_conflict_and_stays() {
    sandbox(|| {
        let folder = Folder::with(&[("shop.yaml", WEB)]);
        sh("nft add table inet wireloom_shop");
        let run = folder.wireloom("up shop.yaml");
        assert!(
            run.status != 0 && run.stderr.contains("nftables table inet wireloom_shop in host exists already"),
            "{run:?}"
        );
        assert_eq!(sh("nft list ruleset"), "table inet wireloom_shop {\n}\n");
        assert_eq!(sh("ip netns"), "");
    });
}
