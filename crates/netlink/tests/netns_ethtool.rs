//! Settings of real devices, read back with ethtool(8).

#![allow(clippy::unwrap_used, reason = "a test")]

use wireloom_netlink::{
    Ethtool,
    ethtool::{Group, Setting},
};
use wireloom_netns::Netns;
use wireloom_testkit::{sandbox, sh};

fn setting(text: &str) -> Setting {
    text.parse().unwrap()
}

/// What ethtool(8) shows behind `NAME: `.
fn shown(options: &str, name: &str) -> String {
    let all = sh(&format!("ethtool {options} veth0"));
    let line = all.lines().rfind(|line| line.trim().starts_with(&format!("{name}:")));
    line.unwrap_or_else(|| panic!("no {name} in {all}")).split_once(':').unwrap().1.trim().to_owned()
}

#[test]
fn settings_are_changed_and_read() {
    sandbox(|| {
        sh("ip link add veth0 numtxqueues 4 numrxqueues 4 type veth peer name veth1");
        let mut ethtool = Ethtool::open(&Netns::current().unwrap()).unwrap();
        for (text, values, options, name) in [
            ("features.tso", ["off", "on"], "-k", "tcp-segmentation-offload"),
            ("features.tx", ["off", "on"], "-k", "tx-checksumming"),
            ("features.rx-gro", ["on", "off"], "-k", "generic-receive-offload"),
            ("channels.rx", ["2", "4"], "-l", "RX"),
        ] {
            for value in values {
                ethtool.set("veth0", &setting(text), value).unwrap();
                assert_eq!(shown(options, name), value, "{text}");
                assert_eq!(ethtool.get("veth0", &setting(text)).unwrap().as_deref(), Some(value), "{text}");
            }
        }
    });
}

#[test]
fn what_a_device_does_not_have_is_nothing_to_read_and_refused_to_write() {
    sandbox(|| {
        sh("ip link add veth0 type veth peer name veth1");
        let mut ethtool = Ethtool::open(&Netns::current().unwrap()).unwrap();
        assert_eq!(ethtool.get("veth0", &setting("coalesce.rx-usecs")).unwrap(), None);
        assert_eq!(ethtool.get("veth0", &setting("features.no-such")).unwrap(), None);
        assert_eq!(ethtool.get("veth0", &setting("features.tx-checksum-ipv4")).unwrap().as_deref(), Some("off"));
        assert_eq!(ethtool.get("veth7", &setting("features.tso")).unwrap(), None);
        for (text, value) in [("coalesce.rx-usecs", "7"), ("features.no-such", "on"), ("channels.rx", "many")] {
            assert!(ethtool.set("veth0", &setting(text), value).is_err(), "{text}");
        }
    });
}

#[test]
fn texts_that_are_no_setting_are_told_apart() {
    let words = |text: &str| text.parse::<Setting>().unwrap_err().to_string();
    assert_eq!(words("wings.tso"), "unknown group `wings` of ethtool settings");
    assert_eq!(words("ring.rrx"), "unknown setting `rrx` of ethtool's ring");
    assert_eq!(words("tso"), "unknown group `tso` of ethtool settings");
    let wrong = setting("features.tso").check("1").unwrap_err().to_string();
    assert_eq!(wrong, "`1` is no value of ethtool's features.tso");
    assert!(Group::all().count() == 6 && Group::Ring.settings().any(|name| name == "rx"));
}
