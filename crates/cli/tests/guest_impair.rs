//! Delay and loss that are set on a network that is up, seen by ping at once; and a script of them. In the guest's kernel.

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, host_dump, needs, sandbox, sh_in};

const LAB: &str = r#"
name: lab
links: [{endpoints: ["r1:eth1", "r2:eth1"], ip: [10.0.0.1/24, 10.0.0.2/24], netem: delay 20ms}]
"#;

/// The shortest of some round trips, in milliseconds.
fn round_trip() -> f64 {
    let reply = sh_in("lab.r1", "ping -c 3 -i 0.3 -W 20 10.0.0.2");
    let times = reply.split("time=").skip(1).filter_map(|rest| rest.split(' ').next()?.parse().ok());
    times.reduce(f64::min).unwrap_or_else(|| panic!("{reply}"))
}

#[test]
fn an_impairment_is_seen_at_once_and_is_no_drift() {
    needs!("netem");
    sandbox(|| {
        let before = host_dump();
        let folder = Folder::with(&[("lab.yaml", LAB)]);
        folder.wireloom("up lab.yaml").ok();
        let is_as_asked = || assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        is_as_asked();
        assert!(round_trip() >= 40.0);
        folder.wireloom("impair set r1:eth1 delay 300ms 10ms distribution normal").ok();
        is_as_asked();
        assert!(round_trip() >= 250.0);
        folder.wireloom("impair set r1:eth1 --both loss 100%").ok();
        is_as_asked();
        sh_in("lab.r1", "! ping -c 2 -i 0.2 -W 1 10.0.0.2");
        folder.wireloom("impair set r1:eth1 --both none").ok();
        let status = folder.wireloom("status lab -o json --exit-code").ok().json();
        assert!(status["drift"].as_array().unwrap().is_empty(), "{status}");
        round_trip();
        folder.wireloom("impair reset --all").ok();
        is_as_asked();
        assert!(round_trip() >= 40.0);
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &host_dump());
    });
}
