//! SIGINT and SIGTERM: the first asks us to stop cleanly, the second ends us at once. Does not know what is stopped.

use std::{
    io,
    os::unix::net::UnixStream,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    low_level::pipe,
};

use crate::failure::Failure;

/// What a shell says of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// A flag that is set from the first signal on.
pub(crate) fn catch() -> Result<Arc<AtomicBool>, Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let register = |signal| -> io::Result<()> {
        // The handlers run in this order, so the first signal finds the flag unset.
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&cancelled))?;
        flag::register(signal, Arc::clone(&cancelled))?;
        Ok(())
    };
    [SIGINT, SIGTERM].into_iter().try_for_each(register).map_err(Failure::Signals)?;
    Ok(cancelled)
}

/// Flags, and a descriptor that is readable when one may have been set, for who waits in poll().
pub(crate) struct Awake {
    /// Set by SIGINT and SIGTERM.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) wake: UnixStream,
    end: UnixStream,
}

/// The same, for who waits in poll().
pub(crate) fn catch_awake() -> Result<Awake, Failure> {
    // The flag first: who is woken finds it set.
    let stop = catch()?;
    let (wake, end) = UnixStream::pair().map_err(Failure::Signals)?;
    let awake = Awake { stop, wake, end };
    [SIGINT, SIGTERM].into_iter().try_for_each(|signal| awake.wake_on(signal)).map_err(Failure::Signals)?;
    Ok(awake)
}

impl Awake {
    /// A flag that SIGHUP sets.
    pub(crate) fn on_hangup(&self) -> Result<Arc<AtomicBool>, Failure> {
        let told = Arc::new(AtomicBool::new(false));
        let registered = flag::register(SIGHUP, Arc::clone(&told)).and_then(|_| self.wake_on(SIGHUP));
        registered.map_err(Failure::Signals).map(|()| told)
    }

    fn wake_on(&self, signal: i32) -> io::Result<()> {
        pipe::register(signal, self.end.try_clone()?).map(drop)
    }
}
