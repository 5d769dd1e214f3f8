//! Impairments and links that are taken down on a network that is up: at once, neither drift nor lost by `up`, gone with
//! `down` unless they are to stay, and harmless when we are killed. This kernel may have no netem, so most of it is rates.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

mod common;

use std::time::{Duration, Instant};

use common::Folder;
use serde_json::{Value, json};
use wireloom_testkit::{assert_same_dump, has_kind, host_dump, run, sandbox, sh, sh_in, wireloom};

const LAB: &str = r#"
name: lab
nodes: {r1: {routes: "10.9.0.0/16 via 10.0.0.2"}, r2: {}}
links:
  - {endpoints: ["r1:eth1", "r2:eth1"], ip: [[10.0.0.1/24, "fd00::1/64"], [10.0.0.2/24, "fd00::2/64"]]}
  - {endpoints: ["r1:eth2", "r2:eth2"], ip: [10.0.1.1/24, 10.0.1.2/24], rate: 20mbit}
  - {node: r1, dev: eth3, bridge: s1, ip: 10.0.2.1/24}
"#;

fn root(node: &str, dev: &str) -> Value {
    let text = sh_in(&format!("lab.{node}"), &format!("tc -j qdisc show dev {dev} root"));
    serde_json::from_str::<Value>(&text).unwrap()[0].clone()
}

/// Bits a second, and 0 without a rate.
fn rate(node: &str, dev: &str) -> u64 {
    let options = &root(node, dev)["options"];
    options["rate"]["rate"].as_u64().or(options["rate"].as_u64()).unwrap_or(0) * 8
}

/// Nothing differs from what was asked for, and there is nothing to do.
#[track_caller]
fn is_as_asked(folder: &Folder) {
    folder.wireloom("status lab --exit-code").ok();
    folder.wireloom("plan lab.yaml --exit-code").ok();
    assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
}

/// Up, `look`, and down to the machine before.
fn lives(look: impl FnOnce(&Folder) + Send) {
    sandbox(|| {
        let before = host_dump();
        let folder = Folder::with(&[("lab.yaml", LAB)]);
        folder.wireloom("up lab.yaml").ok();
        look(&folder);
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &host_dump());
        assert!(!std::fs::exists("/run/wireloom").unwrap(), "{}", sh("find /run/wireloom"));
    });
}

#[test]
fn a_rate_is_set_at_once_and_is_no_drift_until_it_is_reset() {
    lives(|folder| {
        let ping = || sh_in("lab.r1", "ping -A -q -c 100 -s 1400 -W 20 10.0.0.2");
        let answer = folder.wireloom("impair set r1:eth1 rate 1mbit -o json").ok().json();
        assert_eq!(answer["links"][0]["overlay"], "netem rate 1mbit", "{answer}");
        assert_eq!(answer["changed"].as_array().unwrap().len(), 1, "{answer}");
        assert_eq!((rate("r1", "eth1"), rate("r2", "eth1")), (1_000_000, 0));
        is_as_asked(folder);
        // 100 frames of 1442 bytes, of which a bucket of 15,140 may go at once. A slow machine only takes longer.
        let start = Instant::now();
        ping();
        assert!(
            start.elapsed() > Duration::from_secs_f64((144_200.0 - 15_140.0) * 8.0 / 1e6 * 0.98),
            "{:?}",
            start.elapsed()
        );
        folder.write("lab.yaml", &LAB.replace("rate: 20mbit", "rate: 20mbit, mtu: 1400"));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(rate("r1", "eth1"), 1_000_000, "an `up` of another document does not lose it");
        is_as_asked(folder);
        folder.wireloom("impair set r1:eth1 --both rate 8mbit").ok();
        assert_eq!((rate("r1", "eth1"), rate("r2", "eth1")), (8_000_000, 8_000_000));
        let shown = folder.wireloom("impair show").ok().stdout;
        assert!(shown.contains("r1:eth1 up ") && shown.contains("(set at run time)"), "{shown}");
        assert_eq!(folder.wireloom("impair reset r1:eth1 --both").ok().stdout.matches("not impaired").count(), 2);
        assert_eq!((rate("r1", "eth1"), rate("r2", "eth1")), (0, 0));
        is_as_asked(folder);
    });
}

