//! SIGKILL before and after every kernel request of an `up` and of a `down` of ten links, and before every system call
//! that changes mounts or files; then `up` converges or `down` leaves nothing. The killer is strace, so that the binary
//! needs no hook: it kills at the entry of the Nth call, so that the call before is done and this one is not. Killed in
//! `recvfrom`, a request is done and its answer lost.
//!
//! strace counts in each thread by itself. So every series runs twice: for the first thread alone, which does the steps
//! one by one, and for all, where the one that gets to N first is hit. Of threads that work side by side at the same
//! (reading many namespaces, deleting links) only the first few calls are.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    fs,
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use common::Folder;
use serde_json::Value;
use wireloom_testkit::{Run, assert_same_dump, host_dump, run, sandbox, sh, wireloom};

/// Ten links of three own nodes, a namespace of others and an interface of others: cables, a bridge with ports, macvlans.
const RING: &str = r#"
name: ring
nodes:
  a: {sysctl: {net.ipv4.ip_forward: 1}}
  b: {}
  c: {internet: true}
  office: {netns: office, sysctl: {net.ipv4.ip_forward: 1}}
links:
  - {endpoints: ["a:eth1", "b:eth1"], ip: ["fd00:1::1/64", "fd00:1::2/64"]}
  - {endpoints: ["b:eth2", "c:eth1"], ip: [10.0.2.1/24, 10.0.2.2/24], mtu: 9000}
  - {endpoints: ["c:eth2", "office:eth1"], ip: [10.0.3.1/24, 10.0.3.2/24], rate: 10mbit}
  - {endpoints: ["office:eth2", "a:eth2"], ip: [10.0.4.1/24, 10.0.4.2/24]}
  - {node: a, dev: eth3, bridge: s1, ip: 10.1.0.1/24, forward: "8080:80"}
  - {node: b, dev: eth3, bridge: s1, ip: 10.1.0.2/24, route: default via 10.1.0.1}
  - {node: c, dev: eth3, bridge: s1, ip: 10.1.0.3/24}
  - {node: a, dev: mv1, type: macvlan, outer-dev: uplink, ip: 192.0.2.7/24}
  - {node: c, dev: mv1, type: macvlan, outer-dev: uplink, ip: 192.0.2.8/24}
tunnels:
  - {type: vxlan, bridge: s1, remote: 192.0.2.9, vni: 7}
"#;

/// Nodes with files of their own.
const ROOMS: &str = r#"
name: ring
nodes:
  a:
    files: {/etc/wireloom-ring/a.conf: a, /etc/hostname: a}
    private: /srv
  b: {private: /run/ring}
links: [{endpoints: ["a:eth1", "b:eth1"], subnet: 10.0.0.0/30}]
"#;

/// The same with a program, whose number is each machine's own. strace would follow it where it follows threads.
const PROGRAM: &str = r#"    run: [[sleep, "NUMBER"]]
  b: {"#;

/// What making, furnishing and removing a room is made of.
const CALLS_OF_ROOMS: [&str; 8] = ["mount", "umount2", "unshare", "setns", "sethostname", "unlink", "rename", "write"];

/// Requests and their answers; namespaces; the ledger.
const CALLS: [&str; 12] = [
    "sendto",
    "recvfrom",
    "mount",
    "umount2",
    "unshare",
    "unlink",
    "unlinkat",
    "rename",
    "mkdir",
    "rmdir",
    "write",
    "ftruncate",
];

/// A command, and the call that it is killed in.
struct Series {
    verb: &'static str,
    call: &'static str,
    /// Whether other threads than the first count.
    threads: bool,
    /// The next N.
    next: AtomicUsize,
    /// The first N that the command does not reach.
    end: AtomicUsize,
}

impl Series {
    /// The next N, if there may be one.
    fn take(&self) -> Option<usize> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        (n < self.end.load(Ordering::Relaxed)).then_some(n)
    }
}

#[test]
fn killed_at_any_request_up_converges_and_down_leaves_nothing() {
    let of = |(verb, threads)| CALLS.map(|call| Series { verb, call, threads, next: 1.into(), end: usize::MAX.into() });
    let kinds = [("up", false), ("up", true), ("down", false), ("down", true)];
    let all: Vec<Series> = kinds.into_iter().flat_map(of).collect();
    kill_all(&all, RING);
    let kills = |verb: &str, call: &str| kills(&all, verb, call);
    // The commands must have been hit where it matters, else this would have proven nothing.
    assert!(kills("up", "sendto") > 40, "{} requests of up", kills("up", "sendto"));
    assert!(kills("down", "sendto") > 15, "{} requests of down", kills("down", "sendto"));
    let total: usize = all.iter().map(|series| series.end.load(Ordering::Relaxed) - 1).sum();
    assert!(total > 300, "{total} kills");
    assert!(kills("up", "mount") >= 2 && kills("down", "umount2") >= 2);
}

