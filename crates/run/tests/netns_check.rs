//! Packets that cross a veth, and packets that do not: whether it was seen, and whether the reason is the true one.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use nix::errno::Errno;
use wireloom_engine::Label;
use wireloom_netns::Netns;
use wireloom_run::{
    Check, CheckKind, CheckResult, NextHop, Outcome, RouteWanted, Why, ping, run_checks, tcp, tcp_until,
};
use wireloom_testkit::{sandbox, sh};

/// Long enough for any answer on this machine, and for neighbour discovery to be under way.
const WAIT: Duration = Duration::from_millis(800);
/// For what must be answered: a busy machine is no failed test.
const LONG: Duration = Duration::from_secs(20);

/// a (10.0.0.1, fd00::1) - (10.0.0.2, fd00::2) r (10.0.1.1, fd01::1) - (10.0.1.2, fd01::2) b; r forwards.
const CHAIN: &str = "
    for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
    ip link add eth0 netns a type veth peer name eth0 netns r
    ip link add eth1 netns r type veth peer name eth0 netns b
    add() { ip -n $1 link set $2 up; ip -n $1 addr add $3 dev $2; ip -n $1 addr add $4 dev $2 nodad; }
    add a eth0 10.0.0.1/24 fd00::1/64
    add r eth0 10.0.0.2/24 fd00::2/64
    add r eth1 10.0.1.1/24 fd01::1/64
    add b eth0 10.0.1.2/24 fd01::2/64
    ip netns exec r sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
    ip -n a route add default via 10.0.0.2; ip -n a route add default via fd00::2
    ip -n b route add default via 10.0.1.1; ip -n b route add default via fd01::1";

