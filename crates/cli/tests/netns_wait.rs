//! `wait`: for what, in what order, how it ends, and what it becomes.

mod common;

use std::process::{Child, Stdio};

use common::{Folder, TRIANGLE};
use wireloom_testkit::{eventually, sandbox, sh, wireloom};

/// A wait that goes on while the test does things.
fn start(folder: &Folder, args: &[&str]) -> Child {
    let mut command = wireloom();
    command.arg("wait").args(args).current_dir(folder.path("")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(Stdio::null()).spawn().expect("start it")
}

/// Asserts that it still waits, having looked: it sleeps in poll(), or in a command of its own.
#[track_caller]
fn goes_on(child: &mut Child) {
    let path = format!("/proc/{}/status", child.id());
    eventually("it sleeps", || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("State:\tS")));
    assert_eq!(child.try_wait().expect("ask for it"), None);
}

#[test]
fn files_interfaces_ports_and_commands_and_then_a_program_without_any_right_or_topology() {
    sandbox(|| {
        let folder = Folder::with(&[("there", ""), ("also", "")]);
        sh(
            "ip link add e0 type veth peer name e1; ip addr add 10.0.0.1/24 dev e0; ip link set e0 up; ip link set e1 up",
        );
        sh("ip link set lo up");
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let line = format!(
            "cd {}; exec setpriv --bounding-set=-all --inh-caps=-all {} wait -f there -i e0 -I e0 --carrier e0 \
             -t 127.0.0.1:{port} -t localhost:{port} -c 'test -e also' -s 0.01 --timeout 30s \
             -- sh -c 'echo became $0; grep CapEff /proc/self/status; exit 7' it",
            folder.path("").display(),
            wireloom().get_program().display()
        );
        assert_eq!(sh(&format!("({line}) || echo $?")), "became it\nCapEff:\t0000000000000000\n7\n");
    });
}

#[test]
fn what_comes_while_it_waits_is_seen() {
    sandbox(|| {
        let folder = Folder::with(&[]);
        let mut child = start(&folder, &["-f", "there", "-I", "e0", "--carrier", "e0"]);
        goes_on(&mut child);
        sh("ip link add e0 type veth peer name e1; ip link set e0 up");
        goes_on(&mut child);
        sh("ip addr add 10.0.0.1/24 dev e0");
        goes_on(&mut child);
        sh("ip link set e1 up");
        goes_on(&mut child);
        folder.write("there", "");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn what_is_missing_when_the_time_is_over_is_named() {
    sandbox(|| {
        let folder = Folder::with(&[]);
        sh("ip link add e0 type veth peer name e1; ip addr add 10.0.0.1/24 dev e0; ip link set lo up");
        let run = folder.argv(&[
            "wait",
            "-f",
            "gone",
            "-i",
            "e0",
            "-i",
            "e7",
            "-I",
            "e0",
            "-t",
            "127.0.0.1:9",
            "-c",
            "exit 3",
            "--timeout",
            "10ms",
        ]);
        let missing = "file gone, interface e7 (it is not there), address of interface e0 (it is down), \
            tcp 127.0.0.1:9 (Connection refused (os error 111)), command `exit 3` (exit status: 3)";
        let expected = format!("error: after 10 ms there is still missing: {missing}\n");
        assert_eq!((run.status, run.stderr), (1, expected));
        assert_eq!(folder.wireloom("wait").status, 64);
        assert_eq!(folder.wireloom("wait -t nowhere").status, 64);
        assert_eq!(folder.wireloom("wait -- sh -c true").status, 0);
        assert_eq!(folder.wireloom("wait -- no-such-program").status, 127);
        let json = folder.wireloom("wait -f gone --timeout 1ms -o json").json();
        assert_eq!(json["error"]["exit_code"], 1);
    });
}

#[test]
fn nodes_and_whole_networks_are_waited_for_also_before_they_are_there() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut node = start(&folder, &["--node", "r1", "--carrier", "eth1", "-I", "r2:eth2"]);
        let mut network = start(&folder, &["triangle"]);
        goes_on(&mut node);
        goes_on(&mut network);
        folder.wireloom("up triangle.yaml").ok();
        assert!(node.wait().unwrap().success());
        assert!(network.wait().unwrap().success());
        sh("ip -n triangle.r3 link set eth1 down");
        let late = folder.wireloom("wait triangle.yaml --timeout 10ms");
        let expected =
            "error: after 10 ms there is still missing: triangle.yaml (still to do: change link r3:eth1: up)\n";
        assert_eq!((late.status, late.stderr.as_str()), (1, expected));
        let late = folder.wireloom("wait -n r1 --carrier eth2 --timeout 10ms");
        assert!(late.stderr.ends_with("carrier of interface r1:eth2 (it has no carrier)\n"), "{late:?}");
        let mut network = start(&folder, &["triangle"]);
        goes_on(&mut network);
        sh("ip -n triangle.r3 link set eth1 up");
        assert!(network.wait().unwrap().success());
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn checks_of_a_network_must_pass() {
    sandbox(|| {
        let lab = format!("{TRIANGLE}checks: [{{tcp: {{from: r1, to: \"r2:81\", timeout: 10ms}}}}]\n");
        let folder = Folder::with(&[("triangle.yaml", &lab)]);
        folder.wireloom("up triangle.yaml").ok();
        let late = folder.wireloom("wait triangle --timeout 10ms");
        assert!(late.stderr.contains("triangle (check tcp r1 -> r2:81: the port is closed)"), "{late:?}");
        folder.wireloom("down triangle").ok();
    });
}
