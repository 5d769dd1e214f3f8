//! Settings of devices, from the document to what `ethtool` shows, and back.

mod common;

use common::Folder;
use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh_in};

const PAIR: &str = r#"
name: pair
links:
  - {endpoints: ["a:eth1", "b:eth1"], ip: [10.0.0.1/24, 10.0.0.2/24], queues: 4, ETHTOOL}
checks: [{ping: {from: a, to: b}}]
"#;

fn with(ethtool: &str) -> String {
    PAIR.replace(", ETHTOOL", ethtool)
}

/// What `ethtool` says of a's end.
fn shown(option: &str, name: &str) -> String {
    let all = sh_in("pair.a", &format!("ethtool {option} eth1"));
    let line = all.lines().rfind(|line| line.starts_with(&format!("{name}:"))).expect("a line of that name");
    line.split_once(':').expect("a colon").1.trim().to_owned()
}

fn looks() -> [String; 3] {
    [shown("-k", "tx-checksumming"), shown("-k", "tcp-segmentation-offload"), shown("-l", "RX")]
}

#[test]
fn settings_come_change_in_place_and_go_back() {
    sandbox(|| {
        let folder = Folder::with(&[("pair.yaml", &with(", ethtool: [--offload tso off, --set-channels rx 2]"))]);
        let before = host_dump();
        folder.wireloom("up pair.yaml").ok();
        assert_eq!(looks(), ["on", "off", "2"]);
        assert_eq!(folder.wireloom("up pair.yaml").ok().stdout, "pair: nothing to do\n");
        folder.wireloom("check pair.yaml").ok();
        folder.write("pair.yaml", &with(", ethtool: {features: {tx: off}, channels: {rx: 2}}"));
        let up = folder.wireloom("up pair.yaml").ok();
        let line = "~ ethtool a eth1.features.tx: on -> off\n";
        assert!(up.stdout.contains(line) && !up.stdout.contains("channels"), "{up:?}");
        let [tx, _, rx] = looks();
        assert_eq!((&*tx, &*rx), ("off", "2"));
        sh_in("pair.a", "ethtool -L eth1 rx 3");
        let drift = "~ ethtool a eth1.channels.rx: 3 -> 2\n";
        assert!(folder.wireloom("status pair.yaml").ok().stdout.contains(drift), "it is drift");
        folder.write("pair.yaml", &with(""));
        folder.wireloom("up pair.yaml").ok();
        assert_eq!(looks(), ["on", "on", "4"], "what was there before");
        folder.wireloom("down pair.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn what_the_device_lacks_is_named_and_leaves_nothing_behind() {
    sandbox(|| {
        let before = host_dump();
        for (ethtool, words) in [
            ("--offload ts0 off", "setting features.ts0 of ethtool, which a:eth1 needs"),
            ("--coalesce rx-usecs 5", "setting coalesce.rx-usecs of ethtool, which a:eth1 needs"),
        ] {
            let folder = Folder::with(&[("pair.yaml", &with(&format!(", ethtool: {ethtool}")))]);
            let run = folder.wireloom("up pair.yaml");
            assert!(run.status == 69 && run.stderr.contains(words), "{run:?}");
            assert_same_dump(&before, &host_dump());
        }
        let many = Folder::with(&[("pair.yaml", &with(", ethtool: -L rx 5"))]);
        let run = many.wireloom("up pair.yaml");
        assert!(run.status == 65 && run.stderr.contains("ETHTOOL_MSG_CHANNELS_SET refused"), "{run:?}");
        assert_same_dump(&before, &host_dump());
    });
}