fn on_chain(test: impl FnOnce() + Send) {
    sandbox(|| {
        sh(CHAIN);
        test();
    });
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ping_from(node: &str, to: &str, timeout: Duration) -> Outcome {
    ping(&Netns::named(node).unwrap(), ip(to), 1, timeout)
}

fn tcp_from(node: &str, to: &str, timeout: Duration) -> Outcome {
    tcp(&Netns::named(node).unwrap(), to.parse().unwrap(), timeout)
}

fn unreachable(by: &str, what: &'static str) -> Outcome {
    Outcome::Failed(Why::Unreachable { by: ip(by), what })
}

#[test]
fn neighbours_routed_hosts_and_oneself_answer() {
    on_chain(|| {
        for to in ["10.0.0.2", "fd00::2", "10.0.1.2", "fd01::2", "10.0.0.1", "fd00::1", "127.0.0.1", "::1"] {
            let outcome = ping_from("a", to, LONG);
            assert!(matches!(outcome, Outcome::Reached { answered: 1, tried: 1, .. }), "{to}: {outcome}");
            assert!(outcome.rtt().unwrap() < LONG);
        }
        let outcome = ping(&Netns::named("a").unwrap(), ip("10.0.1.2"), 3, LONG);
        assert!(matches!(outcome, Outcome::Reached { answered: 3, tried: 3, .. }), "{outcome}");
    });
}

#[test]
fn the_caller_stays_in_its_own_namespace() {
    on_chain(|| {
        let before = Netns::current().unwrap().id().unwrap();
        assert!(ping_from("a", "10.0.0.2", LONG).is_reached());
        assert_eq!(ping_from("b", "10.0.0.9", WAIT).rtt(), None);
        assert_eq!(Netns::current().unwrap().id().unwrap(), before);
    });
}

#[test]
fn a_missing_host_does_not_answer_neighbour_discovery() {
    on_chain(|| {
        for to in ["10.0.0.9", "fd00::9"] {
            assert_eq!(ping_from("a", to, WAIT), Outcome::Failed(Why::NoNeighbour(ip(to))));
        }
        // The same for the gateway behind which the host would be.
        sh("ip -n a route add 10.9.0.0/24 via 10.0.0.8");
        let outcome = ping_from("a", "10.9.0.1", WAIT);
        assert_eq!(outcome, Outcome::Failed(Why::NoNeighbour(ip("10.0.0.8"))));
        assert_eq!(outcome.to_string(), "10.0.0.8 does not answer neighbour discovery");
    });
}

#[test]
fn who_waits_for_longer_than_neighbour_discovery_learns_it_from_the_kernel() {
    on_chain(|| {
        let silent = "the host does not answer neighbour discovery";
        let cases = [("10.0.0.9", "10.0.0.1"), ("10.0.1.9", "10.0.0.2"), ("fd01::9", "fd00::2")];
        thread::scope(|scope| {
            for (to, by) in cases {
                scope.spawn(move || assert_eq!(ping_from("a", to, LONG), unreachable(by, silent)));
            }
        });
    });
}

#[test]
fn a_router_without_a_route_says_so() {
    on_chain(|| {
        let words = "no route leads there";
        assert_eq!(ping_from("a", "192.0.2.1", LONG), unreachable("10.0.0.2", words));
        assert_eq!(ping_from("a", "2001:db8::1", LONG), unreachable("fd00::2", words));
    });
}

#[test]
fn without_a_route_nothing_is_sent() {
    on_chain(|| {
        sh("ip -n a route del default; ip -n a -6 route del default
            ip -n a route add prohibit 192.0.2.1; ip -n a route add blackhole 192.0.2.2
            ip -n a route add unreachable 192.0.2.3; ip -n a route add prohibit 2001:db8::1");
        let no_route = |errno| Outcome::Failed(Why::NoRoute(errno));
        assert_eq!(ping_from("a", "192.0.2.9", LONG), no_route(Errno::ENETUNREACH));
        assert_eq!(ping_from("a", "2001:db8::9", LONG), no_route(Errno::ENETUNREACH));
        assert_eq!(tcp_from("a", "192.0.2.9:80", LONG), no_route(Errno::ENETUNREACH));
        assert_eq!(ping_from("a", "192.0.2.1", LONG), no_route(Errno::EACCES));
        assert_eq!(ping_from("a", "2001:db8::1", LONG), no_route(Errno::EACCES));
        assert_eq!(ping_from("a", "192.0.2.2", LONG), no_route(Errno::EINVAL));
        assert_eq!(ping_from("a", "192.0.2.3", LONG), Outcome::Failed(Why::Refusal(Errno::EHOSTUNREACH)));
    });
}

#[test]
fn silence_behind_a_known_neighbour_is_a_timeout() {
    on_chain(|| {
        sh("ip -n a neigh add 10.0.0.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
            ip -n a neigh add fd00::9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent");
        for to in ["10.0.0.9", "fd00::9"] {
            assert_eq!(ping_from("a", to, WAIT), Outcome::Failed(Why::Timeout(WAIT)), "{to}");
        }
        assert_eq!(tcp_from("a", "10.0.0.9:80", WAIT), Outcome::Failed(Why::Timeout(WAIT)));
        assert_eq!(tcp_from("a", "10.0.0.8:80", WAIT), Outcome::Failed(Why::NoNeighbour(ip("10.0.0.8"))));
    });
}

#[test]
fn a_port_is_open_or_closed() {
    on_chain(|| {
        let listen = || TcpListener::bind(SocketAddr::new(ip("::"), 0)).unwrap();
        let listener = Netns::named("b").unwrap().run(listen).unwrap();
        let port = listener.local_addr().unwrap().port();
        for to in [format!("10.0.1.2:{port}"), format!("[fd01::2]:{port}")] {
            let outcome = tcp_from("a", &to, LONG);
            assert!(outcome.is_reached(), "{to}: {outcome}");
        }
        drop(listener);
        for to in [format!("10.0.1.2:{port}"), format!("[fd01::2]:{port}")] {
            assert_eq!(tcp_from("a", &to, LONG), Outcome::Failed(Why::Refused), "{to}");
        }
    });
}

#[test]
fn a_server_may_take_its_time_to_listen() {
    on_chain(|| {
        let listen = |port| Netns::named("b").unwrap().run(move || TcpListener::bind((ip("::"), port)).unwrap());
        let port = listen(0).unwrap().local_addr().unwrap().port();
        let to = SocketAddr::new(ip("10.0.1.2"), port);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| tcp_until(&Netns::named("a").unwrap(), to, LONG));
            thread::sleep(Duration::from_millis(120));
            assert_eq!(tcp_from("a", &to.to_string(), LONG), Outcome::Failed(Why::Refused));
            let _listener = listen(port).unwrap();
            let outcome = waiting.join().unwrap();
            assert!(outcome.is_reached(), "{outcome}");
        });
        let outcome = tcp_until(&Netns::named("a").unwrap(), to, WAIT);
        assert_eq!(outcome, Outcome::Failed(Why::Refused));
    });
}

