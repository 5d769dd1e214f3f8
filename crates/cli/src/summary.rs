//! How much a plan made, changed and removed, in one line, and how long that took. Does not know the steps' details.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;
use wireloom_engine::{Label, LinkRef, PhaseTime, Plan, Step};

use crate::{changes::object, words};

/// Objects, in the order in which they are told.
const OBJECTS: [(&str, &str); 8] = [
    ("namespace", "namespaces"),
    ("link", "links"),
    ("address", "addresses"),
    ("route", "routes"),
    ("sysctl", "sysctls"),
    ("setting", "settings"),
    ("firewall", "firewalls"),
    ("qdisc", "qdiscs"),
];

/// How many objects came, changed and went. A pair of veths is one link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    added: BTreeMap<&'static str, usize>,
    changed: BTreeMap<&'static str, usize>,
    removed: BTreeMap<&'static str, usize>,
}

impl Summary {
    /// Counts the steps of a plan. Settings of what is new are part of its making.
    pub(crate) fn of(plan: &Plan) -> Summary {
        let fresh = Fresh::of(plan);
        let mut summary = Summary::default();
        for step in plan.steps.iter().filter(|step| !fresh.includes(step)) {
            let side = match step.sign() {
                '+' => &mut summary.added,
                '-' => &mut summary.removed,
                _ if fresh.holds(step) => &mut summary.added,
                _ => &mut summary.changed,
            };
            *side.entry(plural(object(step))).or_default() += 1;
        }
        summary
    }

    /// The same for what has not been done.
    pub(crate) fn to_come(&self) -> String {
        format!("would {}", self.in_words(["make ", "change ", "remove "]))
    }

    fn in_words(&self, verbs: [&str; 3]) -> String {
        let counts = [&self.added, &self.changed, &self.removed];
        let part = |(verb, counts): (&str, &BTreeMap<&'static str, usize>)| {
            let told = OBJECTS.iter().filter_map(|(one, many)| Some((one, *counts.get(many)?)));
            let words: Vec<_> = told.map(|(one, number)| words::count(number, one)).collect();
            (!words.is_empty()).then(|| format!("{verb}{}", words.join(", ")))
        };
        verbs.into_iter().zip(counts).filter_map(part).collect::<Vec<_>>().join("; ")
    }

    /// Whether there were only things that came.
    pub(crate) fn is_new(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = if self.is_new() { "" } else { "made " };
        f.write_str(&self.in_words([made, "changed ", "removed "]))
    }
}

/// Times to the microsecond: there is no more to them.
pub(crate) fn rounded(phases: &[PhaseTime]) -> Vec<PhaseTime> {
    let rounded = |phase: &PhaseTime| PhaseTime { name: phase.name.clone(), ms: (phase.ms * 1000.0).round() / 1000.0 };
    phases.iter().map(rounded).collect()
}

fn plural(object: &'static str) -> &'static str {
    OBJECTS.iter().find(|(one, _)| *one == object).map_or(object, |(_, many)| many)
}

/// What a plan makes.
struct Fresh<'a> {
    netns: BTreeSet<&'a Label>,
    links: BTreeSet<&'a LinkRef>,
}

impl<'a> Fresh<'a> {
    fn of(plan: &'a Plan) -> Fresh<'a> {
        let mut fresh = Fresh { netns: BTreeSet::new(), links: BTreeSet::new() };
        for step in &plan.steps {
            match step {
                Step::AddNetns { netns, .. } => drop(fresh.netns.insert(netns)),
                Step::AddLink(new) => {
                    fresh.links.insert(&new.at);
                    fresh.links.extend(new.peer.as_ref().map(|peer| &peer.at));
                }
                _ => {}
            }
        }
        fresh
    }

    /// Whether the step finishes a link that the plan makes.
    fn includes(&self, step: &Step) -> bool {
        matches!(step, Step::SetLink { at, .. } if self.links.contains(at) || self.netns.contains(&at.netns))
    }

    /// Whether the step is a setting of a namespace that the plan makes.
    fn holds(&self, step: &Step) -> bool {
        matches!(step, Step::SetSysctl { netns, .. } if self.netns.contains(netns))
    }
}

#[cfg(test)]
mod tests {
    use wireloom_engine::{Dummy, Link, LinkKind, NewLink, Settings};

    use super::*;

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            owner: "lab".parse().unwrap(),
            sources: BTreeMap::new(),
            steps,
            replaced: BTreeMap::new(),
            also_gone: Vec::new(),
            left_alone: Vec::new(),
        }
    }

    fn link(at: &str) -> NewLink {
        NewLink { at: at.parse().unwrap(), link: Link::new(LinkKind::Dummy(Dummy {})), peer: None }
    }

    fn set(at: &str) -> Step {
        let to = Settings { mtu: Some(9000), ..Settings::default() };
        Step::SetLink { at: at.parse().unwrap(), from: Settings::default(), to }
    }

    #[test]
    fn what_finishes_a_new_object_is_part_of_it() {
        let mut pair = link("r1:a");
        pair.peer = Some(Box::new(link("r2:b")));
        let (netns, alias) = ("r1".parse::<Label>().unwrap(), String::new());
        let sysctl = |netns: &str| Step::SetSysctl {
            netns: netns.parse().unwrap(),
            key: "net.ipv4.ip_forward".to_owned(),
            from: None,
            to: "1".to_owned(),
            back: false,
        };
        let steps = vec![Step::AddNetns { netns, alias }, Step::AddLink(pair), set("r2:b"), sysctl("r1")];
        assert_eq!(Summary::of(&plan(steps.clone())).to_string(), "1 namespace, 1 link, 1 sysctl");
        let summary = Summary::of(&plan([steps, vec![set("r3:c"), sysctl("r3")]].concat()));
        assert_eq!(summary.to_string(), "made 1 namespace, 1 link, 1 sysctl; changed 1 link, 1 sysctl");
    }

    #[test]
    fn times_end_with_the_microseconds() {
        let phase = PhaseTime { name: "links".to_owned(), ms: 0.987_654_321 };
        assert_eq!(
            serde_json::to_value(rounded(&[phase])).unwrap(),
            serde_json::json!([{"name": "links", "ms": 0.988}])
        );
    }

    #[test]
    fn what_goes_is_told_apart() {
        let summary = Summary::of(&plan(vec![Step::DelLink(link("r1:a")), set("r1:b")]));
        assert_eq!(summary.to_string(), "changed 1 link; removed 1 link");
        assert_eq!(summary.to_come(), "would change 1 link; remove 1 link");
        assert_eq!(serde_json::to_value(&summary).unwrap()["removed"], serde_json::json!({"links": 1}));
    }
}
