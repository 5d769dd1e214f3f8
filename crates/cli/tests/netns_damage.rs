//! What `down` does where the ledger is damaged, of a newer format, or cannot be written; and what nobody recorded.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

mod common;

use common::{Folder, TRIANGLE};
use wireloom_testkit::{assert_same_dump, eventually, host_dump, run, sandbox, sh, wireloom};

/// A node of our own, and a namespace of others with a setting, a link and an address in it.
const OFFICE: &str = r#"
name: lab
nodes:
  a: {}
  office: {netns: office, sysctl: {net.ipv4.ip_forward: 1}}
links: [{endpoints: ["a:x", "office:x"], ip: [10.0.0.1/24, 10.0.0.2/24]}]
commands:
  - {node: a, supervised: true, command: SLEEP}
"#;

/// A command of this run of the tests alone: everybody on the machine sees all processes.
fn sleep(number: u32) -> String {
    format!("sleep {number}.{}", std::process::id())
}

fn is_running(number: u32) -> bool {
    let argv = sleep(number).replace(' ', "\0") + "\0";
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok()).any(|found| found == argv)
}

/// Brings the lab up, damages a file of its ledger, and takes it down.
#[track_caller]
fn down_with_damage(file: &str, damage: &str, left: &str) {
    sandbox(|| {
        let number = 4700 + file.len() as u32;
        let folder = Folder::with(&[("lab.yaml", &OFFICE.replace("SLEEP", &sleep(number)))]);
        sh("ip netns add office");
        let before = host_dump();
        folder.wireloom("up lab.yaml").ok();
        eventually("it runs", || is_running(number));
        let path = format!("/run/wireloom/lab/{file}");
        sh(&format!("{damage} {path}"));
        let damaged = std::fs::read(&path).unwrap();
        let refused = folder.wireloom("up lab.yaml");
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(refused.stderr.contains(&path) && refused.stderr.contains("`wireloom down lab`"), "{refused:?}");

        let down = folder.wireloom("down lab");
        assert_eq!(down.status, 1, "{down:?}");
        assert!(down.stderr.contains(&format!("{path}.damaged is kept")), "{down:?}");
        assert!(down.stderr.contains(left), "{down:?}");
        assert_eq!(std::fs::read(format!("{path}.damaged")).unwrap(), damaged);
        assert_same_dump(&before, &host_dump());
        assert_eq!(sh("ip netns exec office cat /proc/sys/net/ipv4/ip_forward"), "0\n");
        assert!(!is_running(number));
        assert_eq!(folder.wireloom("ls").ok().stdout, "");
        folder.wireloom("up lab.yaml").ok();
        folder.wireloom("down lab").ok();
        assert_eq!(sh("ls /run/wireloom/lab"), format!("{file}.damaged\n"));
    });
}

#[test]
fn what_was_up_is_found_by_its_marks_and_settings_by_their_namespace() {
    down_with_damage("current.json", "truncate -s 200", "addresses and routes in namespaces that it did not make");
}

#[test]
fn settings_that_can_still_be_read_are_put_back() {
    down_with_damage("before.jsonl", "echo damage >>", "settings in namespaces that it did not make");
}

#[test]
fn processes_are_found_without_their_record() {
    down_with_damage("processes.jsonl", "echo damage >", "processes that it started and that have emptied");
}

