//! Random topologies on a real kernel: they go up, are found by `ip`, go up again without a step, change, are damaged and
//! mended, are stopped half-way and taken back, and come down to exactly the machine before.
//!
//! 200 cases with a fixed seed; `WIRELOOM_PROPERTY_CASES=5000 WIRELOOM_PROPERTY_SEED=7` for more and others. A case that
//! fails is made as small as it can be, and printed with its states in YAML.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;
mod property;

use std::{
    any::Any,
    env,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::{Duration, Instant},
};

use machine::Machine;
use property::{
    build::{OFFICE_BRIDGE, UPLINK, build, owner},
    damage::{addition, damage},
    sketch::{Case, cases},
    witness::missing,
};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};
use wireloom_engine::{Failure, State};
use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh};

/// The kernel makes link-local addresses and multicast routes when it gets to the carrier, up to a second later.
const SETTLED: Duration = Duration::from_secs(3);

#[test]
fn any_topology_goes_up_changes_and_comes_down_to_the_machine_before() {
    let number = |name: &str, default: u64| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (cases, seed) = (number("WIRELOOM_PROPERTY_CASES", 200), number("WIRELOOM_PROPERTY_SEED", 1));
    // Much of the time goes by while the kernel waits for grace periods.
    let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get) as u64;
    thread::scope(|scope| {
        let share = |n: u64| u32::try_from(cases / threads + u64::from(n < cases % threads)).unwrap();
        let start = |n: u64| {
            thread::Builder::new()
                .name(format!("seed {seed}.{n}"))
                .spawn_scoped(scope, move || some(share(n), seed, n))
                .unwrap()
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        running.into_iter().for_each(|thread| thread.join().unwrap_or_else(|cause| resume_unwind(cause)));
    });
}

/// One thread's share of the cases.
fn some(count: u32, seed: u64, thread: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&thread.to_le_bytes());
    let config = Config { cases: count, failure_persistence: None, max_shrink_time: 20_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(failure) = runner.run(&cases(), |case| judge(&case)) {
        panic!("seed {seed}, thread {thread}: {failure}");
    }
}

fn judge(case: &Case) -> Result<(), TestCaseError> {
    let states = [build(case, 0), build(case, 1)];
    let outcome = catch_unwind(AssertUnwindSafe(|| sandbox(|| live(case, &states))));
    outcome.map_err(|cause| {
        let yaml = states.each_ref().map(|state| serde_saphyr::to_string(state).unwrap());
        TestCaseError::fail(format!("{}\nfirst:\n{}\nsecond:\n{}", words(&*cause), yaml[0], yaml[1]))
    })
}

