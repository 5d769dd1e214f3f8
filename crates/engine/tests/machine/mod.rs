//! What the tests of this crate share: states written as YAML, and runs on the machine that a sandbox is.

use std::{
    collections::BTreeMap,
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use wireloom_engine::{Control, Failure, Journal, Label, Plan, Report, Scope, State, converge, observe, plan};

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

/// One topology on this machine, as a front end drives it.
pub(crate) struct Machine {
    /// Its journal.
    pub(crate) notes: Notes,
    last: Option<State>,
}

impl Machine {
    /// Nothing is up yet.
    pub(crate) fn new() -> Machine {
        Machine { notes: Notes::default(), last: None }
    }

    /// Where it looks when it wants `desired`.
    pub(crate) fn scope(&self, desired: &State) -> Scope {
        let mut scope = Scope::new(&desired.owner);
        scope.desire(desired);
        self.last.iter().for_each(|last| scope.claim(last));
        scope.discover().expect("discover");
        for ((netns, key), value) in &self.notes.before {
            scope.before(netns, key, value);
        }
        scope
    }

    /// Makes the machine as desired.
    pub(crate) fn up(&mut self, desired: &State) -> Result<Report, Failure> {
        self.up_to(desired, usize::MAX)
    }

    /// The same, told to stop after so many steps.
    pub(crate) fn up_to(&mut self, desired: &State, steps: usize) -> Result<Report, Failure> {
        let scope = self.scope(desired);
        let (cancelled, count) = (AtomicBool::new(steps == 0), AtomicUsize::new(0));
        let mut progress = |_| {
            if count.fetch_add(1, Ordering::Relaxed) + 1 >= steps {
                cancelled.store(true, Ordering::Relaxed);
            }
        };
        let mut control = Control { cancelled: &cancelled, progress: &mut progress, keep_partial: false };
        let report = converge(desired, &scope, &mut self.notes, &mut control)?;
        self.last = Some(desired.clone());
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
