//! Files, folders and names of nodes: who sees them, who does not, and what is left of them.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Folder;
use serde_json::{Value, json};
use wireloom_testkit::{assert_same_dump, eventually, host_dump, sandbox, sh};

/// Two routers with the same paths and different content.
const LAB: &str = r#"
name: lab
nodes:
  r[1-2]:
    files:
      /etc/wireloom-test/router.conf: "router {n}\n"
      /etc/hostname: "r{n}\n"
    private: [/run/frr, /var/log/wireloom-test, {path: /srv, owner: "7:8", mode: 750}]
links: [{endpoints: ["r1:eth1", "r2:eth1"], subnet: [10.0.0.0/30, "fd00::/64"]}]
"#;

/// What a test may not change of the machine: its mounts, its name, and what lies in these folders.
fn machine() -> Value {
    let mounts = sh("cut -d' ' -f4- /proc/thread-self/mountinfo");
    let files = sh(
        "ls -la --time-style=full-iso /etc /srv /var/log | grep -v '[.]log$'; cat /etc/hosts /etc/hostname; ls /run",
    );
    let lines = |text: String| text.lines().map(|line| json!(line)).collect::<Value>();
    json!({"kernel": host_dump(), "mounts": lines(mounts), "name": sh("uname -n"), "files": lines(files)})
}

fn inside(folder: &Folder, node: &str, line: &str) -> String {
    folder.argv(&["exec", node, "--", "sh", "-c", line]).ok().stdout
}

#[test]
fn each_node_sees_its_own_and_the_machine_none_of_it() {
    sandbox(|| {
        // The folder of names stays, as iproute2 leaves it.
        sh("ip netns add x; ip netns del x");
        let before = machine();
        let folder = Folder::with(&[("lab.yaml", LAB)]);
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        for node in ["r1", "r2"] {
            let number = &node[1..];
            assert_eq!(inside(&folder, node, "cat /etc/wireloom-test/router.conf"), format!("router {number}\n"));
            assert_eq!(inside(&folder, node, "cat /etc/hostname; uname -n"), format!("{node}\n{node}\n"));
            let look = "ls /run/frr /var/log/wireloom-test /srv; stat -c '%u:%g %a %F' /srv /run/frr /etc/hostname";
            let expected = "/run/frr:\n\n/srv:\n\n/var/log/wireloom-test:\n7:8 750 directory\n";
            assert!(inside(&folder, node, look).starts_with(expected), "{}", inside(&folder, node, look));
            inside(&folder, node, &format!("echo {number} > /run/frr/pid; touch /etc/wireloom-test/x; echo > /srv/y"));
            assert_eq!(inside(&folder, node, "ls /sys/class/net"), "eth1\nlo\n");
        }
        // What a process has written stays there, for those who come later too.
        assert_eq!(inside(&folder, "r1", "cat /run/frr/pid"), "1\n");
        assert_eq!(inside(&folder, "r2", "cat /run/frr/pid"), "2\n");
        assert_eq!(
            inside(&folder, "r1", "ping -c1 -w5 r2 >/dev/null; getent ahosts r2 | cut -d' ' -f1 | sort -u"),
            "10.0.0.2\nfd00::2\n"
        );
        assert_eq!(inside(&folder, "r1", "pwd"), sh(&format!("cd {}; pwd -P", folder.path(".").display())));
        assert_eq!(sh("ls -d /etc/wireloom-test /var/log/wireloom-test 2>&1 | grep -c 'No such'").trim(), "2");
        folder.wireloom("down lab").ok();
        assert_same_dump(&before, &machine());
    });
}

#[test]
fn nodes_know_each_other_by_name_without_files_of_their_own() {
    sandbox(|| {
        let folder = Folder::with(&[(
            "lab.yaml",
            "name: lab\nnodes: {a: {loopback: 192.0.2.1/32}, b: {hostname: b.example.net}}\n\
            links: [{endpoints: ['a:x', 'b:x'], ip: [10.0.0.1/24, 10.0.0.2/24]}]\n",
        )]);
        let names = sh("uname -n; md5sum /etc/hosts");
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(inside(&folder, "a", "uname -n; ping -c1 -w5 b >/dev/null && echo there"), "a\nthere\n");
        assert_eq!(
            inside(&folder, "b", "uname -n; getent hosts a b"),
            "b.example.net\n10.0.0.1        a\n10.0.0.2        b b.example.net\n"
        );
        assert_eq!(inside(&folder, "b", "ls /sys/class/net; ls /run/netns"), "lo\nx\nlab.a\nlab.b\n");
        assert_eq!(sh("uname -n; md5sum /etc/hosts"), names);
        assert_eq!(sh("ls /run/wireloom/lab"), "current.json\nlock\nlog\n", "no rooms");
        folder.wireloom("down lab").ok();
    });
}

