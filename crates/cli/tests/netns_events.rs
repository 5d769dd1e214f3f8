//! `events`: what it tells, that it lets go, and how it ends.

mod common;

use std::{
    fs,
    process::{Child, Stdio},
};

use common::{Folder, TRIANGLE};
use serde_json::Value;
use wireloom_testkit::{eventually, sandbox, sh, sh_in, wireloom};

struct Events {
    child: Child,
    lines: std::path::PathBuf,
}

impl Events {
    fn start(folder: &Folder, args: &str) -> Events {
        let lines = folder.path("events");
        let mut command = wireloom();
        command.args(["events", "-o", "json"]).args(args.split_whitespace()).stdin(Stdio::null());
        let child = command.stdout(fs::File::create(&lines).expect("make a file")).spawn().expect("start it");
        Events { child, lines }
    }

    /// Waits for a line that has all of these.
    #[track_caller]
    fn told(&self, fields: Value) -> Value {
        let text = || fs::read_to_string(&self.lines).expect("read the lines");
        let has = |line: &Value| fields.as_object().expect("fields").iter().all(|(key, value)| line[key] == *value);
        let find = || text().lines().filter_map(|line| serde_json::from_str(line).ok()).find(has);
        eventually(&fields.to_string(), || find().is_some());
        find().expect("just seen")
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

macro_rules! fields {
    ($($json:tt)+) => { serde_json::json!({$($json)+}) };
}

#[test]
fn links_addresses_routes_drift_and_counters_are_told() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let events = Events::start(&folder, "triangle --routes --interval 50ms");
        events.told(fields!("event": "topology", "change": "up"));
        events.told(fields!("event": "namespace", "node": "r3", "change": "there"));
        let link = fields!("event": "link", "topology": "triangle", "node": "r1", "name": "eth1", "change": "there");
        assert_eq!((&events.told(link.clone())["up"], &events.told(link)["mtu"]), (&true.into(), &1500.into()));
        events.told(fields!("event": "address", "node": "r1", "name": "eth1", "address": "12.12.12.1/24"));
        sh("ip -n triangle.r2 link set eth1 down");
        let down =
            events.told(fields!("event": "link", "node": "r2", "name": "eth1", "change": "changed", "up": false));
        assert!(down["fields"].as_array().unwrap().contains(&"up".into()), "{down}");
        events.told(fields!("event": "link", "node": "r1", "name": "eth1", "change": "changed", "carrier": false));
        events.told(fields!("event": "route", "node": "r2", "route": "12.12.12.0/24", "change": "gone"));
        let drift = events.told(fields!("event": "drift", "topology": "triangle"));
        assert_eq!(drift["changes"][0]["text"], "link r2:eth1: up", "{drift}");
        folder.wireloom("up triangle.yaml").ok();
        events.told(fields!("event": "drift", "changes": []));
        sh("ip -n triangle.r1 link add extra type veth peer name more");
        events.told(fields!("event": "link", "node": "r1", "name": "extra", "change": "new"));
        sh("ip -n triangle.r1 link del extra");
        events.told(fields!("event": "link", "node": "r1", "name": "more", "change": "gone"));
        sh_in("triangle.r1", "ping -c3 -i0.01 -W5 13.13.13.3");
        eventually("the pings are counted", || {
            let text = fs::read_to_string(&events.lines).unwrap();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut of_link = lines.filter(|line| line["event"] == "counters" && line["name"] == "eth2");
            of_link.any(|line| line["node"] == "r1" && line["tx"]["bytes"].as_u64() >= Some(3 * 98))
        });
        drop(events);
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_namespace_that_loses_its_name_is_let_go_and_topologies_come_and_go() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let events = Events::start(&folder, "");
        folder.wireloom("up triangle.yaml").ok();
        events.told(fields!("event": "namespace", "node": "r1", "change": "there"));
        events.told(fields!("event": "namespace", "node": "r2", "change": "there"));
        sh("ip netns del triangle.r2");
        events.told(fields!("event": "namespace", "node": "r2", "change": "gone"));
        // With the namespace its links go, and their other ends.
        events.told(fields!("event": "link", "node": "r1", "name": "eth1", "change": "gone"));
        folder.wireloom("up triangle.yaml").ok();
        eventually("the new one is heard", || {
            let text = fs::read_to_string(&events.lines).unwrap();
            text.lines().filter(|line| line.contains(r#""node":"r2","change":"there""#)).count() >= 2
        });
        folder.wireloom("down triangle").ok();
        events.told(fields!("event": "topology", "change": "down"));
        assert_eq!(sh("ls /run/netns"), "");
        let status = format!("kill -INT {}", events.child.id());
        sh(&status);
        let mut events = events;
        assert_eq!(events.child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure_and_a_name_that_is_not_up_is_one() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        let binary = wireloom().get_program().to_string_lossy().into_owned();
        let text = sh(&format!("{{ {binary} events; echo $? >{}; }} | head -n1", folder.path("status").display()));
        assert_eq!(text, "triangle: up\n");
        eventually("it ends", || fs::read_to_string(folder.path("status")).is_ok_and(|text| text == "0\n"));
        assert_eq!(folder.wireloom("events other").status, 1);
        folder.wireloom("down triangle").ok();
    });
}
