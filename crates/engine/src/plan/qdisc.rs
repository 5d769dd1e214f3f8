//! Root qdiscs that come, change and go.

use super::{Planner, Step, link::links};
use crate::{LinkKind, Qdisc};

impl Planner<'_> {
    pub(super) fn qdiscs(&mut self) {
        for (at, wanted) in links(self.desired).filter(|(_, link)| link.kind != LinkKind::Loopback) {
            let from = self.standing(&at).and_then(|found| found.qdisc.clone());
            let somebodys = matches!(from, Some(Qdisc::Other(_)));
            let leave = match &wanted.qdisc {
                Some(wanted) => wanted.is_met_by(from.as_ref()),
                None => from.is_none() || somebodys,
            };
            if !leave {
                self.push(Step::SetQdisc { at, from, to: wanted.qdisc.clone() });
            }
        }
    }
}
