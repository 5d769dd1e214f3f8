//! Scripts of impairments: the same every time, with checks that fail or pass, and back to what was before however they end.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

mod common;

use common::Folder;
use serde_json::Value;
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh, sh_in, wireloom};

const LAB: &str = r#"
name: lab
links:
  - {endpoints: ["r1:eth1", "r2:eth1"], ip: [10.0.0.1/24, 10.0.0.2/24]}
  - {endpoints: ["r1:eth2", "r2:eth2"], ip: [10.0.1.1/24, 10.0.1.2/24], rate: 20mbit}
"#;

const FLAP: &str = "
repeat: 2
steps:
  - {at: 0s, set: {link: r1:eth1, netem: rate 2mbit, both: true}}
  - {check: {ping: {from: r1, to: 'r2:eth1'}}}
  - {at: 0.2s, link: {down: [r1:eth1]}}
  - {at: 200ms, check: {ping: {from: r1, to: 'r2:eth1', timeout: 300ms, fails: true}}}
  - {check: {ping: {from: r1, to: 'r2:eth2'}}}
  - {at: 900ms, link: {up: r1:eth1}}
  - {at: 1s, reset: r1:eth1}
";

fn rate(node: &str, dev: &str) -> u64 {
    let text = sh_in(&format!("lab.{node}"), &format!("tc -j qdisc show dev {dev} root"));
    let options = serde_json::from_str::<Value>(&text).unwrap()[0]["options"].clone();
    options["rate"]["rate"].as_u64().or(options["rate"].as_u64()).unwrap_or(0) * 8
}

/// Up, with something set before, `look`, which leaves it so, and down to the machine before.
fn lives(look: impl FnOnce(&Folder) + Send) {
    sandbox(|| {
        let before = host_dump();
        let folder = Folder::with(&[("lab.yaml", LAB), ("flap.yaml", FLAP)]);
        folder.wireloom("up lab.yaml").ok();
        folder.wireloom("impair set r1:eth1 rate 4mbit").ok();
        look(&folder);
        assert_eq!(["r1", "r2"].map(|node| rate(node, "eth1")), [4_000_000, 0]);
        assert!(!sh_in("lab.r1", "ip link show eth1").contains("state DOWN"));
        folder.wireloom("status lab --exit-code").ok();
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &host_dump());
        assert!(!std::fs::exists("/run/wireloom").unwrap(), "{}", sh("find /run/wireloom"));
    });
}

#[test]
fn a_script_is_the_same_every_time_and_goes_back() {
    lives(|folder| {
        let played = || {
            let answer = folder.wireloom("impair play flap.yaml -o json").ok().json();
            assert_eq!((&answer["passed"], &answer["failed"]), (&6.into(), &0.into()), "{answer}");
            let told =
                |done: &Value| [&done["round"], &done["at_ms"], &done["text"], &done["ok"]].map(Value::to_string);
            answer["timeline"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
        };
        let first = played();
        assert_eq!(first.len(), 14, "{first:?}");
        assert_eq!(first[0], ["1", "0", "\"set r1:eth1 r2:eth1 netem rate 2mbit\"", "true"]);
        assert_eq!(first[9], ["2", "200", "\"link down r1:eth1\"", "true"]);
        assert_eq!(played(), first);
    });
}

#[test]
fn a_check_that_fails_is_told_and_the_script_goes_on() {
    lives(|folder| {
        folder.write("wrong.yaml", "steps:\n  - {link: {down: r1:eth1, both: true}}\n  - {check: {ping: {from: r1, to: 'r2:eth1', timeout: 300ms}}}\n  - {at: 0.6s, check: {ping: {from: r1, to: 'r2:eth2'}}}\n");
        let run = folder.wireloom("impair play wrong.yaml -t lab");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.stdout.contains("fails: at 0.0 ms of round 1: ping r1 -> r2:eth1"), "{run:?}");
        assert!(run.stdout.ends_with("lab: 3 steps, 1 of 2 checks passed; back to what was before\n"), "{run:?}");
    });
}

#[test]
fn what_is_kept_stays_until_it_is_reset() {
    lives(|folder| {
        folder.write("keep.yaml", "steps: [{set: {link: r2:eth1, netem: rate 3mbit}}]\n");
        folder.wireloom("impair play keep.yaml --keep").ok();
        assert_eq!(rate("r2", "eth1"), 3_000_000);
        folder.wireloom("status lab --exit-code").ok();
        folder.wireloom("impair reset r2:eth1").ok();
    });
}

#[test]
fn mistakes_have_their_places_and_nothing_is_done() {
    lives(|folder| {
        folder.write(
            "bad.yaml",
            "repeat: 0
steps:
  - {at: 2s, set: {link: r1:eth9, netem: delya 1ms}}
  - {at: 1s, reset: r1}
  - {set: {netem: rate 1mbit}, check: {ping: {from: r1, to: r2}}}
  - {check: {ping: {from: r7, to: r2}}}
  - {link: {}, at: soon}
  - {lnik: {up: r1:eth1}}
",
        );
        let run = folder.wireloom("impair play bad.yaml -o json");
        assert_eq!(run.status, 65, "{run:?}");
        for (place, text) in [
            ("bad.yaml:1:9", "from 1 to"),
            ("bad.yaml:3:26", "lab has no link r1:eth9"),
            ("bad.yaml:3:42", "unknown word `delya`"),
            ("bad.yaml:4:10", "`at` is before the step above, which is at 2000ms"),
            ("bad.yaml:4:21", "interface name"),
            ("bad.yaml:5:5", "a step is one of `set`, `reset`, `link` and `check`"),
            ("bad.yaml:6:27", "there is no node `r7`"),
            ("bad.yaml:7:20", "soon"),
            ("bad.yaml:8:6", "unknown key `lnik`"),
        ] {
            let told = run.stderr.lines().any(|line| line.starts_with(place) && line.contains(text));
            assert!(told, "{place} {text}: {}", run.stderr);
        }
    });
}

#[test]
fn it_goes_back_when_it_is_stopped_and_up_does_when_it_is_killed() {
    lives(|folder| {
        folder.write("long.yaml", "steps:\n  - {link: {down: r1:eth1}}\n  - {set: {link: [r1:eth1, r2:eth1], netem: rate 1mbit}}\n  - {at: 60s, reset: all}\n");
        let program = wireloom().get_program().to_owned();
        let play = |signal: &str| {
            let (program, script) = (program.to_string_lossy().into_owned(), folder.path("long.yaml"));
            let out = folder.path("out");
            sh(&format!(
                "{program} impair play {} -o json > {out} 2>&1 & pid=$!
                for i in $(seq 200); do grep -q 'set r1:eth1' {out} && break; sleep 0.05; done
                kill -{signal} $pid; status=0; wait $pid || status=$?; echo \"status $status\"; cat {out}",
                script.display(),
                out = out.display(),
            ))
        };
        let stopped = play("TERM");
        assert!(stopped.contains("status 1\n") && stopped.contains("\"stopped\": true"), "{stopped}");
        assert_eq!(rate("r2", "eth1"), 0);
        let killed = play("KILL");
        assert!(killed.contains("status 137\n"), "{killed}");
        assert_eq!(rate("r2", "eth1"), 1_000_000);
        eventually("the lock is free", || folder.wireloom("up lab.yaml").status == 0);
    });
}