fn words(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// One topology's life.
fn live(case: &Case, [first, second]: &[State; 2]) {
    furnish();
    let start = dump();
    let mut machine = Machine::new();
    climb(&mut machine, first, case.stops[0], "the first up");
    climb(&mut machine, second, case.stops[1], "the second up");
    let done: Vec<_> = case.damages.iter().filter_map(|d| damage(second, d)).collect();
    reach(&mut machine, second, &format!("up after {done:?}"));
    let extras = addition(second, case.damages.len());
    let plan = machine.plan(second);
    assert!(plan.is_empty() && plan.left_alone.len() == extras, "what others added: {plan:#?}");
    let nothing = State::empty(owner());
    stop_half_way(&mut machine, &nothing, case.stops[2], "down");
    machine.up(&nothing).unwrap_or_else(|failure| panic!("down: {failure}"));
    comes_back_to(&start, "after down");
    assert!(machine.notes.before.is_empty(), "still to be put back: {:?}", machine.notes.before);
}

/// What others have: a link where we run, and a namespace with an interface, a route and settings of its own.
fn furnish() {
    sh(&format!(
        "ip link add {UPLINK} type veth peer name far
         for i in far {UPLINK}; do ip link set $i addrgenmode none; ip link set $i up; done; ip addr add 192.0.2.250/24 dev {UPLINK}
         ip netns add office
         ip -n office link set lo up
         ip -n office link add {OFFICE_BRIDGE} type bridge
         ip -n office link set {OFFICE_BRIDGE} addrgenmode none; ip -n office link set {OFFICE_BRIDGE} up
         ip -n office addr add 192.168.50.1/24 dev {OFFICE_BRIDGE}
         ip -n office route add blackhole 10.250.0.0/16"
    ));
}

/// Everything, with the settings that a case may change in the namespaces of others.
fn dump() -> Value {
    let keys =
        ["net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", &format!("net.ipv4.conf.{OFFICE_BRIDGE}.rp_filter")];
    let settings = sh(&format!("ip netns exec office sysctl {}", keys.join(" ")));
    json!({"machine": without_the_kernels(host_dump()), "office": settings.lines().collect::<Vec<_>>()})
}

/// What a bridge takes over from a port and keeps when that leaves, the numbers of ports, and what a spanning tree finds out.
const MOVING: [&str; 11] = [
    "no",
    "designated_port",
    "tso_max_size",
    "state",
    "root_id",
    "root_port",
    "root_path_cost",
    "topology_change",
    "topology_change_detected",
    "config_pending",
    "topology_change_ack",
];

/// Without what the kernel does in its own time: bridges, and link-local addresses with their routes, which come up to
/// two seconds after the carrier.
fn without_the_kernels(value: Value) -> Value {
    let local = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("fe80:"));
    // A link that was never up has another empty qdisc than one that was.
    let empty = |kind: &Value| *kind == "noop" || *kind == "noqueue";
    let port_number = |key: &str, value: &Value| key == "id" && value.is_string();
    match value {
        Value::Object(fields) => {
            let moving = |key: &str| key.ends_with("_timer") || MOVING.contains(&key);
            let kept = fields
                .into_iter()
                .filter(|(key, value)| !(moving(key) || port_number(key, value) || (key == "qdisc" && empty(value))));
            Value::Object(kept.map(|(key, value)| (key, without_the_kernels(value))).collect())
        }
        Value::Array(items) => {
            // The local route of an IPv6 address comes from a worker, also without detection of duplicates.
            let own_route = |item: &Value| item["type"] == "local" || item["type"] == "anycast";
            let kernels =
                |item: &Value| own_route(item) || local(&item["local"]) || local(&item["dst"]) || empty(&item["kind"]);
            let kept = items.into_iter().filter(|item| !kernels(item));
            Value::Array(kept.map(without_the_kernels).collect())
        }
        other => other,
    }
}

fn comes_back_to(before: &Value, when: &str) {
    let start = Instant::now();
    while start.elapsed() < SETTLED {
        if dump() == *before {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let same = catch_unwind(AssertUnwindSafe(|| assert_same_dump(before, &dump())));
    same.unwrap_or_else(|cause| panic!("{when}: {}", words(&*cause)));
}

/// Up, stopped once on the way if the case says so.
fn climb(machine: &mut Machine, desired: &State, stop: Option<usize>, what: &str) {
    stop_half_way(machine, desired, stop, what);
    reach(machine, desired, what);
}

fn stop_half_way(machine: &mut Machine, desired: &State, stop: Option<usize>, what: &str) {
    let steps = machine.plan(desired).steps.len();
    let Some(stop) = stop.and_then(|stop| stop.checked_rem(steps)) else { return };
    let (before, notes) = (dump(), machine.notes.before.clone());
    match machine.up_to(desired, stop) {
        // Steps that are done together are not stopped in between.
        Ok(_) => {}
        Err(Failure::Cancelled { rest }) => {
            assert!(rest.left.is_empty(), "{what}, stopped after {stop} of {steps} steps: {rest}");
            comes_back_to(&before, &format!("{what}, stopped after {stop} of {steps} steps"));
            assert_eq!(machine.notes.before, notes, "{what}, stopped after {stop} of {steps} steps");
        }
        Err(other) => panic!("{what}, stopped after {stop} of {steps} steps: {other}"),
    }
}

fn reach(machine: &mut Machine, desired: &State, what: &str) {
    machine.up(desired).unwrap_or_else(|failure| panic!("{what}: {failure}"));
    let missing = missing(desired);
    assert!(missing.is_empty(), "{what}: {}", missing.join("\n"));
    let again = machine.up(desired).unwrap_or_else(|failure| panic!("{what}, again: {failure}"));
    assert!(again.plan.is_empty(), "{what}, again: {:#?}", again.plan.steps);
}
