//! What wakes a watch: the kernel's events in the namespaces of a topology, names of namespaces that come or go, files,
//! and signals. Sleeps without a timer while there is nothing. An event only says "look again".

use std::{
    io::Read as _,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use wireloom_engine::State;
use wireloom_netns::Doorbell;

use super::{files::Files, posts::Posts};
use crate::{failure::Failure, place};

/// After the first event, those that belong to it come within this time: a link tells of its addresses and routes.
const QUIET: Duration = Duration::from_millis(1);
/// But nobody who never stops makes us wait longer.
const PATIENCE: Duration = Duration::from_millis(20);

/// Why it woke.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// Something changed in a namespace.
    pub(crate) kernel: bool,
    /// A namespace may have come or gone.
    pub(crate) names: bool,
    /// A document may have changed.
    pub(crate) files: bool,
    /// When the first of it was there.
    pub(crate) at: Option<Instant>,
}

/// Sleeps until there is something to look at.
pub(crate) struct Sentinel {
    posts: Posts,
    bell: Doorbell,
    files: Files,
    wake: UnixStream,
}

impl Sentinel {
    /// Of these files, and of signals.
    pub(crate) fn new(files: Files, wake: UnixStream) -> Result<Sentinel, Failure> {
        wake.set_nonblocking(true).map_err(Failure::Signals)?;
        Ok(Sentinel { posts: Posts::default(), bell: Doorbell::new()?, files, wake })
    }

    /// Listens in the namespaces of a state, as far as they are there now, and in no other.
    pub(crate) fn follow(&mut self, state: &State) -> Result<(), Failure> {
        let sources = state.namespaces.iter().map(|(label, netns)| (label, &netns.source));
        sources.clone().try_for_each(|(_, source)| self.bell.add(&place::path(source)))?;
        self.posts.follow(sources)
    }

    /// Sleeps until something happens, or for that long, and then until it is quiet for a moment.
    pub(crate) fn sleep(&mut self, timeout: Option<Duration>) -> Result<Woken, Failure> {
        let mut woken = Woken::default();
        self.poll(timeout)?;
        let first = Instant::now();
        self.collect(&mut woken)?;
        while woken.kernel && first.elapsed() < PATIENCE && self.poll(Some(QUIET))? {
            self.collect(&mut woken)?;
        }
        woken.at = (woken.kernel || woken.names || woken.files).then_some(first);
        Ok(woken)
    }

    /// Forgets names that came and went: those that we have made and taken back ourselves.
    pub(crate) fn forget_names(&mut self) {
        self.bell.has_rung();
    }

    /// True when there is something.
    fn poll(&self, timeout: Option<Duration>) -> Result<bool, Failure> {
        let all =
            self.posts.descriptors().chain(self.bell.descriptors()).chain([self.files.as_fd(), self.wake.as_fd()]);
        wait(all, timeout)
    }

    fn collect(&mut self, woken: &mut Woken) -> Result<(), Failure> {
        woken.kernel |= self.posts.were_told()?;
        woken.names |= self.bell.has_rung();
        woken.files |= self.files.have_changed();
        // Signals have set their flags.
        while self.wake.read(&mut [0; 64]).is_ok_and(|bytes| bytes > 0) {}
        Ok(())
    }
}

/// Waits until one of them is readable; false when the time is over. Without a time it waits for ever.
pub(crate) fn wait<'a>(all: impl Iterator<Item = BorrowedFd<'a>>, timeout: Option<Duration>) -> Result<bool, Failure> {
    let mut all: Vec<_> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
    let timeout = timeout.map_or(PollTimeout::NONE, |time| {
        PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut all, timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(true),
        Err(errno) => Err(Failure::Signals(errno.into())),
    }
}
