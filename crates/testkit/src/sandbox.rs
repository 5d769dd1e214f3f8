//! One test, one machine: a thread with a network and a mount namespace of its own, and an empty /run.
//! Everything that the closure starts inherits both, and the kernel takes all of it away with the last user.
//! Deliberately sets up no links and no addresses: not even lo is up.

use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Runs `f` on a thread of its own, in a network namespace with a down lo and nothing else, and a mount namespace
/// whose /run is an empty tmpfs; like `unshare --net --mount sh -c 'mount -t tmpfs tmpfs /run; …'`.
///
/// Threads and processes that `f` starts inherit both namespaces; a panic in `f` is passed on.
///
/// # Panics
/// When the namespaces cannot be made (not root), and when `f` panics.
pub fn sandbox<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let machine = || {
        enter_fresh_machine();
        f()
    };
    // The test harness names a test's thread after the test: panics and counted skips inside keep that name.
    let name = thread::current().name().unwrap_or("sandbox").to_owned();
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name).spawn_scoped(scope, machine).expect("start a thread");
        thread.join()
    })
    .unwrap_or_else(|cause| resume_unwind(cause))
}

/// Switches the calling thread, and nobody else, to new namespaces.
#[expect(clippy::disallowed_methods, reason = "a test's own machine; wireloom-netns is among the things under test")]
fn enter_fresh_machine() {
    // CLONE_NEWNS implies CLONE_FS: the thread's root and working directory are its own from here on.
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("make namespaces, which needs root");
    let none: Option<&Path> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("make / rprivate");
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755"))
        .expect("mount a tmpfs on /run");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The calling thread's network namespace, as the kernel names it.
    fn own_netns() -> String {
        fs::read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
    }

    #[test]
    fn the_closure_runs_on_another_machine_and_its_threads_too() {
        let outside = own_netns();
        let (inside, child) = sandbox(|| (own_netns(), thread::spawn(own_netns).join().unwrap()));
        assert_ne!(inside, outside);
        assert_eq!(inside, child);
        assert_eq!(own_netns(), outside);
    }

    #[test]
    fn run_is_empty_inside_and_untouched_outside() {
        let marker = "/run/wireloom-testkit-marker";
        sandbox(|| {
            assert_eq!(fs::read_dir("/run").unwrap().count(), 0);
            fs::write(marker, "").unwrap();
        });
        assert!(!Path::new(marker).exists());
    }

    #[test]
    fn the_thread_keeps_the_tests_name() {
        let outside = thread::current().name().map(str::to_owned);
        assert_eq!(sandbox(|| thread::current().name().map(str::to_owned)), outside);
    }

    #[test]
    #[should_panic(expected = "the test's own words")]
    fn a_panic_inside_is_the_tests_panic() {
        sandbox(|| panic!("the test's own words"));
    }
}