#[test]
fn what_the_document_says_counts_again_after_a_reset() {
    lives(|folder| {
        for (words, expected) in [("rate 4mbit", 4_000_000), ("none", 0)] {
            folder.wireloom(&format!("impair set -t lab r1:eth2 {words}")).ok();
            assert_eq!(rate("r1", "eth2"), expected);
            is_as_asked(folder);
            let row = folder.wireloom("impair show r1:eth2 -o json").ok().json()["links"][0].clone();
            assert!(row["document"].as_str().unwrap().starts_with("tbf rate 20mbit"), "{row}");
            assert_eq!((&row["persist"], row["overlay"] == "none"), (&json!(false), words == "none"), "{row}");
        }
        folder.wireloom("impair set r2:eth1 rate 4mbit").ok();
        folder.wireloom("impair reset --all").ok();
        assert_eq!((rate("r1", "eth2"), rate("r2", "eth1")), (20_000_000, 0));
        is_as_asked(folder);
        // The node's end has sent its frames, and the bridge's end is a link too.
        folder.wireloom("impair set r1:eth3 --both rate 4mbit").ok();
        assert_eq!(rate("r1", "eth3"), 4_000_000);
        let bridge = folder.wireloom("impair show -o json").ok().json()["links"][0]["link"].clone();
        assert!(bridge.as_str().unwrap().starts_with("r1:eth2") || bridge.as_str().unwrap().starts_with("r1:eth3"));
    });
}

#[test]
fn a_kept_impairment_outlives_down_and_goes_with_a_reset() {
    lives(|folder| {
        folder.wireloom("impair set r1:eth1 rate 4mbit").ok();
        folder.wireloom("impair set r2:eth1 rate 4mbit --persist").ok();
        folder.wireloom("link down r2:eth2 --persist").ok();
        folder.wireloom("down lab").ok();
        folder.wireloom("up lab.yaml").ok();
        assert_eq!((rate("r1", "eth1"), rate("r2", "eth1")), (0, 4_000_000));
        is_as_asked(folder);
        let shown = folder.wireloom("impair show r2:eth1 r2:eth2").ok().stdout;
        assert!(shown.contains("(set at run time; stays after `down`)"), "{shown}");
        assert!(shown.contains("r2:eth2 down") && shown.contains("taken down at run time; stays"), "{shown}");
        // What is set without `--persist` takes its place, and is gone with `down` for good.
        folder.wireloom("impair set r2:eth1 rate 6mbit").ok();
        folder.wireloom("down lab").ok();
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(rate("r2", "eth1"), 0);
        folder.wireloom("down lab").ok();
        folder.wireloom("impair reset --all -t lab").ok();
        folder.wireloom("up lab.yaml").ok();
        sh_in("lab.r1", "ping -c 1 -W 20 10.0.1.2");
    });
}

#[test]
fn a_link_that_is_taken_down_stays_down_and_comes_back_whole() {
    lives(|folder| {
        let routes = || sh_in("lab.r1", "ip route; ip -6 route show dev eth1 | sed /fe80/d");
        let before = routes();
        folder.wireloom("link down r1:eth1").ok();
        assert!(sh_in("lab.r1", "ip link show eth1").contains("state DOWN"));
        assert!(!routes().contains("10.9.0.0/16"), "{}", routes());
        is_as_asked(folder);
        sh_in("lab.r2", "! ping -c 1 -W 1 10.0.0.1");
        let why = folder.wireloom("check lab -o json");
        assert_eq!(why.status, 1, "{why:?}");
        folder.wireloom("impair set r1:eth1 rate 4mbit").ok();
        assert_eq!(folder.wireloom("link down r1:eth1").ok().stdout.matches("taken down at run time").count(), 1);
        folder.wireloom("link up r1:eth1").ok();
        assert_eq!(routes(), before);
        assert_eq!(rate("r1", "eth1"), 4_000_000, "the impairment has nothing to do with it");
        // From the end that has forgotten its neighbours: the other one still waits for an answer to what it asked before.
        sh_in("lab.r1", "ping -c 1 -W 20 10.0.0.2; ping -c 1 -W 20 fd00::2");
        is_as_asked(folder);
        folder.wireloom("link down r1:eth1 r1:eth2 --both").ok();
        is_as_asked(folder);
        folder.wireloom("impair reset --all").ok();
        assert_eq!(routes(), before);
        is_as_asked(folder);
    });
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    lives(|folder| {
        let refused = |args: &str, status: i32, text: &str| {
            let run = folder.wireloom(args);
            assert_eq!(run.status, status, "{run:?}");
            assert!(run.stderr.contains(text), "{args}: {run:?}");
        };
        refused("impair set r1:eth9 rate 1mbit", 1, "lab has no link r1:eth9; there are r1:eth1, r1:eth2, r1:eth3");
        refused("impair set r1:lo rate 1mbit", 1, "lab has no link r1:lo");
        refused("impair set r9:eth1 rate 1mbit", 1, "a node r9");
        refused(
            "impair set r1:eth1 delya 10ms",
            64,
            "unknown word `delya` in netem options\n  help: did you mean `delay`?",
        );
        refused("impair set r1:eth1 jitter 10ms", 64, "jitter");
        refused("impair set r1:eth1", 64, "NETEM");
        refused("impair reset", 64, "required");
        refused("link sideways r1:eth1", 64, "sideways");
        if !has_kind("netem") {
            let said =
                "no netem qdisc (CONFIG_NET_SCH_NETEM), which r1:eth1 needs for delay, loss; without it only a rate";
            refused("impair set r1:eth1 delay 40ms loss 1%", 69, said);
            refused("impair set r1:eth2 delay 40ms", 69, "delay");
            folder.write("slow.yaml", &LAB.replace("rate: 20mbit", "netem: delay 40ms corrupt 1%"));
            refused("up slow.yaml", 69, "which r1:eth2 needs for delay, corrupt");
        }
        assert_eq!((rate("r1", "eth1"), rate("r1", "eth2")), (0, 20_000_000));
        is_as_asked(folder);
    });
}

