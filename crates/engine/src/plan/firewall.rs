//! Firewalls that come, change and go.

use super::{Conflict, Planner, Step};
use crate::{Firewall, Namespace, firewall, firewall::IpFamily};

impl Planner<'_> {
    pub(super) fn firewalls(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        for label in
            desired.namespaces.keys().chain(observed.namespaces.keys().filter(|l| !desired.namespaces.contains_key(*l)))
        {
            let (wanted, found) = (desired.namespaces.get(label), observed.namespaces.get(label));
            let from = found.and_then(|found| found.firewall.clone());
            let to = wanted.and_then(|wanted| wanted.firewall.as_ref()).map(|wanted| past_docker(wanted, found));
            let foreign = from.as_ref().is_some_and(|from| from.origin == firewall::Origin::Others);
            if from == to || self.dropped.contains(label) || (foreign && to.is_none()) {
                continue;
            }
            if foreign {
                let table = firewall::name(&desired.owner).to_string();
                self.conflicts.push(Conflict::ForeignTable { netns: label.clone(), table });
                continue;
            }
            self.push(Step::SetFirewall { netns: label.clone(), from, to });
        }
    }
}

/// With the rule in Docker's chain, where there is one and it is needed.
fn past_docker(wanted: &Firewall, found: Option<&Namespace>) -> Firewall {
    let has_chain = |family: &IpFamily| found.is_some_and(|found| found.docker.contains(family));
    let docker = IpFamily::ALL.into_iter().filter(|family| wanted.passes(*family) && has_chain(family));
    Firewall { docker: docker.chain(wanted.docker.iter().copied()).collect(), ..wanted.clone() }
}
