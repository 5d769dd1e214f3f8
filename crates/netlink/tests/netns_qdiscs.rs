//! Our qdisc options in the kernel: read back with `tc`, and by our own decoders.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage::{GetQueueDiscipline, NewQueueDiscipline};
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use wireloom_netlink::{Netem, Socket, Tbf, netem, tbf};
use wireloom_netns::Netns;
use wireloom_testkit::{ip_in, needs, sandbox, sh, sh_in};

/// Makes a link "x" in a namespace "a", gives it the qdisc, and returns the attributes that the kernel reports.
fn replaced(kind: &str, options: TcAttribute) -> Vec<TcAttribute> {
    let netns = Netns::create("a").unwrap();
    sh("ip -n a link add x type veth peer name y");
    let index = i32::try_from(ip_in("a", "link show dev x")[0]["ifindex"].as_i64().unwrap()).unwrap();
    let mut socket = Socket::open(&netns).unwrap();
    let mut message = TcMessage::default();
    message.header.family = AddressFamily::Unspec;
    message.header.index = index;
    message.header.parent = TcHandle::ROOT;
    message.attributes = vec![TcAttribute::Kind(kind.to_owned()), options];
    socket.request(NewQueueDiscipline(message), NLM_F_CREATE | NLM_F_REPLACE).unwrap();
    let qdiscs = socket.dump(GetQueueDiscipline(TcMessage::default())).unwrap();
    let ours = qdiscs.into_iter().find_map(|message| match message {
        RouteNetlinkMessage::NewQueueDiscipline(message) if message.header.index == index => Some(message),
        _ => None,
    });
    ours.expect("the link has a qdisc").attributes
}

#[test]
fn a_token_bucket_is_what_tc_shows_and_what_we_read() {
    for (tbf, shown) in [
        (Tbf::with_latency(1_250_000, 10_000, 50_000_000), "rate 10Mbit burst 10000b lat 50ms"),
        (Tbf { rate: 5_000_000_000, burst: 1_000_000, limit: 3_000_000 }, "rate 40Gbit"),
    ] {
        sandbox(|| {
            let observed = Tbf::decode(&replaced(tbf::KIND, tbf.encode())).unwrap();
            assert!(tbf.matches(&observed), "{observed:?}");
            let text = sh_in("a", "tc qdisc show dev x");
            assert!(text.contains("qdisc tbf") && text.contains(shown), "{text}");
        });
    }
}

#[test]
fn an_emulator_is_what_tc_shows_and_what_we_read() {
    needs!("netem");
    sandbox(|| {
        let netem = Netem {
            delay_ns: 10_000_001,
            jitter_ns: 3_000_000,
            delay_correlation: netem::fraction(0.25),
            loss: netem::fraction(0.01),
            duplicate: netem::fraction(0.005),
            corrupt: netem::fraction(0.001),
            reorder: netem::fraction(0.25),
            reorder_correlation: netem::fraction(0.5),
            rate: 5_000_000_000,
            limit: 5000,
            ..Netem::default()
        };
        let observed = Netem::decode(&replaced(netem::KIND, netem.encode())).unwrap();
        assert!(netem.matches(&observed), "{observed:?}");
        let text = sh_in("a", "tc qdisc show dev x");
        for shown in ["limit 5000", "delay 10", "3ms 25%", "loss 1%", "duplicate 0.5%", "corrupt 0.1%", "rate 40Gbit"] {
            assert!(text.contains(shown), "{shown} is not in {text}");
        }
    });
}
