//! Firewalls on a real kernel: connections that cross them, read back with `nft` and `conntrack`, while rules like Docker's
//! drop whatever is forwarded.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use machine::{Machine, state};
use wireloom_engine::{Conflict, Failure, State};
use wireloom_netns::Netns;
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh, sh_in};

/// What a host with Docker has: all that is forwarded is dropped, but for what DOCKER-USER lets pass.
const DOCKER: &str = "nft -f - <<'X'
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}
table ip6 filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}
X";

/// A host, a neighbour of its, and one more of ours.
const LAN: &str = "ip link set lo up
ip netns add lan
ip link add eth0 type veth peer name eth0 netns lan; ip link set eth0 addrgenmode none; ip -n lan link set eth0 addrgenmode none
sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip netns exec lan sysctl -qw net.ipv6.conf.eth0.accept_dad=0
ip addr add 192.0.2.1/24 dev eth0; ip addr add 2001:db8::1/64 dev eth0; ip link set eth0 up
ip -n lan addr add 192.0.2.9/24 dev eth0; ip -n lan addr add 2001:db8::9/64 dev eth0; ip -n lan link set eth0 up";

/// Two nodes with an uplink each; what is forwarded stands in FIREWALL.
const NODES: &str = "
owner: fw
namespaces:
  host:
    source: current
    sysctls:
      net.ipv4.ip_forward: '1'
      net.ipv6.conf.all.forwarding: '1'
      net.ipv4.conf.wl0.route_localnet: '1'
      net.ipv4.conf.wl1.route_localnet: '1'
    links:
      wl0: {kind: {veth: {peer: 'web:up'}}, up: true, group: GROUP, alias: 'wireloom:fw/host:wl0', addresses: [{net: 198.18.0.0/31}, {net: 'fd00::0/127', nodad: true}]}
      wl1: {kind: {veth: {peer: 'db:up'}}, up: true, group: GROUP, alias: 'wireloom:fw/host:wl1', addresses: [{net: 198.18.0.2/31}, {net: 'fd00::2/127', nodad: true}]}
    FIREWALL
  web:
    source: {named: fw.web}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:fw/web'}
      up: {kind: {veth: {peer: 'host:wl0'}}, up: true, group: GROUP, alias: 'wireloom:fw/web:up', addresses: [{net: 198.18.0.1/31}, {net: 'fd00::1/127', nodad: true}]}
    routes: [{destination: 0.0.0.0/0, hops: [{via: 198.18.0.0}]}, {destination: '::/0', hops: [{via: 'fd00::'}]}]
  db:
    source: {named: fw.db}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:fw/db'}
      up: {kind: {veth: {peer: 'host:wl1'}}, up: true, group: GROUP, alias: 'wireloom:fw/db:up', addresses: [{net: 198.18.0.3/31}, {net: 'fd00::3/127', nodad: true}]}
    routes: [{destination: 0.0.0.0/0, hops: [{via: 198.18.0.2}]}, {destination: '::/0', hops: [{via: 'fd00::2'}]}]
";

/// web has a way out and db has not; web's client addresses are kept, db's hidden.
const FIREWALL: &str = "firewall:
      forwards:
        - {protocol: tcp, port: 8080, to: '198.18.0.1:80', via: wl0, hide: [127.0.0.0/8, 198.18.0.0/31]}
        - {protocol: tcp, port: 8080, to: '[fd00::1]:80', via: wl0, hide: ['fd00::/127']}
        - {protocol: tcp, outer: 192.0.2.1, port: 8081, to: '198.18.0.3:80', via: wl1, hide: [0.0.0.0/0]}
        - {protocol: udp, port: 53, to: '198.18.0.3:53', via: wl1, hide: [0.0.0.0/0]}
      uplinks:
        - {dev: wl0, sources: [198.18.0.1/32, 'fd00::1/128']}
";

fn nodes(firewall: &str) -> State {
    state(&NODES.replace("FIREWALL", firewall.trim_end()))
}

fn inside<T: Send>(netns: &str, f: impl FnOnce() -> T + Send) -> T {
    match netns {
        "host" => f(),
        name => Netns::named(name).unwrap().run(f).unwrap(),
    }
}

