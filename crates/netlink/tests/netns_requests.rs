//! Requests, objects and dumps against the kernel; read back with `ip`.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage::{self, DelLink, GetLink, GetNeighbour, NewLink, SetLink};
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::neighbour::NeighbourMessage;
use nix::errno::Errno;
use wireloom_netlink::{Error, Event, Events, Socket};
use wireloom_netns::Netns;
use wireloom_testkit::{ip_in, sandbox, sh};

const RTNLGRP_LINK: u32 = 1;

fn link(name: &str) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link
}

fn veth(name: &str, peer: &str) -> LinkMessage {
    let mut message = link(name);
    let peer = InfoData::Veth(InfoVeth::Peer(link(peer)));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(peer)]));
    message
}

fn mtu(name: &str, mtu: u32) -> LinkMessage {
    let mut message = link(name);
    message.attributes.push(LinkAttribute::Mtu(mtu));
    message
}

fn name_of(message: &RouteNetlinkMessage) -> &str {
    let (RouteNetlinkMessage::NewLink(message) | RouteNetlinkMessage::DelLink(message)) = message else {
        panic!("not a link: {message:?}")
    };
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    });
    name.expect("a link has a name")
}

/// Runs the test with a namespace "a" and a socket in it.
fn in_a(test: impl FnOnce(&Netns, Socket) + Send) {
    sandbox(|| {
        let netns = Netns::create("a").unwrap();
        let socket = Socket::open(&netns).unwrap();
        test(&netns, socket);
    });
}

#[test]
fn a_request_takes_effect_in_the_sockets_namespace() {
    in_a(|_, mut socket| {
        socket.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
        socket.request(SetLink(mtu("x", 1400)), 0).unwrap();
        let links = ip_in("a", "link show dev x");
        assert_eq!(links[0]["mtu"], 1400);
        assert_eq!(links[0]["link"], "y");
        socket.request(DelLink(link("x")), 0).unwrap();
        assert_eq!(ip_in("a", "link").as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_refusal_carries_the_kernels_words() {
    in_a(|_, mut socket| {
        socket.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
        let error = socket.request(SetLink(mtu("x", 1)), 0).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL));
        assert_eq!(error.message(), Some("mtu less than device minimum"));
        assert_eq!(error.to_string(), "RTM_SETLINK refused: mtu less than device minimum (EINVAL: Invalid argument)");
    });
}

#[test]
fn a_refusal_without_words_and_one_with_a_place() {
    in_a(|_, mut socket| {
        socket.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
        let exists = socket.request(NewLink(veth("x", "z")), NLM_F_CREATE | NLM_F_EXCL).unwrap_err();
        assert_eq!((exists.errno(), exists.message()), (Some(Errno::EEXIST), None));

        let mut unknown = link("w");
        unknown.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Other("nosuchkind".into()))]));
        let unknown = socket.request(NewLink(unknown), NLM_F_CREATE | NLM_F_EXCL).unwrap_err();
        assert_eq!(unknown.errno(), Some(Errno::EOPNOTSUPP));
        assert_eq!(unknown.message(), Some("Unknown device type"));
        // A request after a refused one gets its own answer.
        socket.request(SetLink(mtu("x", 1400)), 0).unwrap();
    });
}

#[test]
fn one_object_is_read_and_a_missing_one_is_nothing() {
    in_a(|_, mut socket| {
        assert_eq!(name_of(&socket.get(GetLink(link("lo"))).unwrap().unwrap()), "lo");
        assert_eq!(socket.get(GetLink(link("none"))).unwrap(), None);
        assert_eq!(name_of(&socket.get(GetLink(link("lo"))).unwrap().unwrap()), "lo");
    });
}

#[test]
fn a_dump_of_many_datagrams_is_whole() {
    in_a(|_, mut socket| {
        sh("for i in $(seq 200); do echo link add a$i type veth peer name b$i; done | ip -n a -batch -");
        let links = socket.dump(GetLink(LinkMessage::default())).unwrap();
        let names: std::collections::BTreeSet<_> = links.iter().map(name_of).collect();
        assert_eq!(links.len(), 401);
        assert_eq!(names.len(), 401);
    });
}

