//! Waiting until things are so: files, commands, connections, interfaces. Sleeps between two looks, and looks at once when
//! what it waits for tells of itself. Needs no topology and no rights.

mod interface;
mod resolve;
mod simple;

use std::{
    os::fd::BorrowedFd,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use self::{
    interface::{Interface, Wanted},
    simple::{Connects, FileThere, Succeeds},
};

/// Something that is waited for.
pub trait Awaited {
    /// What is still missing, in words; nothing once it is so.
    fn missing(&mut self) -> Option<String>;

    /// Readable when it is worth looking again before the pause is over.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// Between two looks.
    fn pause(&self) -> Duration;
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// All is so. Each was at some time; which one still is has not been looked at again.
    Done,
    /// The time is over; these were missing at the end.
    Late(Vec<String>),
    /// It was told to stop.
    Stopped(Vec<String>),
}

/// One of many, its next look, and what was missing at the last one.
struct Line<'a> {
    awaited: &'a mut dyn Awaited,
    next: Instant,
    missing: String,
}

/// Waits until each of them was so once, until `deadline`, or until `stop` is set, which `wake` tells.
pub fn wait_for(
    all: &mut [Box<dyn Awaited + '_>],
    deadline: Option<Instant>,
    stop: &AtomicBool,
    wake: BorrowedFd<'_>,
) -> Waited {
    let start = Instant::now();
    let line = |awaited| Line { awaited, next: start, missing: String::new() };
    let mut lines: Vec<_> = all.iter_mut().map(|awaited| line(&mut **awaited as &mut dyn Awaited)).collect();
    loop {
        lines.retain_mut(|line| line.next > Instant::now() || line.is_missing());
        let missing = || lines.iter().map(|line| line.missing.clone()).collect();
        if lines.is_empty() {
            return Waited::Done;
        }
        if stop.load(Ordering::Relaxed) {
            return Waited::Stopped(missing());
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Waited::Late(missing());
        }
        sleep(&mut lines, deadline, wake);
    }
}

impl Line<'_> {
    fn is_missing(&mut self) -> bool {
        match self.awaited.missing() {
            Some(missing) => (self.missing, self.next) = (missing, Instant::now() + self.awaited.pause()),
            None => return false,
        }
        true
    }
}

/// Until it is time to look at one of them; who tells of himself is looked at first.
fn sleep(lines: &mut [Line<'_>], deadline: Option<Instant>, wake: BorrowedFd<'_>) {
    let until = lines.iter().map(|line| line.next).chain(deadline).min();
    let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
    // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
    let timeout = PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX);
    let (mut all, mut owners) = (vec![PollFd::new(wake, PollFlags::POLLIN)], Vec::new());
    for (number, line) in lines.iter().enumerate() {
        let of_line = line.awaited.descriptors();
        owners.extend(of_line.iter().map(|_| number));
        all.extend(of_line.into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
    }
    // Interrupted or refused: then it is looked at when its time has come.
    let ready = poll(&mut all, timeout).unwrap_or(0);
    let told = all[1..].iter().map(|fd| ready > 0 && fd.any().unwrap_or(false));
    let told: Vec<_> = owners.into_iter().zip(told).filter(|(_, told)| *told).map(|(number, _)| number).collect();
    let now = Instant::now();
    told.into_iter().for_each(|number| lines[number].next = now);
}
