//! Many namespaces at once. Does not know what they are for.

use std::io;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SendError, SyncSender, sync_channel};
use std::thread::{self, available_parallelism};

use crate::directory::{NameFile, path_of, prepare_directory, remove};
use crate::enter::{enter_new, on_own_thread};
use crate::{Error, Netns, Result};

/// How many namespaces may be made ahead of the caller. Each is an open descriptor.
const AHEAD: usize = 64;

/// Makes many namespaces quickly, on one thread of its own, and hands them to the caller as they come.
///
/// `inside` runs in each new namespace, on that other thread: the place to write its sysctls. When it fails, that
/// namespace is not made, and `each` is told.
///
/// `each` runs on the calling thread, once for every name, in their order. After a `Break` no more are made, and those
/// that were made ahead (a few dozen at most) are removed again.
pub fn create_many(
    names: impl Iterator<Item = String> + Send,
    inside: impl Fn(&str) -> io::Result<()> + Send,
    mut each: impl FnMut(&str, Result<Netns>) -> ControlFlow<()>,
) -> Result<()> {
    prepare_directory()?;
    let (sender, made) = sync_channel::<(String, Result<Netns>)>(AHEAD);
    let enough = AtomicBool::new(false);
    let names = names.take_while(|_| !enough.load(Ordering::Relaxed));
    thread::scope(|scope| {
        let maker = scope.spawn(move || on_own_thread(move || make(names, inside, &sender)));
        for (name, netns) in made {
            if enough.load(Ordering::Relaxed) {
                forget(&name, netns);
            } else if each(&name, netns).is_break() {
                enough.store(true, Ordering::Relaxed);
            }
        }
        maker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn make(
    names: impl Iterator<Item = String>,
    inside: impl Fn(&str) -> io::Result<()>,
    sender: &SyncSender<(String, Result<Netns>)>,
) -> Result<()> {
    for name in names {
        let netns = create_here(&name, &inside);
        // Nobody listens any more when `each` has panicked.
        if let Err(SendError((name, netns))) = sender.send((name, netns)) {
            forget(&name, netns);
            break;
        }
    }
    Ok(())
}

/// Removes a namespace that was made and is not wanted after all.
fn forget(name: &str, netns: Result<Netns>) {
    if netns.is_ok()
        && let Err(error) = remove(name)
    {
        tracing::warn!(%error, "a namespace that was made ahead stays behind");
    }
}

/// Makes a namespace and leaves the calling thread in it.
fn create_here(name: &str, inside: impl Fn(&str) -> io::Result<()>) -> Result<Netns> {
    let file = NameFile::reserve(name, path_of(name)?)?;
    enter_new()?;
    inside(name).map_err(|e| Error::Inside { name: name.to_owned(), reason: e.to_string() })?;
    let netns = Netns::current()?;
    file.mount(&netns)?;
    Ok(netns)
}

/// Takes the names of many namespaces away, on several threads: each removal waits for the kernel's other processors,
/// and these waits overlap. Goes on after a failure and returns all that failed; a name that is not there is no failure.
pub fn remove_many(names: &[impl AsRef<str> + Sync]) -> Vec<(String, Error)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            match remove(name.as_ref()) {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => failed.push((name.as_ref().to_owned(), error)),
            }
        }
        failed
    };
    let threads = 4 * available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads.min(names.len())).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|p| resume_unwind(p))).collect()
    })
}
