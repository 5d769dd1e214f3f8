//! [`Capture`]: many taps into one file, until enough was seen or nothing is left to look at. Sleeps while nothing comes.

use std::{
    io::Write,
    os::fd::{AsFd, BorrowedFd},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use serde::Serialize;
use wireloom_netns::Doorbell;

use crate::{
    Error, Result,
    pcapng::{Counts, Interface, Writer},
    tap::{Read, Tap},
};

/// Packets of one interface before another one gets its turn, and before readers see them.
const BATCH: usize = 64;
/// How often an interface that is down is looked for: the kernel does not tell us when it goes for good.
const LOOK: Duration = Duration::from_millis(250);

/// What is captured, where to, and for how long.
pub struct Capture<'a, W> {
    /// The interfaces.
    pub taps: Vec<Tap>,
    /// Gets whole blocks, and is flushed when there are no more for now.
    pub out: W,
    /// Where `out` ends: a reader that has gone is noticed there.
    pub reader: Option<BorrowedFd<'a>>,
    /// At most so many packets.
    pub count: Option<u64>,
    /// At most for so long.
    pub time: Option<Duration>,
    /// Set when it is to end.
    pub stop: &'a AtomicBool,
    /// Readable when `stop` may have been set.
    pub wake: BorrowedFd<'a>,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// As many packets as were wanted.
    Count,
    /// The time is over.
    Time,
    /// It was told to.
    Stopped,
    /// No interface is left.
    Gone,
    /// Nobody reads any more.
    Unread,
}

/// What was captured on one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What people call the namespace.
    pub node: String,
    /// The interface.
    pub name: String,
    /// Packets written.
    pub packets: u64,
    /// How long they were.
    pub bytes: u64,
    /// Packets that the kernel had no room for, because they came faster than they were written.
    pub dropped: u64,
    /// Why nothing comes from it any more, where it went before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<&'static str>,
}

/// A tap, until it is gone, and its counts.
struct Line {
    tap: Option<Tap>,
    is_down: bool,
    begin: Duration,
    tally: Tally,
}

impl<W: Write> Capture<'_, W> {
    /// Captures; `tell` is told when an interface goes before the end.
    ///
    /// # Errors
    /// Packets cannot be read or written.
    pub fn run(self, program: &str, tell: &mut dyn FnMut(&Tally)) -> Result<(Ended, Vec<Tally>)> {
        let mut writer = Writer::begin(self.out, program).map_err(Error::Write)?;
        let mut bell = Doorbell::new().map_err(|source| Error::Netns { at: "all".to_owned(), source })?;
        for tap in &self.taps {
            let at = || tap.place().name();
            bell.add(&tap.place().path).map_err(|source| Error::Netns { at: at(), source })?;
            begin(&mut writer, tap).map_err(Error::Write)?;
        }
        writer.flush().map_err(Error::Write)?;
        let lines = self.taps.into_iter().map(Line::new).collect();
        let deadline = self.time.map(|time| Instant::now() + time);
        let mut run = Run { writer, lines, left: self.count.unwrap_or(u64::MAX), tell };
        let ended = loop {
            if self.stop.load(Ordering::Relaxed) {
                // What came before is in the file.
                run.read_all()?;
                break Ended::Stopped;
            }
            if run.left == 0 {
                break Ended::Count;
            }
            if run.lines.iter().all(|line| line.tap.is_none()) {
                break Ended::Gone;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                run.read_all()?;
                break Ended::Time;
            }
            if run.wait(&bell, self.wake, self.reader, deadline)? {
                break Ended::Unread;
            }
            run.read_all()?;
            let rung = bell.has_rung();
            run.look(rung)?;
        };
        run.finish().map(|tallies| (ended, tallies))
    }
}

fn begin<W: Write>(writer: &mut Writer<W>, tap: &Tap) -> std::io::Result<()> {
    let place = tap.place();
    let name = place.name();
    let description = format!("interface {} of node {}", place.ifname, place.node);
    writer.interface(&Interface {
        name: &name,
        description: &description,
        comment: &place.comment,
        link_type: tap.link_type,
        snaplen: tap.snaplen(),
    })
}

