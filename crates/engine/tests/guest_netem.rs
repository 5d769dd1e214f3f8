//! Every option of netem in the guest's kernel: what tc understands of ours, what we understand of tc's, what a change
//! takes back, and that a distribution is seen although the kernel does not tell it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use machine::{Machine, state};
use serde_json::{Value, json};
use wireloom_engine::{State, Step};
use wireloom_testkit::{needs, sandbox, sh, sh_in};

/// Two nodes and a cable, impaired at one end.
fn cable(netem: &str) -> State {
    let qdisc = if netem.is_empty() { String::new() } else { format!("qdisc: {{netem: {{{netem}}}}}, ") };
    let end = |node: &str, other: &str, n: u8, qdisc: &str| {
        format!(
            "  {node}:
    source: {{named: pair.{node}}}
    own: true
    links:
      lo: {{kind: loopback, up: true, alias: 'wireloom:pair/{node}'}}
      eth1: {{kind: {{veth: {{peer: '{other}:eth1'}}}}, mac: 'c2:00:00:00:00:0{n}', mtu: 1500, up: true, group: GROUP,
             alias: 'wireloom:pair/{node}:eth1', {qdisc}addresses: [{{net: 10.0.0.{n}/24}}]}}
"
        )
    };
    state(&format!("owner: pair\nnamespaces:\n{}{}", end("a", "b", 1, &qdisc), end("b", "a", 2, "")))
}

fn root() -> Value {
    let qdiscs: Value = serde_json::from_str(&sh_in("pair.a", "tc -j qdisc show dev eth1")).unwrap();
    qdiscs[0].clone()
}

/// Each option as we write it, and the words that tc has for it.
const OPTIONS: [(&str, &str); 10] = [
    ("delay_us: 40000, jitter_us: 5000, delay_correlation: 250000", "delay 40ms 5ms 25%"),
    ("loss: 3000, loss_correlation: 250000", "loss 0.3% 25%"),
    ("loss: 3000, ecn: true", "loss 0.3% ecn"),
    ("loss_model: {gemodel: {p: 10000, r: 100000, bad: 700000, good: 1000}}", "loss gemodel 1% 10% 70% 0.1%"),
    (
        "loss_model: {state: {p13: 10000, p31: 100000, p32: 700000, p23: 1000, p14: 20000}}",
        "loss state 1% 10% 70% 0.1% 2%",
    ),
    // Alone, tc drops the second number of a duplication.
    (
        "loss: 1, loss_correlation: 10000, duplicate: 10000, duplicate_correlation: 20000",
        "loss 0.0001% 1% duplicate 1% 2%",
    ),
    ("corrupt: 10000, corrupt_correlation: 20000", "corrupt 1% 2%"),
    ("delay_us: 1000, reorder: 250000, reorder_correlation: 500000, gap: 5", "delay 1ms reorder 25% 50% gap 5"),
    (
        "rate_bit: 1000000, packet_overhead: -14, cell_size: 100, cell_overhead: 5, limit: 77",
        "limit 77 rate 1mbit -14 100 5",
    ),
    ("slot: {least_us: 800, most_us: 10000, packets: 5, bytes: 65536}", "slot 800us 10ms packets 5 bytes 64k"),
];

#[test]
fn every_option_of_netem_means_what_it_means_to_tc() {
    needs!("netem");
    sandbox(|| {
        let mut machine = Machine::new();
        // From each to the next in place: what the one had and the other has not must be gone.
        for (ours, words) in OPTIONS {
            let desired = cable(ours);
            machine.up(&desired).unwrap();
            assert!(machine.plan(&desired).is_empty(), "{words}: {:?}", machine.plan(&desired).steps);
            let made = root();
            sh_in(
                "pair.a",
                &format!("tc qdisc del dev eth1 root; tc qdisc add dev eth1 root handle 5757: netem {words}"),
            );
            let theirs = root();
            // Newer kernels draw a seed for each.
            let bare = |found: &Value| {
                let mut options = found["options"].clone();
                options.as_object_mut().unwrap().remove("seed");
                (found["kind"].clone(), options)
            };
            assert_eq!(bare(&made), bare(&theirs), "{words}");
            assert!(machine.plan(&desired).is_empty(), "{words}: {:?}", machine.plan(&desired).steps);
        }
        machine.down(&cable(""));
    });
}

#[test]
fn a_distribution_of_netem_is_sent_once_and_seen_when_it_changes() {
    needs!("netem");
    sandbox(|| {
        let mut machine = Machine::new();
        let with = |distribution: &str| cable(&format!("delay_us: 30000, jitter_us: 5000{distribution}"));
        for (distribution, handle) in [
            (", distribution: normal", "5758:"),
            (", distribution: pareto", "5759:"),
            ("", "5757:"),
            (", distribution: paretonormal", "575a:"),
            (", distribution: normal", "5758:"),
        ] {
            let desired = with(distribution);
            let plan = machine.up(&desired).unwrap().plan;
            assert!(machine.plan(&desired).is_empty(), "{:?}", machine.plan(&desired).steps);
            assert_eq!(root()["handle"], handle, "{distribution}: {:?}", plan.steps);
        }
        // Far more of the bell than what is likely evenly lies in its middle, and some of it outside of the jitter.
        let reply = sh_in("pair.a", "ping -c 200 -i 0.01 -q -W 20 10.0.0.2");
        let numbers = reply.split("mdev = ").nth(1).unwrap_or_else(|| panic!("{reply}"));
        let times: Vec<f64> = numbers.split(['/', ' ']).filter_map(|number| number.parse().ok()).collect();
        let [least, mean, most, deviation] = times[..] else { panic!("{reply}") };
        // No packet of even spread is above 35 ms but for the clock; a machine without KVM has up to some ms of its own.
        assert!(least < 26.0 && mean > 27.0 && most > 36.0 && deviation > 3.0, "{reply}");
        let changed = cable("delay_us: 10000, jitter_us: 5000, distribution: normal");
        let steps = machine.up(&changed).unwrap().plan.steps;
        assert!(matches!(steps[..], [Step::SetQdisc { .. }]), "{steps:?}");
        assert_eq!((&root()["handle"], &root()["options"]["delay"]["delay"]), (&json!("5758:"), &json!(0.01)));
        machine.down(&changed);
    });
}

#[test]
fn a_change_of_netem_in_place_keeps_what_is_on_its_way() {
    needs!("netem");
    sandbox(|| {
        let mut machine = Machine::new();
        machine.up(&cable("delay_us: 1500000")).unwrap();
        sh("ip netns exec pair.a sh -c 'ping -c 1 -W 20 10.0.0.2 > /tmp/reply' &
            sleep 0.4");
        machine.up(&cable("delay_us: 1000")).unwrap();
        sh("for i in $(seq 100); do grep -q '1 received' /tmp/reply && exit; sleep 0.1; done; cat /tmp/reply; exit 1");
        machine.down(&cable(""));
    });
}
