//! Being inside a namespace: for one closure, for one socket, for good. The invariant kept here: a thread never leaves
//! its namespace by accident.

use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::process::abort;
use std::thread;

use nix::sched::CloneFlags;

use crate::error::errno_of;
use crate::{Error, Netns, Result, sys};

impl Netns {
    /// Runs `f` inside, on a thread of its own that ends afterwards. A panic of `f` goes on in the caller.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        on_own_thread(|| {
            self.enter()?;
            Ok(f())
        })
    }

    /// Opens a socket inside, closed on exec: `socket(domain, kind, protocol)`. It stays in that namespace.
    ///
    /// The calling thread goes there and back. Should the way back fail, the process ends: code that runs on in the
    /// wrong namespace would change the wrong machine. Where it is in that namespace already it stays, which needs no
    /// right.
    pub fn open_socket(&self, domain: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> Result<OwnedFd> {
        let home = Netns::current()?;
        if home.inode()? == self.inode()? {
            return sys::socket(domain, kind, protocol).map_err(|errno| Error::Socket { errno });
        }
        self.enter()?;
        let socket = sys::socket(domain, kind, protocol);
        go_home(&home);
        socket.map_err(|errno| Error::Socket { errno })
    }

    /// Moves the calling thread into the namespace for good. For a thread that ends or executes a program next.
    #[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are switched")]
    pub fn enter(&self) -> Result<()> {
        nix::sched::setns(self, CloneFlags::CLONE_NEWNET).map_err(|errno| Error::Enter { errno })
    }
}

/// Moves the calling thread into a namespace that is made for it.
#[expect(clippy::disallowed_methods, reason = "this crate is where namespaces are made")]
pub(crate) fn enter_new() -> Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| Error::Create { errno })
}

/// Runs `f`, which may switch namespaces, on a thread of its own.
///
/// The thread goes back to where it came from before it ends: a join returns before the kernel has dropped the
/// thread's namespace, so that a namespace could seem to be in use for a moment after we have left it.
pub(crate) fn on_own_thread<T: Send>(f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let work = || {
        let home = Netns::current()?;
        let result = f();
        // Nothing else runs on this thread, so that a failure here harms nobody.
        home.enter().ok();
        result
    };
    thread::scope(|scope| {
        let started = thread::Builder::new().name("wireloom-netns".into()).spawn_scoped(scope, work);
        let running = started.map_err(|e| Error::Thread { errno: errno_of(&e) })?;
        running.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn go_home(home: &Netns) {
    if let Err(error) = home.enter() {
        tracing::error!(%error, "a thread cannot go back to its network namespace, so the process ends");
        abort();
    }
}
