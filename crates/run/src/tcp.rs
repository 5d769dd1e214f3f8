//! Whether a TCP port answers: a connection from inside the namespace, closed at once. Sends no data.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use nix::errno::Errno;
use wireloom_netns::Netns;

use crate::{Outcome, Why, neighbour::silent_hop};

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Connects from the namespace, and waits up to `timeout` for that.
pub fn tcp(netns: &Netns, address: SocketAddr, timeout: Duration) -> Outcome {
    let connect = || {
        let start = Instant::now();
        TcpStream::connect_timeout(&address, timeout).map(|_| start.elapsed())
    };
    match netns.run(connect) {
        Err(error) => Outcome::untried("connect", error),
        Ok(Ok(rtt)) => Outcome::Reached { rtt, answered: 1, tried: 1 },
        Ok(Err(error)) => failed(netns, &error, address, timeout),
    }
}

/// The same, tried again and again while `timeout` lasts: a server that was just started needs a moment to listen.
pub fn tcp_until(netns: &Netns, address: SocketAddr, timeout: Duration) -> Outcome {
    let start = Instant::now();
    let mut told = None;
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return told.unwrap_or(Outcome::Failed(Why::Timeout(timeout)));
        }
        match tcp(netns, address, left) {
            Outcome::Failed(Why::Timeout(_)) => (),
            Outcome::Failed(why) => told = Some(Outcome::Failed(why)),
            other => return other,
        }
        thread::sleep(PAUSE.min(timeout.saturating_sub(start.elapsed())));
    }
}

fn failed(netns: &Netns, error: &io::Error, address: SocketAddr, timeout: Duration) -> Outcome {
    let silence = |otherwise| Outcome::Failed(silent_hop(netns, address.ip()).map_or(otherwise, Why::NoNeighbour));
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EHOSTUNREACH) => silence(Why::Refusal(Errno::EHOSTUNREACH)),
        Some(Errno::ETIMEDOUT) => silence(Why::Timeout(timeout)),
        Some(errno) => Outcome::refused(errno),
        // The standard library reports its own timeout without a number.
        None if error.kind() == io::ErrorKind::TimedOut => silence(Why::Timeout(timeout)),
        None => Outcome::untried("connect", error),
    }
}