/// A server that says who it is and whom it sees, and then says again what it hears.
fn serve(netns: &str, address: &str) {
    let listener = inside(netns, || TcpListener::bind(address)).unwrap();
    let name = netns.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let name = name.clone();
            thread::spawn(move || {
                let mut stream = stream;
                let peer = stream.peer_addr().unwrap().ip();
                let mut said = stream.write_all(format!("{name} sees {peer}\n").as_bytes());
                let mut bytes = [0; 64];
                while let (Ok(()), Ok(length @ 1..)) = (&said, stream.read(&mut bytes)) {
                    said = stream.write_all(&bytes[..length]);
                }
            });
        }
    });
}

fn connect(netns: &str, address: &str) -> std::io::Result<(TcpStream, String)> {
    let address: SocketAddr = address.parse().unwrap();
    let mut stream = inside(netns, || TcpStream::connect_timeout(&address, Duration::from_secs(2)))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut bytes = [0; 64];
    let length = stream.read(&mut bytes)?;
    Ok((stream, String::from_utf8_lossy(&bytes[..length]).trim().to_owned()))
}

fn ask(netns: &str, address: &str) -> String {
    connect(netns, address).map_or_else(|error| error.kind().to_string(), |(_, words)| words)
}

fn servers() {
    for (netns, address) in [("fw.web", "0.0.0.0:80"), ("fw.db", "0.0.0.0:80"), ("lan", "0.0.0.0:7")] {
        serve(netns, address);
    }
    serve("fw.web", "[fd00::1]:80");
}

/// A router of IPv6 cannot ask for neighbours until its link-local addresses are known to be unique.
fn settle() {
    eventually("no address is tentative", || {
        sh("ip -6 addr show tentative; ip -n fw.web -6 addr show tentative").is_empty()
    });
}

fn settings() -> String {
    sh("sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding")
}

#[test]
fn a_forward_is_reached_from_everywhere_although_docker_drops_what_is_forwarded() {
    sandbox(|| {
        sh(LAN);
        sh(DOCKER);
        sh("nft add table inet others; nft add chain inet others c; sysctl -qw net.ipv4.ip_forward=0");
        let (machine_before, rules, set) = (host_dump(), sh("nft list ruleset"), settings());
        let mut machine = Machine::new();
        let desired = nodes(FIREWALL);
        machine.up(&desired).unwrap();
        servers();
        settle();
        // From another host: the client is seen as who it is where answers find back.
        assert_eq!(ask("lan", "192.0.2.1:8080"), "fw.web sees 192.0.2.9");
        assert_eq!(ask("lan", "[2001:db8::1]:8080"), "fw.web sees 2001:db8::9");
        assert_eq!(ask("lan", "192.0.2.1:8081"), "fw.db sees 198.18.0.2");
        // From the host itself.
        assert_eq!(ask("host", "192.0.2.1:8080"), "fw.web sees 192.0.2.1");
        assert_eq!(ask("host", "127.0.0.1:8080"), "fw.web sees 198.18.0.0");
        assert_eq!(ask("host", "[2001:db8::1]:8080"), "fw.web sees 2001:db8::1");
        assert_eq!(ask("host", "[::1]:8080"), "connection refused", "so that programs go on to 127.0.0.1");
        assert_eq!(ask("host", "127.0.0.1:8081"), "connection refused", "only the one address");
        // From a node, its own forward too.
        assert_eq!(ask("fw.db", "198.18.0.2:8080"), "fw.web sees 198.18.0.3");
        assert_eq!(ask("fw.db", "192.0.2.1:8080"), "fw.web sees 198.18.0.3");
        assert_eq!(ask("fw.web", "192.0.2.1:8080"), "fw.web sees 198.18.0.0");
        assert_eq!(ask("fw.web", "192.0.2.1:8081"), "fw.db sees 198.18.0.2");
        // The way out, and what is none.
        assert_eq!(ask("fw.web", "192.0.2.9:7"), "lan sees 192.0.2.1");
        assert_eq!(ask("fw.db", "192.0.2.9:7"), "timed out", "db has no way out");
        sh("ip -n lan route add 198.18.0.0/24 via 192.0.2.1");
        assert_eq!(ask("lan", "198.18.0.1:80"), "timed out", "a way out is no way in");
        assert_eq!(ask("fw.db", "198.18.0.1:80"), "timed out");
        let user = sh("nft list chain ip filter DOCKER-USER") + &sh("nft list chain ip6 filter DOCKER-USER");
        assert_eq!(user.matches("wireloom:fw").count(), 2, "one rule for each family: {user}");
        assert!(machine.plan(&desired).is_empty(), "{:#?}", machine.plan(&desired).steps);
        assert!(machine.up(&desired).unwrap().plan.is_empty());
        machine.down(&desired);
        assert_eq!(
            sh("nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'"),
            rules.replace("packets 0 bytes 0", "")
        );
        assert_eq!(settings(), set);
        sh("ip -n lan route del 198.18.0.0/24 via 192.0.2.1");
        assert_same_dump(&machine_before, &host_dump());
    });
}

