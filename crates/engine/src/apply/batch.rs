//! Steps that are done together because that is faster: namespaces in bulk, and deletions of links side by side, whose
//! wait of 16 to 20 ms each lies outside of the kernel's lock.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkMessage},
};
use nix::errno::Errno;
use wireloom_netlink::Socket;

use super::{Journal, kernel::Kernel};
use crate::{Error, Label, NewLink, Source, Step, observe};

/// Deletions at a time, for each processor: they wait, they do not work.
const WAITING: usize = 32;

/// Neighbouring steps of one kind.
pub(super) enum Batch<'a> {
    AddNetns(&'a [Step]),
    DelNetns(&'a [Step]),
    DelLinks(&'a [Step]),
    Each(&'a [Step]),
}

/// Which of a batch's steps are done, and the first that failed.
pub(super) struct Outcome {
    pub(super) done: Vec<usize>,
    pub(super) failed: Option<(usize, Error)>,
}

impl<'a> Batch<'a> {
    pub(super) fn split(steps: &'a [Step]) -> impl Iterator<Item = Batch<'a>> {
        let together = |step: &Step| matches!(step, Step::AddNetns { .. } | Step::DelNetns { .. } | Step::DelLink(_));
        let alike = move |a: &Step, b: &Step| {
            std::mem::discriminant(a) == std::mem::discriminant(b) || !(together(a) || together(b))
        };
        steps.chunk_by(alike).map(|steps| match steps[0] {
            Step::AddNetns { .. } => Batch::AddNetns(steps),
            Step::DelNetns { .. } => Batch::DelNetns(steps),
            Step::DelLink(_) => Batch::DelLinks(steps),
            _ => Batch::Each(steps),
        })
    }

    pub(super) fn steps(&self) -> &'a [Step] {
        match self {
            Batch::AddNetns(steps) | Batch::DelNetns(steps) | Batch::DelLinks(steps) | Batch::Each(steps) => steps,
        }
    }

    pub(super) fn run(
        &self,
        kernel: &mut Kernel<'_>,
        journal: &mut dyn Journal,
        cancelled: &AtomicBool,
        report: &mut dyn FnMut(usize),
    ) -> Outcome {
        match self {
            Batch::AddNetns(steps) => add_netns(kernel, steps, cancelled, report),
            Batch::DelNetns(steps) => del_netns(kernel, steps, report),
            Batch::DelLinks(steps) => del_links(kernel, steps, report),
            Batch::Each(steps) => each(kernel, steps, journal, cancelled, report),
        }
    }
}

fn each(
    kernel: &mut Kernel<'_>,
    steps: &[Step],
    journal: &mut dyn Journal,
    cancelled: &AtomicBool,
    report: &mut dyn FnMut(usize),
) -> Outcome {
    for (at, step) in steps.iter().enumerate() {
        let stop = cancelled.load(Ordering::Relaxed);
        let outcome = if stop { None } else { Some(kernel.step(step, journal)) };
        let Some(Ok(())) = outcome else {
            let failed = outcome.and_then(Result::err).map(|error| (at, error));
            return Outcome { done: (0..at).collect(), failed };
        };
        report(at + 1);
    }
    Outcome { done: (0..steps.len()).collect(), failed: None }
}

fn add_netns(
    kernel: &mut Kernel<'_>,
    steps: &[Step],
    cancelled: &AtomicBool,
    report: &mut dyn FnMut(usize),
) -> Outcome {
    let wanted = steps.iter().filter_map(|step| match step {
        Step::AddNetns { netns, alias } => Some((netns, alias.as_str())),
        _ => None,
    });
    let (done, error) = kernel.add_netns(&wanted.collect::<Vec<_>>(), &mut |done| {
        report(done);
        !cancelled.load(Ordering::Relaxed)
    });
    Outcome { done: (0..done).collect(), failed: error.map(|error| (done, error)) }
}

fn del_netns(kernel: &mut Kernel<'_>, steps: &[Step], report: &mut dyn FnMut(usize)) -> Outcome {
    let netns = steps.iter().filter_map(|step| match step {
        Step::DelNetns { netns } => Some(netns),
        _ => None,
    });
    let mut failed = kernel.del_netns(&netns.collect::<Vec<_>>());
    report(steps.len());
    let done = (0..steps.len()).filter(|at| !failed.contains_key(at)).collect();
    Outcome { done, failed: failed.pop_first() }
}

fn del_links(kernel: &mut Kernel<'_>, steps: &[Step], report: &mut dyn FnMut(usize)) -> Outcome {
    let gone = steps.iter().filter_map(|step| match step {
        Step::DelLink(gone) => Some(gone),
        _ => None,
    });
    let gone: Vec<&NewLink> = gone.collect();
    let sources: BTreeMap<&Label, &Source> =
        gone.iter().filter_map(|gone| Some((&gone.at.netns, kernel.source(&gone.at.netns).ok()?))).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(gone) = gone.get(at) else { return };
            if let Err(error) = del_link(gone, sources.get(&gone.at.netns).copied()) {
                failures.lock().expect("no thread panics while it holds this").insert(at, error);
            }
        }
    };
    let threads = WAITING * thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        (0..threads.min(gone.len())).for_each(|_| drop(scope.spawn(work)));
    });
    for end in gone.iter().flat_map(|gone| [Some(*gone), gone.peer.as_deref()]).flatten() {
        kernel.forget(&end.at);
    }
    report(steps.len());
    let mut failures = failures.into_inner().expect("no thread panicked");
    let done = (0..steps.len()).filter(|at| !failures.contains_key(at)).collect();
    Outcome { done, failed: failures.pop_first() }
}

/// By name, and only if it is the link that was meant: since it was observed, its number or its name may have been
/// given to another. A link or a namespace that is gone already is gone.
fn del_link(gone: &NewLink, source: Option<&Source>) -> Result<(), Error> {
    let label = &gone.at.netns;
    let Some(netns) = source.map(|source| observe::open(label, source)).transpose()?.flatten() else { return Ok(()) };
    let mut socket = Socket::open(&netns).map_err(Error::netlink(label))?;
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(gone.at.ifname.to_string()));
    let found = match socket.get(Message::GetLink(message)).map_err(Error::netlink(label))? {
        Some(Message::NewLink(found)) if is_meant(gone, &found) => found.header.index,
        _ => return Ok(()),
    };
    let mut message = LinkMessage::default();
    message.header.index = found;
    match socket.request(Message::DelLink(message), 0) {
        Err(error) if error.errno() == Some(Errno::ENODEV) => Ok(()),
        outcome => outcome.map_err(Error::netlink(label)),
    }
}

fn is_meant(gone: &NewLink, found: &LinkMessage) -> bool {
    let group = found.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Group(group) => Some(*group),
        _ => None,
    });
    gone.link.group.is_none() || gone.link.group == group
}
