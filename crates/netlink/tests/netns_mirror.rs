//! What a mirror tells of real changes, and that it finds its way back when it was told too much.

use std::fmt::Write as _;

use wireloom_netlink::{
    Mirror,
    mirror::{Change, Entry},
};
use wireloom_netns::Netns;
use wireloom_testkit::{sandbox, sh};

fn told(changes: &[Change]) -> Vec<String> {
    let line = |change: &Change| match change {
        Change::Resync => "resync".to_owned(),
        Change::NewLink(link) => format!("+ {}", link.name),
        Change::ChangedLink { now, before } => format!("~ {} {}", now.name, now.differences(before).join(",")),
        Change::GoneLink(link) => format!("- {}", link.name),
        Change::Entry { kind: Entry::Address, text, is_new: true, .. } => format!("+ {text}"),
        Change::Entry { kind: Entry::Address, text, .. } => format!("- {text}"),
        Change::Entry { kind: Entry::Route, text, is_new, .. } => format!("route {text} {is_new}"),
    };
    changes.iter().map(line).collect()
}

#[test]
fn what_changes_is_told_once_and_what_stays_is_not() {
    sandbox(|| {
        sh("ip netns add a; ip netns exec a sysctl -qw net.ipv6.conf.default.disable_ipv6=1
            ip -n a link add e type veth peer name f; ip -n a link add name b0 type bridge; ip -n a link set f up");
        let netns = Netns::named("a").unwrap();
        let (mut mirror, first) = Mirror::open(&netns, true).unwrap();
        assert_eq!(told(&first), ["+ lo", "+ f", "+ e", "+ b0"]);
        assert_eq!(told(&mirror.changes(&netns).unwrap()), Vec::<String>::new());
        let mut after = |script: &str| {
            sh(script);
            told(&mirror.changes(&netns).unwrap())
        };
        assert_eq!(after("ip -n a link set e mtu 1400"), ["~ e mtu"]);
        assert_eq!(after("ip -n a addr add 10.0.0.1/24 dev e"), ["+ 10.0.0.1/24"]);
        let up = after("ip -n a link set e up").join("; ");
        assert!(up.starts_with("~ e up") && up.contains("carrier") && up.contains("route 10.0.0.0/24 true"), "{up}");
        let route = after("ip -n a route add 10.9.0.0/16 via 10.0.0.9 metric 5");
        assert_eq!(route, ["route 10.9.0.0/16 via 10.0.0.9 metric 5 true"]);
        let port = after("ip -n a link set f master b0").join("; ");
        assert!(port.contains("~ f controller"), "{port}");
        // A bridge tells that its port is gone from it: the link is not.
        let port = after("ip -n a link set f nomaster").join("; ");
        assert!(port.contains("~ f controller") && !port.contains("- f"), "{port}");
        let gone = after("ip -n a link del e").join("; ");
        assert!(gone.contains("- 10.0.0.1/24; - e; - f"), "{gone}");
        // Of these the kernel says nothing.
        assert!(gone.contains("route 10.0.0.0/24 false") && gone.contains("via 10.0.0.9 metric 5 false"), "{gone}");
        assert!(Mirror::counters(&netns).unwrap().iter().any(|(name, _)| name == "b0"));
    });
}

#[test]
fn after_too_many_events_it_looks_again_and_says_so() {
    sandbox(|| {
        sh("ip netns add a; ip -n a link add e type veth peer name f; ip -n a link add g type veth peer name h");
        sh("ip -n a addr add 172.16.0.1/32 dev e");
        let netns = Netns::named("a").unwrap();
        let (mut mirror, _) = Mirror::open(&netns, false).unwrap();
        let mut batch = String::new();
        for number in 0..10_000u32 {
            writeln!(batch, "link set e mtu {}", 1400 + number % 2).unwrap();
        }
        batch += "addr del 172.16.0.1/32 dev e\naddr add 172.16.0.2/32 dev e\nlink del g\n";
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("batch"), batch).unwrap();
        sh(&format!("ip -n a -batch {}", folder.path().join("batch").display()));
        let changes = told(&mirror.changes(&netns).unwrap());
        assert_eq!(changes.iter().filter(|line| *line == "resync").count(), 1);
        let last: Vec<_> = changes.iter().skip_while(|line| *line != "resync").map(String::as_str).collect();
        assert_eq!(last[1..], ["+ 172.16.0.2/32", "- 172.16.0.1/32", "- h", "- g"], "{last:?}");
        assert!(mirror.changes(&netns).unwrap().is_empty());
    });
}