#[test]
fn a_refused_dump_is_an_error_and_the_socket_goes_on() {
    in_a(|_, mut socket| {
        // Strict checking: neighbours of an interface that does not exist are not an empty list.
        let mut message = NeighbourMessage::default();
        message.header.state = netlink_packet_route::neighbour::NeighbourState::Permanent;
        let error = socket.dump(GetNeighbour(message)).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL));
        assert!(error.message().is_some_and(|words| words.contains("neighbor dump request")), "{error}");
        assert_eq!(socket.dump(GetLink(LinkMessage::default())).unwrap().len(), 1);
    });
}

#[test]
fn a_dump_is_whole_while_links_come_and_go() {
    in_a(|netns, mut socket| {
        sh("for i in $(seq 100); do echo link add a$i type veth peer name b$i; done | ip -n a -batch -");
        let stop = AtomicBool::new(false);
        let mut other = Socket::open(netns).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    other.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
                    other.request(DelLink(link("x")), 0).unwrap();
                }
            });
            for _ in 0..50 {
                let links = match socket.dump(GetLink(LinkMessage::default())) {
                    Ok(links) => links,
                    // What must never happen is a dump that is not whole and does not say so.
                    Err(Error::Interrupted { .. }) => continue,
                    Err(error) => panic!("{error}"),
                };
                let steady = links.iter().filter(|link| !matches!(name_of(link), "x" | "y")).count();
                assert_eq!(steady, 201);
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn a_new_link_is_an_event() {
    in_a(|netns, mut socket| {
        let mut events = Events::open(netns, &[RTNLGRP_LINK]).unwrap();
        assert_eq!(events.next(Some(Duration::ZERO)).unwrap(), None);
        socket.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
        let mut seen = Vec::new();
        while let Some(event) = events.next(Some(Duration::ZERO)).unwrap() {
            let Event::Message(message) = event else { panic!("{event:?}") };
            seen.push(name_of(&message).to_owned());
        }
        assert!(seen.iter().any(|name| name == "x") && seen.iter().any(|name| name == "y"), "{seen:?}");
    });
}

#[test]
fn events_that_were_not_read_in_time_are_reported_as_lost() {
    in_a(|netns, mut socket| {
        let mut events = Events::open(netns, &[RTNLGRP_LINK]).unwrap();
        // Each change is an event of more than 1 KiB; the kernel keeps 4 MiB of them, reckoned with its own overhead.
        socket.request(NewLink(veth("x", "y")), NLM_F_CREATE | NLM_F_EXCL).unwrap();
        for round in 0..10_000 {
            socket.request(SetLink(mtu("x", 1000 + round % 2)), 0).unwrap();
        }
        let mut lost = 0;
        while let Some(event) = events.next(Some(Duration::ZERO)).unwrap() {
            lost += usize::from(event == Event::Lost);
        }
        assert!(lost > 0);
        socket.request(DelLink(link("x")), 0).unwrap();
        let after = events.next(Some(Duration::from_secs(10))).unwrap();
        assert!(matches!(after, Some(Event::Message(_))), "{after:?}");
    });
}

#[test]
fn a_link_with_a_name_and_an_alias_that_are_not_utf8_is_read() {
    in_a(|_, mut socket| {
        sh(
            "ip -n a link add v0 type veth peer name \"$(printf 'v\\377')\"; ip -n a link set v0 alias \"$(printf 'caf\\351')\"",
        );
        let links = socket.dump(GetLink(LinkMessage::default())).unwrap();
        let names: Vec<&str> = links.iter().map(name_of).collect();
        assert!(names.contains(&"v0") && names.contains(&"v/"), "{names:?}");
        let Some(NewLink(v0)) = socket.get(GetLink(link("v0"))).unwrap() else { panic!("no v0") };
        assert!(v0.attributes.contains(&LinkAttribute::IfAlias("caf?".to_owned())), "{:?}", v0.attributes);
    });
}
