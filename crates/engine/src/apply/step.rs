//! The steps that are one request each.

use std::{collections::BTreeMap, io, thread, time::Duration};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage as Message;
use nix::errno::Errno;

use super::{
    Journal,
    kernel::{Kernel, NEW},
};
use crate::{Address, Error, IfName, Label, LinkRef, Qdisc, Step, object::Held, setting};

impl Kernel<'_> {
    /// Does a step that is not done in a batch with others.
    pub(super) fn step(&mut self, step: &Step, journal: &mut dyn Journal) -> Result<(), Error> {
        match step {
            Step::AddLink(new) => self.add_link(new),
            Step::SetLink { at, to, .. } => self.set_link(at, to),
            Step::AddAddress { at, address } => self.add_address(at, address),
            Step::DelAddress { at, address } => self.del_address(at, address),
            Step::Add { netns, object } => self.add_object(netns, object.held()),
            Step::Del { netns, object } => self.del_object(netns, object.held()),
            Step::SetQdisc { at, from, to } => self.set_qdisc(at, from.as_ref(), to.as_ref()),
            Step::SetFirewall { netns, from, to } => self.set_firewall(netns, from.as_ref(), to.as_ref()),
            Step::SetSysctl { netns, key, to, back, .. } => self.set_sysctl(netns, key, to, *back, journal),
            Step::AddNetns { .. } | Step::DelNetns { .. } | Step::DelLink(_) => {
                unreachable!("batch.rs does these together, even where it is only one")
            }
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

    fn add_object(&mut self, netns: &Label, object: &dyn Held) -> Result<(), Error> {
        let indexes = self.indexes_of(netns, object)?;
        let add = |kernel: &mut Self| {
            object.add(&mut kernel.open(netns)?.socket, &|dev| indexes[&dev]).map_err(Error::netlink(netns))
        };
        for _ in 0..CARRIERS {
            match add(self) {
                Err(error) if waits_for_carrier(&error) => {}
                outcome => return outcome,
            }
            // Whoever asks for a link makes the kernel look at its carrier (since Linux 6.8); before, it takes up to a second.
            indexes.keys().try_for_each(|dev| self.look_up(&LinkRef::new(netns, *dev)).map(drop))?;
            thread::sleep(CARRIER);
        }
        add(self)
    }

    fn del_object(&mut self, netns: &Label, object: &dyn Held) -> Result<(), Error> {
        let indexes = match self.indexes_of(netns, object) {
            // It has gone with its link.
            Err(Error::UnknownLink { .. }) => return Ok(()),
            indexes => indexes?,
        };
        let outcome = object.del(&mut self.open(netns)?.socket, &|dev| indexes[&dev]);
        gone_is_gone(outcome.map_err(Error::netlink(netns)), &[Errno::ESRCH, Errno::ENODEV, Errno::ENOENT])
    }

    /// The numbers of the links that it names.
    fn indexes_of(&mut self, netns: &Label, object: &dyn Held) -> Result<BTreeMap<IfName, u32>, Error> {
        let devs = object.devs().into_iter();
        devs.map(|dev| Ok((dev, self.index(&LinkRef::new(netns, dev))?))).collect()
    }

    /// Another kind cannot take the place of one with the same handle: that one goes first.
    fn set_qdisc(&mut self, at: &LinkRef, from: Option<&Qdisc>, to: Option<&Qdisc>) -> Result<(), Error> {
        let index = i32::try_from(self.index(at)?).expect("the kernel's numbers are positive ints");
        let ours = from.filter(|from| !matches!(from, Qdisc::Other(_)));
        if let Some(from) = ours.filter(|from| to.is_none_or(|to| !to.replaces(from))) {
            let outcome = self.request(&at.netns, Message::DelQueueDiscipline(from.root(index)), 0);
            // EINVAL: what is at the root has another handle than ours.
            gone_is_gone(outcome, &[Errno::ENOENT, Errno::ENODEV, Errno::EINVAL])?;
        }
        let Some(message) = to.and_then(|to| to.encode(index, from)) else { return Ok(()) };
        const FLAGS: u16 = NLM_F_CREATE | NLM_F_REPLACE;
        let outcome = self.request(&at.netns, Message::NewQueueDiscipline(message), FLAGS);
        // The kernel says that it does not know the kind: ENOENT with modules that could have been loaded, else EOPNOTSUPP.
        match outcome.as_ref().map_err(Error::errno) {
            Err(Some(Errno::ENOENT | Errno::EOPNOTSUPP)) => {
                match to.and_then(|to| to.without_netem()?.encode(index, None)) {
                    Some(message) => self.request(&at.netns, Message::NewQueueDiscipline(message), FLAGS),
                    None => outcome,
                }
            }
            _ => outcome,
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

/// How often, and at which distance, a nexthop waits for the carrier of a link that has just come up.
const CARRIERS: u32 = 120;
const CARRIER: Duration = Duration::from_millis(10);

/// A nexthop is refused while its link has no carrier, which the kernel notices in its own time (linkwatch).
fn waits_for_carrier(error: &Error) -> bool {
    matches!(error, Error::Netlink { source, .. } if source.message().is_some_and(|text| text.contains("Carrier")))
}

/// The answer to a deletion, where some answers mean that there is nothing to delete.
fn gone_is_gone(outcome: Result<(), Error>, gone: &[Errno]) -> Result<(), Error> {
    match outcome {
        Err(error) if error.errno().is_some_and(|errno| gone.contains(&errno)) => Ok(()),
        outcome => outcome,
    }
}