/// Killed at the entry of the Nth call of these kinds; then an `up` makes it right, or it was done.
#[test]
fn killed_anywhere_the_next_up_is_as_asked() {
    lives(|folder| {
        let mut kills = 0;
        for verb in ["impair set r1:eth1 --both rate 4mbit", "link down r1:eth1", "impair reset --all"] {
            // strace counts in each thread by itself: the first alone, and whichever gets there.
            let calls = [("sendto", false), ("sendto", true), ("rename", false), ("write", false), ("unlink", false)];
            for (call, follow) in calls {
                for n in 1.. {
                    if verb.starts_with("impair reset") {
                        folder.wireloom("impair set r1:eth1 rate 4mbit").ok();
                    }
                    let inject = format!("inject={call}:signal=SIGKILL:when={n}");
                    #[expect(clippy::disallowed_methods, reason = "strace is the killer")]
                    let mut strace = std::process::Command::new("strace");
                    let quiet = ["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject];
                    strace.args(follow.then_some("-f")).args(quiet).arg(wireloom().get_program()).args(verb.split(' '));
                    let killed = run(&mut strace).status != 0;
                    folder.wireloom("up lab.yaml").ok();
                    is_as_asked(folder);
                    if !killed {
                        break;
                    }
                    kills += 1;
                    assert!(n < 100, "{verb} is killed in {call} for ever");
                }
            }
            folder.wireloom("impair reset --all").ok();
        }
        assert!(kills > 30, "killed {kills} times only");
    });
}

/// The port of a bridge that is a tunnel is a link like others.
#[test]
fn a_tunnel_has_its_rate() {
    sandbox(|| {
        let before = host_dump();
        let folder = Folder::with(&[(
            "lab.yaml",
            "name: lab
links: [{endpoints: [\"r1:eth1\", \"r2:eth1\"], ip: [10.0.0.1/30, 10.0.0.2/30]}]
bridges: [{bridge: s1, node: r1, ip: 10.1.0.1/24}, {bridge: s2, node: r2, ip: 10.1.0.2/24}]
tunnels:
  - {type: vxlan, bridge: \"r1:s1\", remote: 10.0.0.2, vni: 7, netem: rate 8mbit}
  - {type: vxlan, bridge: \"r2:s2\", remote: 10.0.0.1, vni: 7}
",
        )]);
        folder.wireloom("up lab.yaml").ok();
        is_as_asked(&folder);
        sh_in("lab.r1", "ping -c 1 -W 20 10.1.0.2");
        assert_eq!(rate("r1", "vx7"), 8_000_000);
        folder.wireloom("impair set r1:vx7 rate 4mbit").ok();
        assert_eq!(rate("r1", "vx7"), 4_000_000);
        is_as_asked(&folder);
        sh_in("lab.r1", "ping -c 1 -W 20 10.1.0.2");
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &host_dump());
    });
}