struct Run<'a, W> {
    writer: Writer<W>,
    lines: Vec<Line>,
    /// How many packets may still come.
    left: u64,
    tell: &'a mut dyn FnMut(&Tally),
}

impl<W: Write> Run<'_, W> {
    /// Until there is something to do; true when nobody reads any more.
    fn wait(
        &self,
        bell: &Doorbell,
        wake: BorrowedFd<'_>,
        reader: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> Result<bool> {
        let taps = self.lines.iter().filter_map(|line| line.tap.as_ref()).map(|tap| tap.as_fd());
        let inputs = bell.descriptors().chain([wake]).chain(taps).map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        // Of the reader only that it has gone is of interest, and poll() tells that unasked.
        let mut all: Vec<_> = reader.map(|fd| PollFd::new(fd, PollFlags::empty())).into_iter().chain(inputs).collect();
        let look = self.lines.iter().any(|line| line.is_down && line.tap.is_some()).then_some(LOOK);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // poll() counts in milliseconds: what is left of one is a whole one, or we would spin at its end.
        let timeout = look.into_iter().chain(left).min().map_or(PollTimeout::NONE, |time| {
            PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut all, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::Wait(errno)),
        }
        let gone = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        Ok(reader.is_some() && all.first().is_some_and(gone))
    }

    /// Reads a batch of every interface that has packets.
    fn read_all(&mut self) -> Result<()> {
        for number in 0..self.lines.len() {
            self.read(number)?;
        }
        self.writer.flush().map_err(Error::Write)
    }

    fn read(&mut self, number: usize) -> Result<()> {
        let Line { tap: Some(tap), is_down, tally, .. } = &mut self.lines[number] else { return Ok(()) };
        let interface = u32::try_from(number).unwrap_or(u32::MAX);
        for _ in 0..BATCH {
            if self.left == 0 {
                break;
            }
            match tap.read()? {
                Read::Packet(packet) => {
                    (*is_down, self.left) = (false, self.left - 1);
                    tally.packets += 1;
                    tally.bytes += packet.length as u64;
                    self.writer.packet(interface, &packet).map_err(Error::Write)?;
                }
                Read::Passed => {}
                Read::Nothing => break,
                Read::Down => *is_down = true,
            }
        }
        Ok(())
    }

    /// Lets go of interfaces that are gone: those that are down, and all when a namespace may have lost its name.
    fn look(&mut self, all: bool) -> Result<()> {
        for number in 0..self.lines.len() {
            let line = &self.lines[number];
            let gone = line.tap.as_ref().filter(|_| all || line.is_down).and_then(Tap::is_gone);
            if gone.is_some() {
                // What came before it went is still to be read.
                self.read(number)?;
                self.close(number)?;
                self.writer.flush().map_err(Error::Write)?;
                self.lines[number].tally.gone = gone;
                (self.tell)(&self.lines[number].tally);
            }
        }
        Ok(())
    }

    /// Writes the counts of an interface, and lets go of it.
    fn close(&mut self, number: usize) -> Result<()> {
        let line = &mut self.lines[number];
        let Some(tap) = line.tap.take() else { return Ok(()) };
        let (received, dropped) = tap.statistics();
        line.tally.dropped = dropped;
        let counts = Counts { begin: line.begin, end: now(), received, dropped };
        self.writer.statistics(u32::try_from(number).unwrap_or(u32::MAX), &counts).map_err(Error::Write)
    }

    fn finish(mut self) -> Result<Vec<Tally>> {
        (0..self.lines.len()).try_for_each(|number| self.close(number))?;
        self.writer.flush().map_err(Error::Write)?;
        Ok(self.lines.into_iter().map(|line| line.tally).collect())
    }
}

impl Line {
    fn new(tap: Tap) -> Line {
        let (node, name) = (tap.place().node.clone(), tap.place().ifname.clone());
        let tally = Tally { node, name, packets: 0, bytes: 0, dropped: 0, gone: None };
        Line { tap: Some(tap), is_down: false, begin: now(), tally }
    }
}

/// Since 1970, as packets have it.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
