//! What the running kernel has, found by trying, and tests that skip because it has not: each such skip is written to
//! the file that `WIRELOOM_SKIPS` names, where `cargo xtask test` counts it and compares it with the expected ones.
//! Deliberately does not decide which skips are fine.

use std::collections::BTreeMap;
use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::process::{program, run};
use crate::sandbox;

/// Ends the calling test when the kernel lacks something, and has that counted as a skip: `needs!("vrf")`.
///
/// It returns from the enclosing function or closure, which therefore returns `()`.
#[macro_export]
macro_rules! needs {
    ($($kind:expr),+ $(,)?) => {
        $(if !$crate::has_kind($kind) {
            $crate::record_skip($kind);
            return;
        })+
    };
}

/// Whether the kernel makes links or qdiscs of this kind ("vlan", "vrf", "netem", …), tried once per process in a
/// throwaway namespace.
///
/// # Panics
/// When nothing at all can be tried (not root, no `ip`).
pub fn has_kind(kind: &str) -> bool {
    static KNOWN: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(kind.to_owned()).or_insert_with(|| sandbox(|| try_out(kind)))
}

/// Counts the calling test as skipped; called by [`needs!`].
///
/// # Panics
/// When `WIRELOOM_SKIPS` names a file that cannot be written: a skip must not get lost.
#[expect(clippy::print_stderr, reason = "captured by the test harness, and shown with --nocapture")]
pub fn record_skip(feature: &str) {
    let thread = thread::current();
    let test = thread.name().unwrap_or("unnamed");
    eprintln!("skipped: needs {feature}");
    if let Some(path) = env::var_os("WIRELOOM_SKIPS") {
        let mut file = OpenOptions::new().create(true).append(true).open(&path).expect("open WIRELOOM_SKIPS");
        // One write per line: tests of several threads append to the same file.
        file.write_all(format!("{feature}\t{test}\n").as_bytes()).expect("write to WIRELOOM_SKIPS");
    }
}

/// Makes one of the kind in the calling thread's own empty namespace.
fn try_out(kind: &str) -> bool {
    let base = "ip link add probe0 type veth peer name probe1";
    assert_eq!(run(program("sh").args(["-c", base])).status, 0, "even a veth pair cannot be made");
    run(program("sh").args(["-c", &trial(kind)])).status == 0
}

/// The shortest command that makes one; kinds that need nothing but their name share the last line.
fn trial(kind: &str) -> String {
    match kind {
        "netem" => "tc qdisc add dev probe0 root netem delay 1ms".to_owned(),
        "tbf" => "tc qdisc add dev probe0 root tbf rate 1mbit burst 10kb latency 10ms".to_owned(),
        "htb" => "tc qdisc add dev probe0 root htb".to_owned(),
        "clsact" | "ingress" => format!("tc qdisc add dev probe0 {kind}"),
        "vlan" => "ip link add link probe0 name probe2 type vlan id 7".to_owned(),
        "macvlan" | "macvtap" | "ipvlan" | "ipvtap" => format!("ip link add link probe0 name probe2 type {kind}"),
        "vxlan" | "geneve" => format!("ip link add probe2 type {kind} id 7 remote 192.0.2.1 dstport 4789"),
        "vrf" => "ip link add probe2 type vrf table 7".to_owned(),
        "bridge-vlan" => {
            "ip link add probe2 type bridge vlan_filtering 1 && ip -d link show probe2 | grep -q 'vlan_filtering 1'"
                .to_owned()
        }
        "gre" | "gretap" | "ipip" | "sit" => format!("ip link add probe2 type {kind} local 192.0.2.1 remote 192.0.2.2"),
        other => format!("ip link add probe2 type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(has_kind("bridge"));
        assert!(has_kind("vxlan"));
        assert!(has_kind("tbf"));
        assert!(!has_kind("no-such-kind"));
    }

    #[test]
    fn needs_goes_on_only_when_all_are_there() {
        let went_on = Cell::new(0);
        let test = || {
            needs!("bridge", "veth");
            went_on.set(went_on.get() + 1);
        };
        test();
        assert_eq!(went_on.get(), 1);
    }
}
