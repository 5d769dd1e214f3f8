//! The steps that are one request each.

use std::{io, mem::discriminant};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage as Message;
use nix::errno::Errno;

use super::{
    Journal,
    kernel::{Kernel, NEW},
};
use crate::{Address, Error, Label, LinkRef, Qdisc, Route, Step, setting};

impl Kernel<'_> {
    /// Does a step that is not done in a batch with others.
    pub(super) fn step(&mut self, step: &Step, journal: &mut dyn Journal) -> Result<(), Error> {
        match step {
            Step::AddLink(new) => self.add_link(new),
            Step::DelLink(gone) => self.del_link(gone),
            Step::SetLink { at, to, .. } => self.set_link(at, to),
            Step::AddAddress { at, address } => self.add_address(at, address),
            Step::DelAddress { at, address } => self.del_address(at, address),
            Step::AddRoute { netns, route } => self.add_route(netns, route),
            Step::DelRoute { netns, route } => self.del_route(netns, route),
            Step::SetQdisc { at, from, to } => self.set_qdisc(at, from.as_ref(), to.as_ref()),
            Step::SetSysctl { netns, key, to, back, .. } => self.set_sysctl(netns, key, to, *back, journal),
            Step::AddNetns { netns, alias } => {
                self.add_netns(&[(netns, alias.as_str())], &mut |_| true).1.map_or(Ok(()), Err)
            }
            Step::DelNetns { netns } => self.del_netns(&[netns]).into_values().next().map_or(Ok(()), Err),
        }
    }

    fn add_address(&mut self, at: &LinkRef, address: &Address) -> Result<(), Error> {
        let index = self.index(at)?;
        self.request(&at.netns, Message::NewAddress(address.encode(index)), NEW)
    }

    fn del_address(&mut self, at: &LinkRef, address: &Address) -> Result<(), Error> {
        let index = self.index(at)?;
        let outcome = self.request(&at.netns, Message::DelAddress(address.encode(index)), 0);
        gone_is_gone(outcome, &[Errno::EADDRNOTAVAIL, Errno::ENODEV])
    }

    fn encode_route(&mut self, netns: &Label, route: &Route) -> Result<Message, Error> {
        for dev in route.hops.iter().filter_map(|hop| hop.dev) {
            self.index(&LinkRef::new(netns, dev))?;
        }
        let message = route.encode(&|dev| self.known_index(&LinkRef::new(netns, dev)));
        Ok(Message::NewRoute(message.expect("every hop's link was just looked up")))
    }

    fn add_route(&mut self, netns: &Label, route: &Route) -> Result<(), Error> {
        let message = self.encode_route(netns, route)?;
        self.request(netns, message, NEW)
    }

    fn del_route(&mut self, netns: &Label, route: &Route) -> Result<(), Error> {
        let Message::NewRoute(message) = self.encode_route(netns, route)? else { return Ok(()) };
        gone_is_gone(self.request(netns, Message::DelRoute(message), 0), &[Errno::ESRCH, Errno::ENODEV])
    }

    /// Another kind cannot take the place of one with the same handle: that one goes first.
    fn set_qdisc(&mut self, at: &LinkRef, from: Option<&Qdisc>, to: Option<&Qdisc>) -> Result<(), Error> {
        let index = i32::try_from(self.index(at)?).expect("the kernel's numbers are positive ints");
        let ours = from.filter(|from| !matches!(from, Qdisc::Other(_)));
        if ours.is_some_and(|from| to.is_none_or(|to| discriminant(from) != discriminant(to))) {
            let outcome = self.request(&at.netns, Message::DelQueueDiscipline(Qdisc::root(index)), 0);
            // EINVAL: what is at the root has another handle than ours.
            gone_is_gone(outcome, &[Errno::ENOENT, Errno::ENODEV, Errno::EINVAL])?;
        }
        match to.and_then(|to| to.encode(index)) {
            Some(message) => {
                self.request(&at.netns, Message::NewQueueDiscipline(message), NLM_F_CREATE | NLM_F_REPLACE)
            }
            None => Ok(()),
        }
    }

    fn set_sysctl(
        &mut self,
        label: &Label,
        key: &str,
        to: &str,
        back: bool,
        journal: &mut dyn Journal,
    ) -> Result<(), Error> {
        let netns = &self.open(label)?.netns;
        let record = |before: &str| if back { Ok(()) } else { journal.before(label, key, before) };
        match setting::write(netns, label, key, to, record) {
            // A link that is gone has no settings to put back.
            Err(Error::Sysctl { source, .. }) if back && source.kind() == io::ErrorKind::NotFound => {}
            Err(Error::NotSupported { .. }) if back => {}
            outcome => outcome?,
        }
        if back { journal.restored(label, key).map_err(Error::Journal) } else { Ok(()) }
    }
}

/// The answer to a deletion, where some answers mean that there is nothing to delete.
fn gone_is_gone(outcome: Result<(), Error>, gone: &[Errno]) -> Result<(), Error> {
    match outcome {
        Err(error) if error.errno().is_some_and(|errno| gone.contains(&errno)) => Ok(()),
        outcome => outcome,
    }
}