fn pids(folder: &Folder) -> Vec<(String, Value)> {
    let rows = folder.wireloom("status lab -o json").ok().json()["processes"].clone();
    let row = |row: &Value| {
        (format!("{} {}", row["node"].as_str().unwrap(), row["command"].as_str().unwrap()), row["pid"].clone())
    };
    let mut rows: Vec<_> = rows.as_array().unwrap().iter().map(row).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[test]
fn a_changed_file_is_changed_inside_and_only_those_of_its_node_notice() {
    sandbox(|| {
        let document = |extra: &str, content: &str| {
            format!(
                "name: lab\nnodes:\n  a:\n    files: {{/etc/wl/a.conf: {content}{extra}}}\n    \
            run: [sleep 4801, {{command: \"trap 'echo hup' HUP; echo begun; while :; do sleep 0.05; done\", on-change: hup}}, {{command: sleep 4803, on-change: leave}}]\n  \
            b: {{files: {{/etc/wl/a.conf: b}}, run: [sleep 4804]}}\n"
            )
        };
        let folder = Folder::with(&[("lab.yaml", &document("", "one"))]);
        folder.wireloom("up lab.yaml").ok();
        let before = pids(&folder);
        assert_eq!(before.len(), 4);
        let log = || std::fs::read_to_string("/run/wireloom/lab/log/a.1.log").unwrap();
        eventually("it listens", || log() == "begun\n");
        inside(&folder, "a", "echo kept > /run/x");
        folder.write("lab.yaml", &document(", /etc/wl/b.conf: b, /etc/hostname: n", "two"));
        let run = folder.wireloom("up lab.yaml").ok();
        assert_eq!(
            run.stdout,
            "~ files of a: /etc/hostname, /etc/wl/a.conf, /etc/wl/b.conf\nstarted on a: sleep 4801\n"
        );
        let after = pids(&folder);
        let same: Vec<bool> = before.iter().zip(&after).map(|(b, a)| b == a).collect();
        assert_eq!(same, [false, true, true, true], "{before:?} {after:?}");
        eventually("it was told", || log() == "begun\nhup\n");
        assert_eq!(
            inside(&folder, "a", "cat /etc/wl/a.conf /run/x; ls /etc/wl; cat /etc/hostname"),
            "twokept\na.conf\nb.conf\nn"
        );
        assert_eq!(inside(&folder, "b", "cat /etc/wl/a.conf; ls /etc/wl"), "ba.conf\n");
        folder.write("lab.yaml", &document("", "two"));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(
            inside(&folder, "a", "cat /etc/wl/a.conf; ls /etc/wl; cat /etc/hostname"),
            format!("twoa.conf\n{}", sh("cat /etc/hostname"))
        );
        assert_eq!(folder.wireloom("up lab.yaml").ok().stdout, "lab: nothing to do\n");
        folder.wireloom("down lab").ok();
        assert_eq!(sh("grep -c wireloom /proc/thread-self/mountinfo || true").trim(), "0");
    });
}

#[test]
fn the_death_of_a_process_is_told_and_a_stubborn_one_is_killed() {
    sandbox(|| {
        let document = "name: lab\nnodes:\n  a:\n    run:\n      - \"echo some reason; exit 3\"\n      - \"trap '' TERM; echo deaf; while :; do sleep 1; done\"\n      \
            - [sh, -c, \"sleep 4811 & setsid sleep 4812 & exit 0\"]\n";
        let folder = Folder::with(&[("lab.yaml", document)]);
        folder.wireloom("up lab.yaml").ok();
        eventually("they have ended", || {
            let rows = folder.wireloom("status lab -o json").ok().json()["processes"].clone();
            rows.as_array().unwrap().iter().filter(|row| row["alive"] == json!(false)).count() == 2
        });
        let rows = folder.wireloom("status lab -o json").ok().json()["processes"].clone();
        assert_eq!((&rows[0]["exit_status"], &rows[1]["exit_status"]), (&json!(3), &Value::Null), "{rows}");
        assert!(rows[0]["ended_at"].as_u64().unwrap() > 1_600_000_000);
        let text = folder.wireloom("status lab").ok().stdout;
        assert!(text.contains("has ended with status 3, ") && text.contains("2 processes have ended"), "{text}");
        assert_eq!(std::fs::read_to_string(rows[0]["log"].as_str().unwrap()).unwrap(), "some reason\n");
        // Of those that have left their group too, nothing is left: in a room, they do not see the ledger.
        folder.wireloom("down lab").ok();
        assert_eq!(sh("pgrep -fc '^sleep 481[12]' || true").trim(), "0");
        assert_eq!(sh("ls /run"), "netns\n");
    });
}

#[test]
fn a_link_that_a_process_plants_does_not_lead_to_the_machine() {
    sandbox(|| {
        // /run is hidden in rooms: a file of the machine that they can reach.
        let machine = tempfile::NamedTempFile::new_in("/var/tmp").unwrap();
        std::fs::write(machine.path(), "precious\n").unwrap();
        let document = |content: &str| {
            format!("name: lab\nnodes: {{r1: {{private: [/srv], files: {{/srv/own.conf: \"{content}\\n\"}}}}}}\n")
        };
        let folder = Folder::with(&[("lab.yaml", &document("one"))]);
        folder.wireloom("up lab.yaml").ok();
        inside(&folder, "r1", &format!("ln -sf {} /srv/own.conf", machine.path().display()));
        folder.write("lab.yaml", &document("two"));
        let run = folder.wireloom("up lab.yaml");
        assert!(run.status != 0 && run.stderr.contains("a link in the node leads to /var/tmp/"), "{run:?}");
        assert_eq!(std::fs::read_to_string(machine.path()).unwrap(), "precious\n");
        assert_eq!(sh(&format!("stat -c '%u %a' {}", machine.path().display())), "0 600\n");
        inside(&folder, "r1", "rm /srv/own.conf");
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(inside(&folder, "r1", "cat /srv/own.conf"), "two\n");
        folder.wireloom("down lab.yaml").ok();
    });
}

#[test]
fn a_file_that_the_machine_replaces_stays_the_machines() {
    sandbox(|| {
        let machine = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = machine.path().join("own.conf");
        std::fs::write(&path, "machine\n").unwrap();
        let document = |files: &str| format!("name: lab\nnodes: {{r1: {{private: [/srv]{files}}}}}\n");
        let with = |content: &str| document(&format!(", files: {{{}: \"{content}\\n\"}}", path.display()));
        let read = || std::fs::read_to_string(&path).unwrap();
        let folder = Folder::with(&[("lab.yaml", &with("one"))]);
        folder.wireloom("up lab.yaml").ok();
        // An editor writes another file and gives it the name: the kernel drops what was mounted there.
        std::fs::write(machine.path().join("new"), "machine too\n").unwrap();
        std::fs::rename(machine.path().join("new"), &path).unwrap();
        folder.write("lab.yaml", &with("two"));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(
            (read(), inside(&folder, "r1", &format!("cat {}", path.display()))),
            ("machine too\n".into(), "two\n".into())
        );
        std::fs::write(machine.path().join("new"), "machine at last\n").unwrap();
        std::fs::rename(machine.path().join("new"), &path).unwrap();
        folder.write("lab.yaml", &document(""));
        folder.wireloom("up lab.yaml").ok();
        assert_eq!(read(), "machine at last\n");
        folder.wireloom("down lab.yaml").ok();
        assert_eq!(read(), "machine at last\n");
    });
}

#[test]
fn a_private_folder_that_leads_to_the_root_is_refused() {
    sandbox(|| {
        let machine = tempfile::tempdir_in("/var/tmp").unwrap();
        for (name, to) in [("root", "/"), ("kernel", "/proc")] {
            let link = machine.path().join(name);
            std::os::unix::fs::symlink(to, &link).unwrap();
            let text = format!("name: lab\nnodes: {{r1: {{private: [{}]}}}}\n", link.display());
            let folder = Folder::with(&[("lab.yaml", &text)]);
            let run = folder.wireloom("up lab.yaml");
            assert!(run.status != 0 && run.stderr.contains(to), "{run:?}");
            folder.wireloom("down lab").ok();
        }
    });
}
