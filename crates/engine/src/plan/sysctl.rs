//! Settings under /proc/sys.

use super::{Planner, Step};

impl Planner<'_> {
    pub(super) fn sysctls(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        for (label, wanted) in &desired.namespaces {
            let found = observed.namespaces.get(label);
            for (key, to) in &wanted.sysctls {
                let from = found.and_then(|n| n.sysctls.get(key)).cloned();
                if from.as_ref() != Some(to) {
                    let (netns, key, to) = (label.clone(), key.clone(), to.clone());
                    self.push(Step::SetSysctl { netns, key, from, to, back: false });
                }
            }
        }
        for (label, found) in &observed.namespaces {
            if self.dropped.contains(label) {
                continue;
            }
            let wanted = desired.namespaces.get(label).map(|n| &n.sysctls);
            for (key, to) in found.before.iter().filter(|(key, _)| wanted.is_none_or(|w| !w.contains_key(*key))) {
                let (netns, key, from, to) = (label.clone(), key.clone(), found.sysctls.get(key).cloned(), to.clone());
                self.push(Step::SetSysctl { netns, key, from, to, back: true });
            }
        }
    }
}