#[test]
fn what_listens_on_the_loopback_of_the_host_is_not_reached_from_a_node() {
    sandbox(|| {
        sh(LAN);
        let mut machine = Machine::new();
        machine.up(&nodes(FIREWALL)).unwrap();
        serve("host", "127.0.0.1:99");
        assert_eq!(ask("host", "127.0.0.1:99"), "host sees 127.0.0.1");
        // A node that does what it can to get there.
        sh_in(
            "fw.web",
            "sysctl -qw net.ipv4.conf.up.route_localnet=1
            ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 198.18.0.0 src 198.18.0.1",
        );
        assert_eq!(ask("fw.web", "127.0.0.1:99"), "timed out");
        let dropped = sh("nft list chain inet wireloom_fw spoofed");
        assert!(dropped.contains("ip daddr 127.0.0.0/8 drop"), "{dropped}");
        sh("nft flush chain inet wireloom_fw spoofed");
        assert_eq!(ask("fw.web", "127.0.0.1:99"), "host sees 198.18.0.1", "it is that rule that keeps it out");
    });
}

#[test]
fn flows_of_a_forward_that_has_gone_do_not_go_on() {
    sandbox(|| {
        sh(LAN);
        let mut machine = Machine::new();
        machine.up(&nodes(FIREWALL)).unwrap();
        servers();
        let say = |stream: &mut TcpStream| {
            let mut bytes = [0; 64];
            stream.write_all(b"still there?")?;
            stream.read(&mut bytes).map(|length| String::from_utf8_lossy(&bytes[..length]).into_owned())
        };
        let (mut gone, _) = connect("lan", "192.0.2.1:8080").unwrap();
        let (mut stays, _) = connect("lan", "192.0.2.1:8081").unwrap();
        assert_eq!(say(&mut gone).unwrap(), "still there?");
        // The same port leads to another node now.
        machine
            .up(&nodes(&FIREWALL.replace("to: '198.18.0.1:80', via: wl0", "to: '198.18.0.3:80', via: wl1")))
            .unwrap();
        let said = say(&mut gone);
        assert!(!matches!(&said, Ok(words) if !words.is_empty()), "{said:?}");
        assert_eq!(say(&mut stays).unwrap(), "still there?", "that of another forward goes on");
        assert_eq!(
            ask("lan", "192.0.2.1:8080"),
            "fw.db sees 198.18.0.2",
            "the other port hides all clients of that node"
        );
        let flows = sh("conntrack -L -p tcp 2>/dev/null");
        assert!(!flows.contains("src=198.18.0.1"), "{flows}");
        machine.up(&nodes("")).unwrap();
        assert!(!matches!(say(&mut stays), Ok(words) if !words.is_empty()));
        assert_eq!(sh("nft list ruleset"), "");
    });
}

/// UDP has no end: a client that began to ask before there was a forward asks the same flow for ever.
#[test]
fn a_client_of_udp_that_was_there_first_gets_the_forward() {
    sandbox(|| {
        sh(LAN);
        let mut machine = Machine::new();
        machine.up(&nodes("firewall: {masquerade: [eth9]}")).unwrap();
        let client = inside("lan", || UdpSocket::bind("192.0.2.9:5353")).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let server = inside("fw.db", || UdpSocket::bind("0.0.0.0:53")).unwrap();
        server.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        // A table with nat is there, so the flow is known, as one that is not translated.
        let listener = UdpSocket::bind("192.0.2.1:53").unwrap();
        client.send_to(b"first", "192.0.2.1:53").unwrap();
        let mut bytes = [0; 64];
        assert!(listener.recv_from(&mut bytes).is_ok());
        machine.up(&nodes(FIREWALL)).unwrap();
        client.send_to(b"second", "192.0.2.1:53").unwrap();
        let (length, peer) = server.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..length], peer.ip().to_string()), (&b"second"[..], "198.18.0.2".to_owned()));
        server.send_to(b"answer", peer).unwrap();
        assert_eq!(client.recv_from(&mut bytes).unwrap().1, "192.0.2.1:53".parse().unwrap());
    });
}

