//! Real packets on real links, read back by tcpdump.

use std::{
    fs::File,
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    sync::atomic::AtomicBool,
    thread,
    time::Duration,
};

use nix::sys::socket::{MsgFlags, send};
use wireloom_capture::{Capture, Ended, Place, Tally, Tap};
use wireloom_netns::{Netns, bind_packet_socket};
use wireloom_testkit::{eventually, ip_in, sandbox, sh, sh_in};

/// Two namespaces with a link, and neither IPv6 nor anything else that sends packets by itself.
const PAIR: &str = "
    for n in a b; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done
    ip -n a link add e type veth peer name e netns b
    ip -n a addr add 10.0.0.1/24 dev e; ip -n b addr add 10.0.0.2/24 dev e
    ip -n a link set e up; ip -n b link set e up";

fn tap(node: &str) -> Tap {
    let (node, ifname, comment) = (node.to_owned(), "e".to_owned(), format!("node {node}"));
    Tap::open(Place { path: format!("/run/netns/{node}").into(), node, ifname, comment }, 262_144).expect("a tap")
}

/// Captures into a file, at most so many packets, while `work` runs; with some time to fail in.
fn capture(taps: Vec<Tap>, file: &Path, count: u64, work: impl FnOnce()) -> (Ended, Vec<Tally>) {
    let (stop, (wake, _other)) = (AtomicBool::new(false), UnixStream::pair().expect("a pair"));
    let capture = Capture {
        taps,
        out: File::create(file).expect("a file"),
        reader: None,
        count: Some(count),
        time: Some(Duration::from_secs(30)),
        stop: &stop,
        wake: wake.as_fd(),
    };
    thread::scope(|scope| {
        let running = scope.spawn(move || capture.run("wireloom test", &mut |_| ()).expect("packets"));
        work();
        running.join().expect("no panic")
    })
}

/// What tcpdump makes of the file.
fn tcpdump(file: &Path, options: &str) -> String {
    sh(&format!("tcpdump -n {options} -r {} 2>/dev/null", file.display()))
}

#[test]
fn several_interfaces_go_into_one_file_with_every_packet_and_its_way() {
    sandbox(|| {
        sh(PAIR);
        sh("ip -n a neigh replace 10.0.0.2 lladdr $(ip netns exec b cat /sys/class/net/e/address) dev e
            ip -n b neigh replace 10.0.0.1 lladdr $(ip netns exec a cat /sys/class/net/e/address) dev e");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("both.pcapng");
        let (ended, tallies) = capture(vec![tap("a"), tap("b")], &file, 8, || {
            sh_in("a", "ping -c2 -i0.1 -W5 10.0.0.2");
        });
        assert_eq!(ended, Ended::Count);
        assert!(tallies.iter().all(|tally| tally.packets == 4 && tally.bytes == 4 * 98 && tally.dropped == 0));
        let text = tcpdump(&file, "--nano -t icmp");
        assert_eq!(text.matches("10.0.0.1 > 10.0.0.2: ICMP echo request").count(), 4, "{text}");
        assert_eq!(text.matches("10.0.0.2 > 10.0.0.1: ICMP echo reply").count(), 4, "{text}");
        // The first request leaves `a` before it comes to `b`: each packet has a time and a direction of its own.
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(bytes.windows(8).filter(|w| *w == [2, 0, 4, 0, 2, 0, 0, 0]).count(), 4, "outgoing");
        assert_eq!(bytes.windows(8).filter(|w| *w == [2, 0, 4, 0, 5, 0, 0, 0]).count(), 4, "to us");
    });
}

#[test]
fn a_vlan_tag_that_the_kernel_has_taken_out_is_back_in_its_place() {
    sandbox(|| {
        sh(PAIR);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tagged.pcapng");
        let (ended, _) = capture(vec![tap("b")], &file, 1, || {
            let socket = Netns::named("a").unwrap().open_socket(libc::AF_PACKET, libc::SOCK_RAW, 0).unwrap();
            let index = ip_in("a", "link show e")[0]["ifindex"].as_u64().unwrap();
            bind_packet_socket(&socket, 3, u32::try_from(index).unwrap()).unwrap();
            let mut frame = vec![0xff; 6];
            frame.extend([2, 0, 0, 0, 0, 1, 0x81, 0, 0x60, 100, 0x08, 0]);
            frame.extend([0; 46]);
            send(std::os::fd::AsRawFd::as_raw_fd(&socket), &frame, MsgFlags::empty()).unwrap();
        });
        assert_eq!(ended, Ended::Count);
        let text = tcpdump(&file, "-e");
        assert!(
            text.contains("02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype 802.1Q (0x8100), length 64: vlan 100, p 3"),
            "{text}"
        );
    });
}

#[test]
fn it_goes_on_with_the_others_and_ends_with_the_last_and_keeps_no_namespace_alive() {
    sandbox(|| {
        sh(PAIR);
        sh("ip netns add c; ip -n c link add e type veth peer name f; ip -n c link set e up");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gone.pcapng");
        let (ended, tallies) = capture(vec![tap("a"), tap("c")], &file, 1000, || {
            sh("ip -n c link set e down; ip -n c link set e up; ip -n c link del e");
            sh_in("a", "ping -c1 -W5 10.0.0.2");
            sh("ip netns del a");
            // With the namespace its end of the link goes, and so does the other end.
            eventually("nobody holds the namespace", || sh("ip -n b -br link show type veth").is_empty());
        });
        assert_eq!(ended, Ended::Gone);
        let gone: Vec<_> = tallies.iter().map(|tally| tally.gone).collect();
        assert_eq!(gone, [Some("its namespace is gone"), Some("the interface is gone")]);
        assert_eq!(tcpdump(&file, "-t icmp").lines().count(), 2);
    });
}

#[test]
fn an_interface_that_is_not_there_is_named_with_those_that_are() {
    sandbox(|| {
        sh(PAIR);
        let (path, node) = ("/run/netns/a".into(), "a".to_owned());
        let place = Place { path, node, ifname: "eth7".to_owned(), comment: String::new() };
        let error = Tap::open(place, 96).unwrap_err();
        assert_eq!(error.to_string(), "capture on a:eth7: there is no such interface; there are lo, e");
    });
}

#[test]
fn a_packet_is_cut_and_its_length_is_told() {
    sandbox(|| {
        sh(PAIR);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("short.pcapng");
        let place = Place { path: "/run/netns/b".into(), node: "b".into(), ifname: "e".into(), comment: "".into() };
        let (_, tallies) = capture(vec![Tap::open(place, 60).unwrap()], &file, 1, || {
            sh_in("a", "ping -c1 -W5 -s1000 10.0.0.2");
        });
        assert!(std::fs::metadata(&file).unwrap().len() < 600);
        assert_eq!(tallies[0].packets, 1);
    });
}
