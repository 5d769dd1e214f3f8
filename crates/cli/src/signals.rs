//! SIGINT and SIGTERM: the first asks us to stop cleanly, the second ends us at once. Does not know what is stopped.

use std::{
    io,
    os::unix::net::UnixStream,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
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

/// The same, and a descriptor that is readable from then on, for who waits in poll().
pub(crate) fn catch_awake() -> Result<(Arc<AtomicBool>, UnixStream), Failure> {
    // The flag first: who is woken finds it set.
    let cancelled = catch()?;
    let wake = || -> io::Result<UnixStream> {
        let (wake, end) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            pipe::register(signal, end.try_clone()?)?;
        }
        Ok(wake)
    };
    Ok((cancelled, wake().map_err(Failure::Signals)?))
}
