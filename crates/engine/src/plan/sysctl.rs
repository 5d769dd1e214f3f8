//! Settings by key: sysctls and those of ethtool.

use super::{Phase, Planner, Step};
use crate::{Label, LinkRef, setting};

impl Planner<'_> {
    pub(super) fn sysctls(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        for (label, wanted) in &desired.namespaces {
            let found = observed.namespaces.get(label);
            for (key, to) in &wanted.sysctls {
                // A link that is made anew begins with the kernel's settings.
                let found = found.filter(|_| !self.is_of_doomed(label, key));
                let from = found.and_then(|n| n.sysctls.get(key)).cloned();
                if from.as_ref() != Some(to) {
                    let (netns, key, to) = (label.clone(), key.clone(), to.clone());
                    self.push(Step::SetSysctl { netns, key, from, to, back: false });
                }
            }
        }
        for (label, found) in &observed.namespaces {
            for (key, to) in &found.before {
                let from = found.sysctls.get(key).cloned();
                let step = Step::SetSysctl { netns: label.clone(), key: key.clone(), from, to: to.clone(), back: true };
                let wanted = desired.namespaces.get(label).is_some_and(|n| n.sysctls.contains_key(key));
                if self.is_of_doomed(label, key) {
                    // While the link is still there: on the way back it is there again before its setting.
                    self.steps.entry(Phase::Removals).or_default().insert(0, step);
                } else if !wanted && !self.dropped.contains(label) {
                    self.push(step);
                }
            }
        }
    }

    fn is_of_doomed(&self, label: &Label, key: &str) -> bool {
        let link = setting::link_of(key).and_then(|name| name.parse().ok());
        link.is_some_and(|ifname| self.doomed.contains(&LinkRef::new(label, ifname)))
    }
}
