//! Namespaces that come and go.

use super::{Conflict, Planner, Step};
use crate::{Mark, Namespace, Source};

impl Planner<'_> {
    pub(super) fn namespaces(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        for (label, wanted) in &desired.namespaces {
            match observed.namespaces.get(label) {
                None if wanted.own => {
                    let alias = Mark::netns(&desired.owner, label).to_string();
                    self.push(Step::AddNetns { netns: label.clone(), alias });
                }
                None => {
                    let conflict = Conflict::MissingNetns { netns: label.clone(), place: place(wanted) };
                    self.conflicts.push(conflict);
                }
                Some(found) if wanted.own && !found.own => {
                    self.conflicts.push(Conflict::ForeignNetns { netns: label.clone(), name: place(wanted) });
                }
                Some(_) => {}
            }
        }
        for (label, found) in &observed.namespaces {
            if found.own && !desired.namespaces.contains_key(label) {
                self.dropped.insert(label.clone());
                self.push(Step::DelNetns { netns: label.clone() });
            }
        }
    }
}

/// Where a namespace is looked for, in words.
fn place(netns: &Namespace) -> String {
    match &netns.source {
        Source::Current => "that wireloom runs in".to_owned(),
        Source::Named(name) => name.clone(),
        Source::Path(path) => path.display().to_string(),
    }
}