#[test]
fn one_lost_request_is_no_failure() {
    on_chain(|| {
        // The request goes to nobody, and the one at half time finds the way.
        sh("ip -n a neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent");
        thread::scope(|scope| {
            let pinging = scope.spawn(|| ping_from("a", "10.0.0.2", Duration::from_secs(6)));
            thread::sleep(Duration::from_millis(300));
            sh("ip -n a neigh del 10.0.0.2 dev eth0");
            let outcome = pinging.join().unwrap();
            assert!(matches!(outcome, Outcome::Reached { answered: 1, tried: 1, .. }), "{outcome}");
        });
    });
}

fn check(from: &str, to: &str, kind: CheckKind, expect_fail: bool) -> Check {
    let timeout = if expect_fail { WAIT } else { LONG };
    Check { from: from.parse().unwrap(), to: to.into(), address: ip(to), kind, timeout, expect_fail }
}

fn resolve(node: &Label) -> Result<Netns, wireloom_netns::Error> {
    Netns::named(node.as_str())
}

#[test]
fn many_checks_are_made_at_once_and_reported_in_their_order() {
    on_chain(|| {
        let ping = CheckKind::Ping { count: 1 };
        let pairs = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2", "fd00::1", "fd01::2"];
        let all = ["a", "r", "b"].into_iter().flat_map(|from| pairs.map(|to| check(from, to, ping.clone(), false)));
        let checks: Vec<Check> = all.cycle().take(90).collect();
        let results = run_checks(&checks, resolve);
        assert_eq!(results.len(), checks.len());
        for (result, check) in results.iter().zip(&checks) {
            assert_eq!((&result.from, &result.to), (&check.from, &check.to));
            assert!(result.ok && result.reached && result.why.is_none(), "{result:?}");
        }
        assert_eq!(run_checks(&[], resolve), []);
    });
}

#[test]
fn a_check_may_want_a_failure_and_one_that_could_not_be_made_is_none() {
    on_chain(|| {
        let ping = CheckKind::Ping { count: 1 };
        let port = CheckKind::Tcp { port: 9 };
        let checks = [
            check("a", "10.0.0.9", ping.clone(), true),
            check("a", "10.0.0.2", port, true),
            check("a", "10.0.0.2", ping.clone(), true),
            check("nobody", "10.0.0.2", ping.clone(), true),
            check("a", "fe80::1", ping.clone(), true),
        ];
        let results = run_checks(&checks, resolve);
        let short: Vec<_> = results.iter().map(|r: &CheckResult| (r.ok, r.reached, r.expected)).collect();
        let (as_wanted, wrong, untried) = ((true, false, false), (false, true, false), (false, false, false));
        assert_eq!(short, [as_wanted, as_wanted, wrong, untried, untried]);
        assert_eq!(results[1].address, "10.0.0.2:9");
        assert!(results[3].why.as_ref().unwrap().contains("open namespace /run/netns/nobody"), "{results:?}");
        let json = serde_json::to_value(&results[1]).unwrap();
        assert_eq!(json["why"], "the port is closed");
        assert_eq!(json.get("rtt_us"), None);
    });
}

