//! What is there after a step that failed, was refused half-way or met something unexpected: what was there before.
//! Deliberately not here: being killed, which is for the tests of the command.

#![allow(clippy::unwrap_used, reason = "a test")]

mod machine;

use std::{fs, io};

use machine::{Machine, Notes, settled_dump, state};
use serde_json::Value;
use wireloom_engine::{Control, Error, Failure, Journal, Label, Missing, Plan, Report, Scope, State, converge};
use wireloom_testkit::{assert_same_dump, ip_in, sandbox, sh, sh_in};

/// A node and a namespace of others, with a cable between them, and a second node.
const HOUSE: &str = "
owner: t
namespaces:
  house:
    source: {named: house}
    sysctls: {net.ipv4.ip_default_ttl: '70'}
    links:
      lo: {kind: loopback, addresses: [{net: 10.9.9.1/32}]}
      eth1:
        kind: {veth: {peer: 'r:eth1'}}
        mac: c2:00:00:00:00:01
        mtu: 1500
        up: true
        group: GROUP
        alias: wireloom:t/house:eth1
        addresses: [{net: 10.0.0.1/24}, {net: 10.0.5.1/24}]
    routes:
      - {destination: 10.8.0.0/24, hops: [{via: 10.0.0.2}]}
      - {destination: 10.8.1.0/24, hops: [{via: 10.0.0.2}]}
  r:
    source: {named: t.r}
    own: true
    links:
      lo: {kind: loopback, up: true, alias: 'wireloom:t/r'}
      eth1:
        kind: {veth: {peer: 'house:eth1'}}
        mac: c2:00:00:00:00:02
        mtu: 1500
        up: true
        group: GROUP
        alias: wireloom:t/r:eth1
        addresses: [{net: 10.0.0.2/24}]
  spare:
    source: {named: t.spare}
    own: true
    links: {lo: {kind: loopback, up: true, alias: 'wireloom:t/spare'}}
";

/// The second node.
const SPARE: &str = "  spare:
    source: {named: t.spare}
    own: true
    links: {lo: {kind: loopback, up: true, alias: 'wireloom:t/spare'}}
";

/// All that there is.
fn dump() -> Value {
    settled_dump(&["house", "t.r", "t.spare"])
}

/// A route that no kernel takes.
fn with_bad_route(yaml: &str) -> String {
    yaml.replace("    routes:\n", "    routes:\n      - {destination: 10.99.0.0/16, hops: [{via: 10.77.0.1}]}\n")
}

fn open_house() {
    sh("ip netns add house; ip -n house link set lo up; ip netns exec house sysctl -qw net.ipv4.ip_default_ttl=64");
}

fn ttl() -> String {
    sh_in("house", "sysctl -n net.ipv4.ip_default_ttl").trim().to_owned()
}

/// A journal that meddles when a run begins, and that looks or fails when a setting is written down.
struct Meddler<B, W> {
    notes: Notes,
    at_begin: B,
    at_before: W,
}

impl<B: FnMut() + Send, W: FnMut() -> io::Result<()> + Send> Journal for Meddler<B, W> {
    fn begin(&mut self, plan: &Plan) -> io::Result<()> {
        (self.at_begin)();
        self.notes.begin(plan)
    }

    fn before(&mut self, netns: &Label, key: &str, value: &str) -> io::Result<()> {
        (self.at_before)()?;
        self.notes.before(netns, key, value)
    }

    fn restored(&mut self, netns: &Label, key: &str) -> io::Result<()> {
        self.notes.restored(netns, key)
    }
}

/// A run in which somebody else does `meddle` after the kernel has been read and before anything changes.
fn run_with(desired: &State, scope: &Scope, meddle: impl FnMut() + Send) -> Result<Report, Failure> {
    let mut journal = Meddler { notes: Notes::default(), at_begin: meddle, at_before: || Ok(()) };
    drive(desired, scope, &mut journal, &mut |_| {})
}

fn drive(
    desired: &State,
    scope: &Scope,
    journal: &mut dyn Journal,
    progress: &mut dyn FnMut(wireloom_engine::Progress),
) -> Result<Report, Failure> {
    let cancelled = false.into();
    converge(desired, scope, journal, &mut Control { cancelled: &cancelled, progress, keep_partial: false })
}