#[test]
fn killed_while_a_room_is_made_or_removed_nothing_is_left_of_it() {
    let of =
        |verb| CALLS_OF_ROOMS.map(|call| Series { verb, call, threads: true, next: 1.into(), end: usize::MAX.into() });
    let all: Vec<Series> = ["up", "down"].into_iter().flat_map(of).collect();
    kill_all(&all, ROOMS);
    // A room is made on a thread of its own: its own mounts are more than those of any other thread.
    for (verb, call, least) in [("up", "mount", 8), ("up", "unshare", 2), ("up", "setns", 2), ("down", "umount2", 5)] {
        assert!(kills(&all, verb, call) >= least, "{} times {call} of {verb}", kills(&all, verb, call));
    }
}

#[test]
fn killed_with_a_program_in_a_room_it_is_found_again() {
    let of = |(verb, call)| Series { verb, call, threads: false, next: 1.into(), end: usize::MAX.into() };
    let calls = [("up", "write"), ("up", "rename"), ("up", "mount"), ("down", "umount2"), ("down", "unlink")];
    kill_all(&calls.map(of), &ROOMS.replace("  b: {", PROGRAM));
}

/// Kills a document's commands in all of these ways.
fn kill_all(all: &[Series], document: &str) {
    // Much of the time goes by while the kernel cleans up.
    let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| sandbox(|| work(all, document)))).collect();
        running.into_iter().for_each(|thread| thread.join().unwrap_or_else(|cause| resume_unwind(cause)));
    });
}

fn kills(all: &[Series], verb: &str, call: &str) -> usize {
    let series = all.iter().filter(|s| (s.verb, s.call) == (verb, call));
    series.map(|series| series.end.load(Ordering::Relaxed) - 1).sum()
}

/// One machine, on which one command after the other is killed.
fn work(all: &[Series], document: &str) {
    static NUMBER: AtomicUsize = AtomicUsize::new(70_000);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    let folder = Folder::with(&[("ring.yaml", &document.replace("NUMBER", &number))]);
    sh("ip link add uplink type veth peer name far
        for link in uplink far; do ip link set $link addrgenmode none; ip link set $link up; done
        ip addr add 192.0.2.1/24 dev uplink
        ip netns add office; ip -n office link set lo up");
    let machine = Machine { start: machine_dump(&number), folder, number };
    for series in all {
        while let Some(n) = series.take() {
            if !machine.kill(series, n) {
                series.end.fetch_min(n, Ordering::Relaxed);
            }
        }
    }
}

struct Machine {
    folder: Folder,
    start: Value,
    /// What a program of the document is known by.
    number: String,
}

impl Machine {
    /// Kills the command at its Nth call and mends. False where it ended before.
    fn kill(&self, series: &Series, n: usize) -> bool {
        let what = format!("{} killed at {} {n} (other threads: {})", series.verb, series.call, series.threads);
        if series.verb == "down" {
            self.ok(&what, "up ring.yaml");
        }
        let killed = self.run_killed(series, n);
        let alive = killed.status != 137;
        assert!(!alive || killed.status == 0, "{what}: {killed:?}");
        // By turns, so that neighbouring points are mended in both ways.
        if n.is_multiple_of(2) {
            self.ok(&what, "up ring.yaml");
            let again = self.ok(&what, "up ring.yaml");
            assert_eq!(again.stdout, "ring: nothing to do\n", "{what}, up, up");
        }
        self.ok(&what, "down ring");
        self.is_clean(&what);
        !alive
    }

    fn ok(&self, what: &str, args: &str) -> Run {
        let run = self.folder.wireloom(args);
        assert!(run.status == 0, "{what}, then {args}: {run:?}");
        run
    }

    fn run_killed(&self, series: &Series, n: usize) -> Run {
        let inject = format!("inject={}:signal=SIGKILL:when={n}", series.call);
        let args = if series.verb == "up" { ["up", "ring.yaml"] } else { ["down", "ring"] };
        let wireloom = wireloom();
        #[expect(clippy::disallowed_methods, reason = "strace is the killer")]
        let mut strace = std::process::Command::new("strace");
        strace.args(series.threads.then_some("-f"));
        strace.args(["-qq", "-o", "/dev/null", "-e", &format!("trace={}", series.call), "-e", &inject]);
        run(strace.arg(wireloom.get_program()).args(args).current_dir(self.folder.path(".")))
    }

    /// As it was before everything: kernel, names, mounts, ledger. The kernel may still be at it for a moment.
    fn is_clean(&self, what: &str) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if machine_dump(&self.number) == self.start {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let same = std::panic::catch_unwind(|| assert_same_dump(&self.start, &machine_dump(&self.number)));
        same.unwrap_or_else(|cause| panic!("{what}, then down: {}", cause.downcast_ref::<String>().unwrap()));
    }
}

/// The kernel, what is in /run, what is mounted, whether the program runs, and the setting of others.
fn machine_dump(number: &str) -> Value {
    let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap();
    let mounts: Vec<&str> = mounts.lines().collect();
    let running = sh(&format!("pgrep -fc '^sleep {number}$' || true"));
    let files = sh("find /run | sort");
    let forward = sh("ip netns exec office sysctl -n net.ipv4.ip_forward");
    serde_json::json!({"kernel": host_dump(), "mounts": mounts, "files": files, "forward": forward, "running": running})
}
