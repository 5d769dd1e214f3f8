//! The lock between two processes, and between two ledgers of one process.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tempfile::TempDir;
use wireloom_ledger::{Error, Holder, Ledger};

fn open(directory: &TempDir) -> Ledger {
    Ledger::open_in(&directory.path().join("run"), &"t".parse().unwrap()).unwrap()
}

/// Another process that locks the file as we do, says who it is, and keeps it.
#[expect(clippy::disallowed_methods, reason = "a second process is what this is about")]
fn other_process(lock: &Path) -> Child {
    let script =
        "exec 9<>\"$0\"; flock 9; printf '{\"pid\":%d,\"verb\":\"down\"}' $$ >&9; echo locked; exec sleep 1000";
    let mut command = Command::new("sh");
    let mut child = command.args(["-ec", script]).arg(lock).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    child
}

#[test]
fn the_lock_of_a_process_ends_with_it_however_it_ends() {
    let directory = TempDir::new().unwrap();
    let ledger = open(&directory);
    drop(ledger.lock("up", &AtomicBool::new(false), |_| panic!("nobody has it")).unwrap());
    let mut child = other_process(&directory.path().join("run/t/lock"));
    let pid = child.id();
    let mut told = None;
    let lock = ledger.lock("up", &AtomicBool::new(false), |holder| {
        told = Some(holder.clone());
        child.kill().unwrap();
    });
    lock.unwrap();
    child.wait().unwrap();
    assert_eq!(told, Some(Holder { pid, verb: "down".into() }));
}

#[test]
fn a_waiter_that_is_cancelled_does_not_get_it() {
    let directory = TempDir::new().unwrap();
    let _lock = open(&directory).lock("up", &AtomicBool::new(false), |_| ()).unwrap();
    let cancelled = AtomicBool::new(false);
    let told = AtomicUsize::new(0);
    let result = open(&directory).lock("down", &cancelled, |holder| {
        assert_eq!(holder.pid, std::process::id());
        told.fetch_add(1, Ordering::Relaxed);
        cancelled.store(true, Ordering::Relaxed);
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    assert_eq!(told.into_inner(), 1);
}

#[test]
fn who_waited_while_the_ledger_was_removed_has_the_lock_that_others_see() {
    let directory = TempDir::new().unwrap();
    let (waits, waiting) = mpsc::channel();
    let first = open(&directory).lock("down", &AtomicBool::new(false), |_| ()).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let ledger = open(&directory);
            ledger.lock("up", &AtomicBool::new(false), move |_| waits.send(()).unwrap()).unwrap()
        });
        waiting.recv().unwrap();
        open(&directory).remove().unwrap();
        drop(first);
        let second = second.join().unwrap();
        let cancelled = AtomicBool::new(false);
        let third = open(&directory).lock("up", &cancelled, |_| cancelled.store(true, Ordering::Relaxed));
        assert!(matches!(third, Err(Error::Cancelled { .. })), "{third:?}");
        drop(second);
    });
}

#[test]
fn only_one_of_many_has_it_at_a_time_though_each_removes_the_ledger() {
    let directory = TempDir::new().unwrap();
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let ledger = open(&directory);
                    let lock = ledger.lock("up", &AtomicBool::new(false), |_| ()).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    fs::write(ledger.log_path(&"r1".parse().unwrap(), 0), "x").unwrap();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    ledger.remove().unwrap();
                    drop(lock);
                }
            });
        }
    });
}
