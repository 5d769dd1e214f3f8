//! Interfaces whose other end is a program: here the test is that program.

mod common;

use std::{
    fs::File,
    io::{Read, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use common::Folder;
use wireloom_netns::{Netns, TapOptions};
use wireloom_testkit::{assert_same_dump, host_dump, ip_in, sandbox, sh};

const LAB: &str = r#"
name: lab
nodes: {vmhost: {}, h1: {}}
links:
  - {type: tap, node: vmhost, dev: vm1, bridge: "vmhost:br0", mtu: 1400, user: 64055}
  - {type: tun, node: vmhost, dev: vpn0, ip: 10.8.0.1/24}
  - {node: h1, bridge: "vmhost:br0", ip: 10.0.0.2/24}
bridges: [{bridge: br0, node: vmhost}]
"#;

/// Who has 10.0.0.2? Tell 10.0.0.9 (RFC 826).
const ASKED: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 8, 6, // Ethernet, from 02:00:00:00:00:09
    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
];

/// Asks until somebody answers: the bridge may not have seen the carrier yet. Others may speak meanwhile.
fn answer(mut program: File) -> [u8; 4] {
    let mut reader = program.try_clone().expect("another descriptor");
    let (heard, answers) = mpsc::channel();
    thread::spawn(move || {
        let mut frame = [0; 2000];
        while let Ok(length) = reader.read(&mut frame) {
            if length >= 42 && frame[12..14] == [8, 6] && frame[20..22] == [0, 2] {
                return heard.send([frame[28], frame[29], frame[30], frame[31]]);
            }
        }
        Ok(())
    });
    for _ in 0..30 {
        program.write_all(&ASKED).expect("write a frame");
        if let Ok(answer) = answers.recv_timeout(Duration::from_secs(1)) {
            return answer;
        }
    }
    panic!("nobody answered");
}

#[test]
fn a_frame_of_the_program_is_answered_by_a_node_behind_the_bridge() {
    sandbox(|| {
        let folder = Folder::with(&[("lab.yaml", LAB)]);
        let before = host_dump();
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        let tap = ip_in("lab.vmhost", "link show vm1")[0].clone();
        assert_eq!((&tap["mtu"], &tap["master"]), (&1400.into(), &"br0".into()));
        let netns = Netns::named("lab.vmhost").unwrap();
        let program = File::from(netns.open_tap("vm1", TapOptions::default()).unwrap());
        assert_eq!(answer(program), [10, 0, 0, 2]);
        folder.wireloom("down lab.yaml").ok();
        assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn one_of_others_is_not_taken_over_and_another_mode_takes_another_one() {
    sandbox(|| {
        let folder = Folder::with(&[("lab.yaml", LAB)]);
        sh("ip netns add house; ip -n house tuntap add dev vm1 mode tap");
        folder.write("lab.yaml", &LAB.replace("vmhost: {}", "vmhost: {netns: house}"));
        let run = folder.wireloom("up lab.yaml");
        assert!(run.status == 1 && run.stderr.contains("vmhost:vm1"), "{run:?}");
        sh("ip -n house link del vm1");
        folder.wireloom("up lab.yaml").ok();
        folder.write("lab.yaml", &LAB.replace("vmhost: {}", "vmhost: {netns: house}").replace("64055", "64056"));
        let up = folder.wireloom("up lab.yaml").ok();
        assert!(up.stdout.contains("mode tap user 64055 -> tap user 64056"), "{up:?}");
        folder.wireloom("down lab.yaml").ok();
        assert_eq!(ip_in("house", "link").as_array().unwrap().len(), 1);
    });
}
