//! `watch`: what it mends, what it follows, what it leaves, and how it ends.

mod common;

use std::{
    fs,
    os::unix::net::UnixDatagram,
    process::{Child, Stdio},
    time::Duration,
};

use common::{Folder, TRIANGLE};
use serde_json::Value;
use wireloom_testkit::{eventually, host_dump, ip_in, run, sandbox, sh, sh_in, wireloom};

/// A watch, with its lines of JSON in a file.
struct Watch {
    child: Child,
    lines: std::path::PathBuf,
}

impl Watch {
    fn start(folder: &Folder, args: &str) -> Watch {
        let lines = folder.path("lines");
        let mut command = wireloom();
        command.args(["watch", "-o", "json"]).args(args.split_whitespace()).current_dir(folder.path(""));
        let out = fs::File::create(&lines).expect("make a file");
        let err = fs::File::create(folder.path("talk")).expect("make a file");
        let child = command.stdout(out).stderr(err).stdin(Stdio::null()).spawn().expect("start it");
        Watch { child, lines }
    }

    /// All that it has told so far.
    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.lines).expect("read the lines");
        // The last one may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until it has told that.
    #[track_caller]
    fn told(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || self.lines().iter().any(&holds));
        self.lines().into_iter().find(holds).expect("just seen")
    }

    #[track_caller]
    fn told_event(&self, event: &str) -> Value {
        self.told(event, |line| line["event"] == event)
    }

    fn signal(&mut self, signal: &str) -> Option<i32> {
        sh(&format!("kill -{signal} {}", self.child.id()));
        self.child.wait().expect("wait for it").code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn pings(from: &str, to: &str) -> bool {
    run(wireloom().args(["exec", from, "--", "ping", "-c1", "-W2", to])).status == 0
}

#[test]
fn what_is_removed_comes_back_and_the_rest_is_not_touched() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut watch = Watch::start(&folder, "triangle.yaml");
        watch.told_event("up");
        let index = ip_in("triangle.r1", "link show eth2")[0]["ifindex"].clone();
        sh("ip -n triangle.r1 link del eth1");
        let line = watch.told_event("mended");
        assert_eq!((&line["topology"], &line["changed"][0]["object"]), (&"triangle".into(), &"link".into()), "{line}");
        assert!(line["ms"].is_f64() && pings("r1", "12.12.12.2"));
        sh("ip -n triangle.r2 addr del 12.12.12.2/24 dev eth1");
        eventually("the address is back", || pings("r1", "12.12.12.2"));
        sh("ip -n triangle.r3 link set eth1 down");
        eventually("it is up again", || pings("r1", "13.13.13.3"));
        sh("ip netns del triangle.r2");
        eventually("the node is back", || run(wireloom().args(["plan", "triangle", "--exit-code"])).status == 0);
        assert_eq!(ip_in("triangle.r1", "link show eth2")[0]["ifindex"], index);
        assert_eq!(watch.signal("TERM"), Some(0));
        assert_eq!(watch.told_event("ended")["reason"], "told to end; what is up stays");
        assert!(pings("r1", "12.12.12.2"));
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn what_was_changed_on_top_of_the_document_is_kept_and_no_drift() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let watch = Watch::start(&folder, "triangle.yaml");
        watch.told_event("up");
        folder.wireloom("link down r3:eth1").ok();
        sh("ip -n triangle.r1 link del eth1");
        watch.told_event("mended");
        eventually("the other link is back", || pings("r1", "12.12.12.2"));
        assert!(!sh("ip -n triangle.r3 -br link show eth1").contains("UP"));
        folder.wireloom("link up r3:eth1").ok();
        eventually("it is up", || pings("r1", "13.13.13.3"));
        drop(watch);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn it_follows_its_document_and_a_wrong_one_changes_nothing() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut watch = Watch::start(&folder, "triangle.yaml");
        watch.told_event("up");
        let link = "ip -n triangle.r1 -o link show eth1 2>/dev/null || true";
        let mtu = |mtu: u32| move || sh(link).contains(&format!(" mtu {mtu} "));
        // As editors do it: a new file takes the place of the old one.
        folder.write("new", &TRIANGLE.replace("12.12.12.2/24]", "12.12.12.2/24], mtu: 9000"));
        fs::rename(folder.path("new"), folder.path("triangle.yaml")).unwrap();
        eventually("the new one is in force", mtu(9000));
        let line = watch.told_event("reloaded");
        assert_eq!(line["changed"].as_array().unwrap().len(), 2, "{line}");
        folder.write("triangle.yaml", &TRIANGLE.replace("12.12.12.2/24]", "12.12.12.2/24], mtuu: 1400"));
        let line = watch.told_event("wrong");
        assert_eq!(line["error"]["mistakes"][0]["field"], "links[0].mtuu", "{line}");
        assert!(fs::read_to_string(folder.path("talk")).unwrap().contains("unknown key `mtuu`"));
        sh("ip -n triangle.r1 link del eth1");
        eventually("the old one is still kept", mtu(9000));
        folder.write("triangle.yaml", TRIANGLE);
        eventually("it is right again", mtu(1500));
        folder.write("triangle.yaml", &TRIANGLE.replace("name: triangle", "name: other"));
        watch.told("it is another", |line| {
            line["error"]["message"].as_str().is_some_and(|text| text.contains("topology other now"))
        });
        sh(&format!("kill -HUP {}", watch.child.id()));
        let count = |watch: &Watch| watch.lines().iter().filter(|line| line["event"] == "wrong").count();
        eventually("SIGHUP reloads", || count(&watch) == 3);
        assert_eq!(watch.signal("INT"), Some(0));
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn one_bad_node_holds_no_other_up_and_is_made_when_it_can_be() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        // Somebody else's.
        sh("ip netns add triangle.r2; ip -n triangle.r2 link add keep type veth peer name kept");
        let watch = Watch::start(&folder, "triangle.yaml");
        let line = watch.told_event("up");
        assert_eq!(line["held"][0]["node"], "r2", "{line}");
        assert!(line["held"][0]["reason"].as_str().unwrap().contains("exists already and is not ours"), "{line}");
        assert!(pings("r1", "13.13.13.3"));
        assert_eq!(sh("ip -n triangle.r2 -br link show type veth").lines().count(), 2);
        sh("ip -n triangle.r1 link set eth2 down");
        eventually("the others are still mended", || pings("r1", "13.13.13.3"));
        sh("ip netns del triangle.r2");
        eventually("it is made", || pings("r1", "12.12.12.2") && pings("r2", "23.23.23.3"));
        assert_eq!(folder.wireloom("plan triangle --exit-code").status, 0);
        drop(watch);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn killed_and_started_again_it_adopts_what_is_there_and_no_packet_is_lost() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let mut watch = Watch::start(&folder, "triangle.yaml");
        watch.told_event("up");
        assert!(pings("r1", "12.12.12.2"));
        let mut ping = wireloom();
        ping.args(["exec", "r1", "--", "ping", "-q", "-i0.001", "-c3000", "-W5", "12.12.12.2"]).stdout(Stdio::piped());
        let ping = ping.spawn().unwrap();
        for _ in 0..3 {
            assert_eq!(watch.signal("KILL"), None);
            watch = Watch::start(&folder, "triangle.yaml");
            let line = watch.told_event("up");
            assert_eq!(line["changed"], serde_json::json!([]), "{line}");
        }
        let output = ping.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("3000 packets transmitted, 3000 received, 0% packet loss"), "{text}");
        drop(watch);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn it_ends_when_somebody_takes_the_network_down() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let before = host_dump();
        let mut watch = Watch::start(&folder, "triangle.yaml");
        watch.told_event("up");
        folder.wireloom("down triangle").ok();
        assert_eq!(watch.child.wait().unwrap().code(), Some(0));
        assert_eq!(watch.told_event("ended")["reason"], "somebody has taken it down");
        assert_eq!(sh("ls /run; ls /run/netns"), "netns\n");
        wireloom_testkit::assert_same_dump(&before, &host_dump());
    });
}

#[test]
fn it_tells_systemd_sleeps_while_nothing_happens_and_takes_down_at_the_end_if_asked() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut command = wireloom();
        command.args(["watch", "triangle.yaml", "--down-on-exit"]).env("NOTIFY_SOCKET", folder.path("notify"));
        let mut child = command.current_dir(folder.path("")).stderr(Stdio::null()).spawn().unwrap();
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1");
        sh_in("triangle.r1", "ping -c1 -W2 12.12.12.2");
        let switches = || sh(&format!("grep ctxt_switches /proc/{}/status", child.id()));
        eventually("it sleeps", || {
            let before = switches();
            std::thread::sleep(Duration::from_millis(400));
            switches() == before
        });
        sh(&format!("kill -TERM {}", child.id()));
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(sh("ls /run; ls /run/netns"), "netns\n");
        let run = folder.wireloom("watch -");
        assert_eq!((run.status, run.stderr.as_str()), (64, "error: stdin cannot be watched: name a file\n"));
    });
}