#[test]
fn a_ledger_of_a_newer_format_is_left_to_the_newer_program() {
    sandbox(|| {
        let office = "  office: {netns: office, loopback: 192.0.2.1/32}\nlinks:";
        let folder = Folder::with(&[("triangle.yaml", &TRIANGLE.replace("links:", office))]);
        sh("ip netns add office");
        folder.wireloom("up triangle.yaml").ok();
        sh("sed -i '1s/\"version\":1/\"version\":2/' /run/wireloom/triangle/current.json");
        let (ledger, before) = (std::fs::read("/run/wireloom/triangle/current.json").unwrap(), host_dump());
        for args in ["down triangle", "down --all"] {
            let down = folder.wireloom(args);
            assert_eq!(down.status, 1, "{down:?}");
            assert!(down.stderr.contains("a newer wireloom wrote it"), "{down:?}");
        }
        folder.wireloom("audit --fix").ok();
        assert_same_dump(&before, &host_dump());
        assert_eq!(std::fs::read("/run/wireloom/triangle/current.json").unwrap(), ledger);
        sh("sed -i '1s/\"version\":2/\"version\":1/' /run/wireloom/triangle/current.json");
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn a_damaged_ledger_is_no_obstacle_to_other_topologies() {
    sandbox(|| {
        let other = TRIANGLE.replace("name: triangle", "name: other").replace("r1", "s1");
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE), ("other.yaml", &other)]);
        folder.wireloom("up triangle.yaml").ok();
        folder.wireloom("up other.yaml").ok();
        sh("echo damage > /run/wireloom/other/current.json");
        let exec = folder.wireloom("exec r1 -- ip -br link").ok();
        assert!(exec.stdout.contains("eth1@"), "{exec:?}");
        assert_eq!(exec.stderr.matches("warning: other is passed over").count(), 1, "{exec:?}");
        assert_eq!(folder.wireloom("down other").status, 1);
        folder.wireloom("down triangle").ok();
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn a_process_that_cannot_be_written_down_does_not_stay() {
    sandbox(|| {
        let fill = "dd if=/dev/zero of=/run/wireloom/fill bs=1k 2>/dev/null || true";
        let document = format!(
            "name: lab\nnodes: {{a: {{}}}}\ncommands:\n  - {{node: a, command: \"{fill}\"}}\n\
             \x20 - {{node: a, supervised: true, command: {}}}\n",
            sleep(4722)
        );
        let folder = Folder::with(&[("lab.yaml", &document)]);
        sh("mkdir -m 700 /run/wireloom; mount -t tmpfs -o size=256k,mode=700 tmpfs /run/wireloom");
        let up = folder.wireloom("up lab.yaml");
        assert_eq!(up.status, 1, "{up:?}");
        let told = format!("(`{}`) of node a could not be written down, and was ended again", sleep(4722));
        let says = up.stderr.contains(&told);
        assert!(says && up.stderr.contains("processes.tmp: No space left on device"), "{up:?}");
        assert!(!is_running(4722));
        sh("rm /run/wireloom/fill");
        folder.wireloom("down lab").ok();
        assert_eq!(sh("ls /run/netns"), "");
    });
}

#[test]
fn processes_that_left_their_group_end_with_down() {
    sandbox(|| {
        let (first, second, foreign) = (sleep(4723), sleep(4724), sleep(4725));
        let line = format!("setsid sh -c 'trap : TERM; while true; do {first}; done' & setsid {second} & exit");
        let document =
            format!("name: lab\nnodes: {{a: {{}}}}\ncommands: [{{node: a, supervised: true, command: \"{line}\"}}]\n");
        let folder = Folder::with(&[("lab.yaml", &document)]);
        folder.wireloom("up lab.yaml").ok();
        eventually("they run", || is_running(4723) && is_running(4724));
        // Nobody's: the same variable, but the directory is another one there.
        let foreign =
            format!("WIRELOOM_SUPERVISED=/run/wireloom/lab/log/a.0.log setsid {foreign} >/dev/null 2>&1 & echo $!");
        let foreign = sh(&format!("unshare --mount sh -c 'mount -t tmpfs tmpfs /run; {foreign}'"));
        let down = folder.wireloom("down lab").ok();
        assert!(!is_running(4723) && !is_running(4724), "{down:?}");
        assert!(is_running(4725), "{down:?}");
        sh(&format!("kill {foreign}"));
    });
}

#[test]
fn names_without_a_namespace_go_where_the_ledger_names_them() {
    sandbox(|| {
        let document = "name: wireloom-lab\nnodes: {a: {}, b: {}}\n";
        let folder = Folder::with(&[("lab.yaml", document)]);
        folder.wireloom("up lab.yaml").ok();
        sh("ip netns del wireloom-lab.a; for n in wireloom-lab.a wireloom-lab.other; do \
            touch /run/netns/$n; chmod 0 /run/netns/$n; done");
        let audit = folder.wireloom("audit");
        assert!(audit.stdout.contains("stray: name wireloom-lab.a of wireloom-lab"), "{audit:?}");
        folder.wireloom("down wireloom-lab").ok();
        assert_eq!(sh("ls /run/netns"), "wireloom-lab.other\n");
    });
}

#[test]
fn who_is_not_root_is_told_which_right_is_missing() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        folder.wireloom("up triangle.yaml").ok();
        for args in [&["ls"][..], &["status", "triangle"], &["exec", "r1", "--", "true"]] {
            let binary = wireloom().get_program().to_owned();
            #[expect(clippy::disallowed_methods, reason = "the binary under test, as another user")]
            let mut command = std::process::Command::new("setpriv");
            let copy = folder.path("wireloom");
            std::fs::copy(&binary, &copy).unwrap();
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy).args(args);
            sh(&format!("chmod 755 {}", folder.path("").display()));
            let denied = run(&mut command);
            assert_eq!(denied.status, if args[0] == "exec" { 125 } else { 77 }, "{denied:?}");
            assert!(denied.stderr.contains("this needs CAP_"), "{denied:?}");
            assert!(!denied.stderr.contains("remove it"), "{denied:?}");
        }
        folder.wireloom("down triangle").ok();
    });
}

#[test]
fn ledgers_are_not_looked_for_relative_to_the_folder() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let up =
            run(wireloom().current_dir(folder.path("")).env("WIRELOOM_RUN_DIR", "run").args(["up", "triangle.yaml"]));
        assert_eq!(up.status, 1, "{up:?}");
        assert!(up.stderr.contains("WIRELOOM_RUN_DIR must be an absolute path"), "{up:?}");
        assert!(!folder.path("run").exists());
    });
}
