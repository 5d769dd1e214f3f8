//! What the tests of this crate share: states written as YAML, and runs on the machine that a sandbox is.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod network;

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::Value;
use wireloom_engine::{Control, Failure, Journal, Label, Plan, Report, Scope, Source, State, converge, observe, plan};
use wireloom_netns::NetnsId;
use wireloom_testkit::{assert_same_dump, eventually, host_dump, ip_in, netns_dump};

/// A journal in memory.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Settings as they were before.
    pub(crate) before: BTreeMap<(Label, String), String>,
    /// How often something began.
    pub(crate) begun: usize,
}

impl Journal for Notes {
    fn begin(&mut self, _: &Plan) -> io::Result<()> {
        self.begun += 1;
        Ok(())
    }

    fn before(&mut self, netns: &Label, key: &str, value: &str) -> io::Result<()> {
        self.before.entry((netns.clone(), key.to_owned())).or_insert_with(|| value.to_owned());
        Ok(())
    }

    fn restored(&mut self, netns: &Label, key: &str) -> io::Result<()> {
        self.before.remove(&(netns.clone(), key.to_owned()));
        Ok(())
    }
}

/// A state from YAML, in which GROUP stands for the owner's group.
pub(crate) fn state(yaml: &str) -> State {
    let owner = yaml.lines().find_map(|line| line.strip_prefix("owner: ")).expect("a line `owner: NAME`");
    let owner: wireloom_engine::Owner = owner.trim().parse().expect("an owner");
    serde_saphyr::from_str(&yaml.replace("GROUP", &owner.group().to_string())).expect("a state in YAML")
}

/// Dumps of these namespaces, taken when their links that are up have link-local addresses that are in use: the kernel
/// makes those in its own time.
pub(crate) fn settled_dump(names: &[&str]) -> Value {
    let has_link_local = |link: &Value| {
        let is_usable = |a: &Value| a["family"] == "inet6" && a["scope"] == "link" && a["tentative"].is_null();
        link["addr_info"].as_array().is_some_and(|all| all.iter().any(is_usable))
    };
    let is_up =
        |link: &Value| link["ifname"] != "lo" && link["flags"].as_array().is_some_and(|f| f.contains(&"UP".into()));
    for name in names {
        eventually("every link has its link-local address", || {
            let links = ip_in(name, "addr");
            links.as_array().expect("a list").iter().filter(|link| is_up(link)).all(has_link_local)
        });
    }
    names.iter().map(|name| ((*name).to_owned(), netns_dump(name))).collect()
}

/// Up, `look`, and down to the machine before; nothing is to be done in between.
pub(crate) fn lives(desired: &State, look: impl FnOnce(&mut Machine)) {
    let before = host_dump();
    let mut machine = Machine::new();
    machine.up(desired).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(machine.plan(desired).is_empty(), "{:#?}", machine.plan(desired).steps);
    look(&mut machine);
    machine.down(desired);
    assert_same_dump(&before, &host_dump());
}

/// One topology on this machine, as a front end drives it.
pub(crate) struct Machine {
    /// Its journal.
    pub(crate) notes: Notes,
    last: Option<State>,
    made: BTreeMap<Label, NetnsId>,
}

impl Machine {
    /// Nothing is up yet.
    pub(crate) fn new() -> Machine {
        Machine { notes: Notes::default(), last: None, made: BTreeMap::new() }
    }

    /// Where it looks when it wants `desired`.
    pub(crate) fn scope(&self, desired: &State) -> Scope {
        let mut scope = Scope::new(&desired.owner);
        scope.desire(desired);
        self.last.iter().for_each(|last| scope.remember(last));
        self.made.iter().for_each(|(netns, id)| scope.identify(netns, id));
        scope.discover().expect("discover");
        for ((netns, key), value) in self.notes.before.iter().filter(|((netns, _), _)| self.is_there(desired, netns)) {
            scope.before(netns, key, value);
        }
        scope
    }

    /// A note about a namespace that is gone says nothing about one that is made under its name.
    fn is_there(&self, desired: &State, netns: &Label) -> bool {
        let states = [Some(desired), self.last.as_ref()];
        let found = states.into_iter().flatten().find_map(|state| state.namespaces.get(netns));
        !matches!(found.map(|n| &n.source), Some(Source::Named(name)) if !Path::new("/run/netns").join(name).exists())
    }

    fn forget_gone(&mut self, desired: &State) {
        let before = std::mem::take(&mut self.notes.before);
        let there = before.into_iter().filter(|((netns, _), _)| self.is_there(desired, netns));
        self.notes.before = there.collect();
    }

    /// Makes the machine as desired.
    pub(crate) fn up(&mut self, desired: &State) -> Result<Report, Failure> {
        self.up_to(desired, usize::MAX)
    }

    /// The same, told to stop after so many steps.
    pub(crate) fn up_to(&mut self, desired: &State, steps: usize) -> Result<Report, Failure> {
        self.forget_gone(desired);
        let scope = self.scope(desired);
        let (cancelled, count) = (AtomicBool::new(steps == 0), AtomicUsize::new(0));
        let mut progress = |_| {
            if count.fetch_add(1, Ordering::Relaxed) + 1 >= steps {
                cancelled.store(true, Ordering::Relaxed);
            }
        };
        let mut control = Control { cancelled: &cancelled, progress: &mut progress, keep_partial: false };
        let outcome = converge(desired, &scope, &mut self.notes, &mut control);
        self.forget_gone(desired);
        let report = outcome?;
        self.last = Some(desired.clone());
        self.made.extend(report.made.clone());
        Ok(report)
    }

    /// What a run would do.
    pub(crate) fn plan(&self, desired: &State) -> Plan {
        let observed = observe(&self.scope(desired)).expect("observe");
        plan(desired, &observed).expect("no conflict")
    }

    /// Takes everything down.
    pub(crate) fn down(&mut self, desired: &State) -> Report {
        self.up(&State::empty(desired.owner.clone())).expect("down")
    }
}