/// What is said of a route of a: to this network itself, or of the one that packets to an address take.
fn route(to: &str, by: Option<NextHop>, timeout: Duration, expect_fail: bool) -> CheckResult {
    let exact = to.contains('/');
    let net = if exact { to.parse().unwrap() } else { ip(to).into() };
    let kind = CheckKind::Route(RouteWanted { net, exact, by });
    let check = Check { timeout, ..check("a", to.split('/').next().unwrap(), kind, expect_fail) };
    run_checks(&[check], |label| Netns::named(label.as_str())).remove(0)
}

fn hop(name: &str, addresses: &[&str], ifnames: &[&str]) -> Option<NextHop> {
    let (addresses, ifnames) = (addresses.iter().map(|a| ip(a)).collect(), ifnames.iter().map(ToString::to_string));
    Some(NextHop { name: name.into(), addresses, ifnames: ifnames.collect() })
}

#[test]
fn routes_are_found_with_the_way_that_they_lead() {
    on_chain(|| {
        sh("ip -n a route add 10.2.0.0/16 via 10.0.0.2 metric 5; ip -n a route add 10.2.0.0/16 via 10.0.0.7 metric 9
            ip -n a -6 route add fd02::/64 via fe80::2 dev eth0
            ip -n a route add 10.3.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3; ip -n a route add blackhole 10.4.0.0/16
            ip -n a route add 10.5.0.0/16 via 10.0.0.3 table 7; ip -n a rule add to 10.5.1.0/24 table 7");
        let way = |to: &str, by: Option<NextHop>| {
            let CheckResult { ok, reached, way, why, .. } = route(to, by, Duration::ZERO, false);
            assert!(ok == reached && ok == way.is_some() && ok == why.is_none());
            way.or(why).unwrap()
        };
        let (r, r_by_link) = (hop("r", &["10.0.0.2"], &[]), hop("r", &[], &["eth0"]));
        for (to, by, expected) in [
            ("10.2.0.0/16", &r, "via 10.0.0.2 dev eth0"),
            ("0.0.0.0/0", &r, "via 10.0.0.2 dev eth0"),
            ("10.0.0.0/24", &None, "dev eth0"),
            ("10.0.0.0/24", &r_by_link, "dev eth0"),
            ("10.2.0.0/24", &None, "no route leads there"),
            ("10.2.3.4", &r, "via 10.0.0.2 dev eth0"),
            ("8.8.8.8", &r, "via 10.0.0.2 dev eth0"),
            ("10.3.0.1", &None, "via 10.0.0.2 dev eth0, via 10.0.0.3 dev eth0"),
            ("10.3.0.1", &r, "it goes via 10.0.0.2 dev eth0, via 10.0.0.3 dev eth0, and not by r"),
            ("10.4.0.1", &None, "no route leads there"),
            ("10.4.0.0/16", &None, "no route leads there"),
            ("10.5.1.1", &None, "via 10.0.0.3 dev eth0"),
            ("fd02::/64", &r_by_link, "via fe80::2 dev eth0"),
            ("fd02::1", &r, "it goes via fe80::2 dev eth0, and not by r"),
        ] {
            assert_eq!(way(to, by.clone()), expected, "{to}");
        }
    });
}

#[test]
fn routes_are_waited_for_until_they_come_or_go() {
    on_chain(|| {
        let later = |line: &'static str| {
            thread::spawn(move || {
                thread::sleep(WAIT / 2);
                sh(line)
            })
        };
        let absent = route("10.6.0.0/16", None, Duration::from_millis(50), false);
        assert!(!absent.ok && absent.kind == "route" && absent.address == "10.6.0.0/16");
        assert!(route("10.6.0.0/16", None, Duration::ZERO, true).ok);
        let adding = later("ip -n a route add 10.6.0.0/16 via 10.0.0.2");
        assert!(route("10.6.0.0/16", None, LONG, false).ok);
        adding.join().unwrap();
        let removing = later("ip -n a route del 10.6.0.0/16");
        let gone = route("10.6.0.0/16", None, LONG, true);
        assert!(gone.ok && !gone.reached);
        removing.join().unwrap();
    });
}