#[test]
fn addresses_and_routes_that_are_gone_already_are_gone() {
    sandbox(|| {
        open_house();
        let mut machine = Machine::new();
        machine.up(&state(HOUSE)).unwrap();
        let less = HOUSE.replace(", {net: 10.0.5.1/24}", "").replace(", addresses: [{net: 10.9.9.1/32}]", "");
        let less = state(&less.replace("      - {destination: 10.8.1.0/24, hops: [{via: 10.0.0.2}]}\n", ""));
        let scope = machine.scope(&less);
        let meddle = || {
            sh("ip -n house addr del 10.0.5.1/24 dev eth1; ip -n house addr del 10.9.9.1/32 dev lo
                ip -n house route del 10.8.1.0/24");
        };
        let report = run_with(&less, &scope, meddle).unwrap();
        let deletions = report.plan.steps.iter().filter(|step| step.sign() == '-').count();
        assert!(deletions >= 3, "{:?}", report.plan.steps);
        assert_eq!(machine.plan(&less).steps, []);
    });
}

#[test]
fn a_step_that_cannot_be_taken_back_does_not_hold_up_the_others() {
    sandbox(|| {
        open_house();
        let mut machine = Machine::new();
        machine.up(&state(HOUSE)).unwrap();
        let changed = HOUSE.replace("'70'", "'80'").replace(", {net: 10.0.5.1/24}", "");
        let changed = state(&with_bad_route(&changed));
        let scope = machine.scope(&changed);
        // Without its link the address that was taken away cannot come back.
        let mut progress = |_| {
            sh(
                "ip -n house addr show eth1 2>/dev/null | grep -q 10.0.5.1 || ip -n house link del eth1 2>/dev/null || :",
            );
        };
        let failure = drive(&changed, &scope, &mut machine.notes, &mut progress).unwrap_err();
        let Failure::Step { rest, .. } = &failure else { panic!("{failure}") };
        assert!(!rest.left.is_empty(), "{failure}");
        assert_eq!(ttl(), "70", "the setting was changed before the address: {failure}");
    });
}

#[test]
fn a_setting_is_written_down_before_it_changes() {
    sandbox(|| {
        open_house();
        let desired = state(HOUSE);
        let mut scope = Scope::new(&desired.owner);
        scope.desire(&desired);
        let mut seen = Vec::new();
        // It is called on a thread that is in the namespace.
        let look = || {
            seen.push(fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl")?);
            Err(io::Error::other("the disk is full"))
        };
        let mut journal = Meddler { notes: Notes::default(), at_begin: || (), at_before: look };
        let failure = drive(&desired, &scope, &mut journal, &mut |_| {}).unwrap_err();
        let Failure::Step { error, .. } = &failure else { panic!("{failure}") };
        assert!(matches!(**error, Error::Journal(_)), "{failure}");
        assert_eq!(seen, ["64\n"]);
        assert_eq!(ttl(), "64");
    });
}

#[test]
fn a_setting_of_the_whole_machine_is_refused() {
    sandbox(|| {
        open_house();
        let desired = state(&HOUSE.replace("net.ipv4.ip_default_ttl", "kernel.no_such_setting"));
        let failure = Machine::new().up(&desired).unwrap_err();
        let Failure::Step { error, .. } = &failure else { panic!("{failure}") };
        assert!(matches!(**error, Error::SysctlName { .. }), "{failure}");
    });
}

#[test]
fn settings_of_others_end_as_they_were_whatever_happens_between() {
    let (up, other) = (HOUSE.to_owned(), HOUSE.replace("'70'", "'80'"));
    let without = HOUSE.replace("    sysctls: {net.ipv4.ip_default_ttl: '70'}\n", "");
    let bad = with_bad_route;
    let (bad_up, bad_other, bad_without) = (bad(&up), bad(&other), bad(&without));
    let runs: [&[(&str, &str)]; 6] = [
        &[(&up, "70"), (&bad_other, "70"), (&without, "64")],
        &[(&up, "70"), (&bad_without, "70"), (&other, "80"), (&without, "64"), (&up, "70")],
        &[(&bad_up, "64"), (&up, "70"), (&bad_other, "70"), (&bad_without, "70")],
        &[(&up, "70"), (&other, "80"), (&bad_up, "80"), (&bad_without, "80"), (&up, "70")],
        &[(&without, "64"), (&bad_up, "64"), (&bad_other, "64"), (&without, "64")],
        &[(&up, "70"), (&without, "64"), (&bad_other, "64"), (&up, "70"), (&bad_other, "70")],
    ];
    for run in runs {
        sandbox(|| {
            open_house();
            let mut machine = Machine::new();
            for (at, (yaml, expected)) in run.iter().enumerate() {
                let outcome = machine.up(&state(yaml));
                assert_eq!(outcome.is_err(), yaml.contains("10.77.0.1"), "{at}: {outcome:?}");
                assert_eq!(ttl(), *expected, "after run {at}");
            }
            machine.down(&state(HOUSE));
            assert_eq!(ttl(), "64");
            assert!(machine.notes.before.is_empty(), "{:?}", machine.notes.before);
        });
    }
}

#[test]
fn a_setting_whose_interface_is_gone_needs_no_putting_back() {
    sandbox(|| {
        open_house();
        sh("ip -n house link add v0 type veth peer name v1");
        let key = "net.ipv4.conf.v0.rp_filter";
        let mut machine = Machine::new();
        machine.up(&state(&HOUSE.replace("ip_default_ttl: '70'", "conf.v0.rp_filter: '2'"))).unwrap();
        assert_eq!(sh_in("house", &format!("sysctl -n {key}")).trim(), "2");
        sh("ip -n house link del v0");
        machine.down(&state(HOUSE));
        assert!(!sh("ip netns").contains("t.r"));
        assert!(machine.notes.before.is_empty());
    });
}

/// Somebody else's host on the same segment has the address; a node that was to go is still there.
#[test]
fn a_duplicate_address_fails_and_nothing_is_dropped() {
    sandbox(|| {
        sh("ip netns add house; ip -n house link set lo up; ip netns add office
            ip -n house link add br7 type bridge forward_delay 0; ip -n house link set br7 up
            ip -n house link add port type veth peer name eth0 netns office; ip -n house link set port master br7 up
            ip -n office link set eth0 up; ip -n office addr add fd00::7/64 dev eth0 nodad");
        let mut machine = Machine::new();
        machine.up(&state(HOUSE)).unwrap();
        sh("ip -n house link set eth1 master br7");
        sh_in("office", "ip addr add 10.0.0.7/24 dev eth0; ping -c1 -w10 10.0.0.2");
        let before = dump();
        let taken = HOUSE.replace(SPARE, "").replace("{net: 10.0.0.2/24}", "{net: 10.0.0.2/24}, {net: 'fd00::7/64'}");
        let failure = machine.up(&state(&taken)).unwrap_err();
        let Failure::Verify { missing, rest } = &failure else { panic!("{failure}") };
        assert!(matches!(&missing[..], [Missing::Duplicate { at, .. }] if at.to_string() == "r:eth1"), "{failure}");
        assert!(rest.left.is_empty(), "{failure}");
        assert_same_dump(&before, &dump());
    });
}

#[test]
fn a_change_that_the_kernel_refuses_half_way_is_taken_back() {
    sandbox(|| {
        open_house();
        let mut machine = Machine::new();
        machine.up(&state(HOUSE)).unwrap();
        let before = dump();
        let half = HOUSE.replace("c2:00:00:00:00:02\n        mtu: 1500", "c2:00:00:00:00:09\n        mtu: 70000");
        let failure = machine.up(&state(&half)).unwrap_err();
        assert!(matches!(&failure, Failure::Step { rest, .. } if rest.left.is_empty()), "{failure}");
        assert_same_dump(&before, &dump());
    });
}

/// One root qdisc goes before another kind comes. Where the kernel has no netem, that fails with the first one gone.
#[test]
fn a_rate_survives_an_impairment_that_the_kernel_lacks() {
    sandbox(|| {
        open_house();
        let mut machine = Machine::new();
        let with = |qdisc: &str| {
            state(&HOUSE.replace("[{net: 10.0.0.2/24}]", &format!("[{{net: 10.0.0.2/24}}]\n        qdisc: {qdisc}")))
        };
        machine.up(&with("{tbf: {rate_bit: 8000000, burst: 10000, limit: 20000}}")).unwrap();
        let before = sh("tc -n t.r qdisc show dev eth1 root");
        assert!(before.contains("tbf"), "{before}");
        let outcome = machine.up(&with("{netem: {delay_us: 1000}}"));
        let after = sh("tc -n t.r qdisc show dev eth1 root");
        match outcome {
            Ok(_) => assert!(after.contains("netem"), "{after}"),
            Err(failure) => {
                assert!(!wireloom_testkit::has_kind("netem"), "{failure}");
                assert_eq!(after, before, "{failure}");
            }
        }
    });
}

/// A rate and nothing else needs no netem; whatever else is asked for is named.
#[test]
fn a_rate_of_netem_is_a_token_bucket_where_the_kernel_lacks_netem() {
    sandbox(|| {
        open_house();
        let mut machine = Machine::new();
        let with = |qdisc: &str| {
            state(&HOUSE.replace("[{net: 10.0.0.2/24}]", &format!("[{{net: 10.0.0.2/24}}]\n        qdisc: {qdisc}")))
        };
        let root = || sh("tc -n t.r qdisc show dev eth1 root");
        let kind = if wireloom_testkit::has_kind("netem") { "netem" } else { "tbf" };
        machine.up(&state(HOUSE)).unwrap();
        let before = root();
        for rate in [8_000_000, 16_000_000] {
            let desired = with(&format!("{{netem: {{rate_bit: {rate}}}}}"));
            machine.up(&desired).unwrap();
            assert!(machine.plan(&desired).is_empty(), "{:?}", machine.plan(&desired).steps);
            let found = root();
            assert!(found.contains(&format!("{kind} 5757:")), "{found}");
            assert!(found.contains(&format!("rate {}Mbit", rate / 1_000_000)), "{found}");
        }
        if kind == "tbf" {
            let more = with(
                "{netem: {rate_bit: 8000000, delay_us: 10, loss_model: {gemodel: {p: 1, r: 1, bad: 1, good: 1}}}}",
            );
            let failure = machine.up(&more).unwrap_err();
            assert_eq!(failure.kind(), wireloom_engine::Kind::NotSupported);
            let said =
                "no netem qdisc (CONFIG_NET_SCH_NETEM), which r:eth1 needs for delay, loss; without it only a rate";
            assert!(failure.to_string().contains(said), "{failure}");
            assert!(root().contains("tbf 5757:") && root().contains("rate 16Mbit"), "{}", root());
        }
        machine.up(&state(HOUSE)).unwrap();
        assert_eq!(root(), before);
    });
}

#[test]
fn the_prefix_of_an_ipv6_address_changes_unless_it_is_anothers() {
    sandbox(|| {
        open_house();
        let with = |prefix: u8| {
            state(&HOUSE.replace("{net: 10.0.0.2/24}", &format!("{{net: 'fd00::1/{prefix}', nodad: true}}")))
        };
        let mut machine = Machine::new();
        machine.up(&with(64)).unwrap();
        machine.up(&with(48)).unwrap();
        let addresses = sh_in("t.r", "ip -6 addr show eth1 scope global");
        assert!(addresses.contains("fd00::1/48") && !addresses.contains("fd00::1/64"), "{addresses}");
        machine.up(&with(64)).unwrap();
        sh("ip -n t.r addr del fd00::1/64 dev eth1; ip -n t.r addr add fd00::1/56 dev eth1 nodad");
        let before = dump();
        let failure = machine.up(&with(64)).unwrap_err();
        assert!(failure.to_string().contains("fd00::1/56"), "{failure}");
        assert!(matches!(&failure, Failure::Conflicts(conflicts) if conflicts.len() == 1), "{failure}");
        assert_same_dump(&before, &dump());
    });
}

#[test]
fn a_name_that_somebody_took_meanwhile_stays_theirs() {
    let kinds = [
        ("a namespace", "ip netns add t.r; ip -n t.r link add v0 type veth peer name v1", "ip -n t.r -o link"),
        ("a file", "mkdir -p /run/netns; echo mine > /run/netns/t.r", "cat /run/netns/t.r"),
        ("a folder", "mkdir -p /run/netns/t.r/mine", "ls /run/netns/t.r"),
        ("a symbolic link", "mkdir -p /run/netns; ln -s /nowhere /run/netns/t.r", "readlink /run/netns/t.r"),
    ];
    for (what, make, show) in kinds {
        sandbox(|| {
            open_house();
            let desired = state(HOUSE);
            let mut scope = Scope::new(&desired.owner);
            scope.desire(&desired);
            let mut made = String::new();
            let failure = run_with(&desired, &scope, || made = [sh(make), sh(show)].concat()).unwrap_err();
            assert!(matches!(&failure, Failure::Step { rest, .. } if rest.left.is_empty()), "{what}: {failure}");
            assert_eq!(sh(show), made, "{what}");
            assert!(!fs::exists("/run/netns/t.spare").unwrap(), "{what}");
        });
    }
}

#[test]
fn a_name_that_a_crash_has_left_is_used_again() {
    sandbox(|| {
        open_house();
        sh("touch /run/netns/t.r");
        Machine::new().up(&state(HOUSE)).unwrap();
        assert_eq!(ip_in("t.r", "link show eth1")[0]["address"], "c2:00:00:00:00:02");
    });
}