#[test]
fn an_address_stands_for_another_further_inside() {
    sandbox(|| {
        sh(LAN);
        sh("ip netns add inner && ip link add in0 type veth peer name eth0 netns inner && ip addr add 10.0.0.1/24 dev in0
            ip link set in0 up; ip -n inner addr add 10.0.0.2/24 dev eth0; ip -n inner link set eth0 up
            ip -n inner route add default via 10.0.0.1; ip addr add 192.0.2.77/24 dev eth0");
        let mut machine = Machine::new();
        machine.up(&nodes("firewall: {nats: [{dev: eth0, outer: 192.0.2.77, inner: 10.0.0.2}]}")).unwrap();
        serve("inner", "0.0.0.0:80");
        serve("lan", "0.0.0.0:7");
        serve("host", "192.0.2.1:80");
        assert_eq!(ask("lan", "192.0.2.77:80"), "inner sees 192.0.2.9");
        assert_eq!(ask("inner", "192.0.2.9:7"), "lan sees 192.0.2.77");
        assert_eq!(ask("lan", "192.0.2.1:80"), "host sees 192.0.2.9", "the other address stands for itself");
        sh_in("lan", "ping -c1 -w5 192.0.2.77");
    });
}

#[test]
fn drift_is_seen_and_mended_and_tables_of_others_are_left_alone() {
    sandbox(|| {
        sh(LAN);
        sh(DOCKER);
        let mut machine = Machine::new();
        let desired = nodes(FIREWALL);
        machine.up(&desired).unwrap();
        let whole = sh("nft list ruleset");
        servers();
        for damage in [
            "nft delete table inet wireloom_fw",
            "nft flush chain inet wireloom_fw arriving",
            "nft add rule inet wireloom_fw passing drop",
            "nft flush chain ip filter DOCKER-USER",
            "nft flush ruleset",
        ] {
            sh(damage);
            assert!(!machine.plan(&desired).is_empty(), "not seen: {damage}");
            machine.up(&desired).unwrap_or_else(|failure| panic!("{damage}: {failure}"));
            assert!(machine.plan(&desired).is_empty(), "not mended: {damage}: {:#?}", machine.plan(&desired).steps);
            assert_eq!(ask("lan", "192.0.2.1:8080"), "fw.web sees 192.0.2.9", "{damage}");
        }
        // Docker comes later.
        sh(DOCKER);
        assert_eq!(ask("lan", "192.0.2.1:8080"), "timed out");
        machine.up(&desired).unwrap();
        assert_eq!(ask("lan", "192.0.2.1:8080"), "fw.web sees 192.0.2.9");
        let counters = "sed 's/packets [0-9]* bytes [0-9]*//'";
        let now = sh(&format!("nft list ruleset | {counters}"));
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines(&now), lines(&whole.replace("packets 0 bytes 0", "")));
        machine.down(&desired);
        sh("nft flush ruleset; nft add table inet wireloom_fw");
        let failure = Machine::new().up(&desired).unwrap_err();
        assert!(
            matches!(&failure, Failure::Conflicts(c) if matches!(c[..], [Conflict::ForeignTable { .. }])),
            "{failure}"
        );
        Machine::new().down(&desired);
        assert_eq!(sh("nft list ruleset").trim(), "table inet wireloom_fw {\n}");
    });
}

#[test]
fn stopping_at_any_step_takes_the_rules_back() {
    sandbox(|| {
        sh(LAN);
        sh(DOCKER);
        let mut machine = Machine::new();
        let (one, other) = (nodes(FIREWALL), nodes(&FIREWALL.replace("8080", "9090")));
        machine.up(&one).unwrap();
        let rules = sh("nft list ruleset");
        let steps = machine.plan(&other).steps.len();
        assert_eq!(steps, 1, "{:?}", machine.plan(&other).steps);
        for _ in 0..=steps {
            assert!(matches!(machine.up_to(&other, 0), Err(Failure::Cancelled { .. })));
            assert_eq!(sh("nft list ruleset"), rules);
        }
        let nothing = State::empty(one.owner.clone());
        let steps = machine.plan(&nothing).steps.len();
        for stop in 0..steps - 1 {
            let outcome = machine.up_to(&nothing, stop);
            if outcome.is_err() {
                assert_eq!(sh("nft list ruleset"), rules, "stopped after {stop}");
                machine.up(&one).unwrap();
            } else {
                machine.up(&one).unwrap();
            }
        }
    });
}
