//! Our own `ping`: an ICMP echo from a socket inside the namespace. Needs no program and no thread in there.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use nix::errno::Errno;
use wireloom_netns::Netns;

use crate::{
    Outcome, Why,
    icmp::{Echo, PAYLOAD, Reply},
    neighbour::silent_hop,
};

/// Longer than any answer to a request of ours.
const BUFFER: usize = 2048;

/// Sends up to `count` echo requests from the namespace, each after the answer to the one before, and waits up to
/// `timeout` for each, like `ping -c COUNT -W TIMEOUT ADDRESS`. One answer is enough to say that it was reached. A
/// request that has no answer at half time is sent once more: one packet lost is no failure.
pub fn ping(netns: &Netns, address: IpAddr, count: u32, timeout: Duration) -> Outcome {
    let socket = match open(netns, address) {
        Ok(socket) => socket,
        Err(error) => return Outcome::untried("open a socket for ICMP", error),
    };
    let mut tries = Tries::new(address);
    for sequence in 0..count.max(1) {
        let outcome = tries.send(&socket, sequence as u16, timeout);
        // What the kernel refuses now it refuses a moment later; an answer may still come to the next request.
        if !matches!(outcome, Outcome::Reached { .. } | Outcome::Failed(Why::Timeout(_) | Why::Unreachable { .. })) {
            return outcome;
        }
        tries.note(outcome);
    }
    tries.outcome(netns, timeout)
}

/// A raw socket, whatever it is called here: these calls are the same for all of them, and the standard library has
/// safe ones for this type.
fn open(netns: &Netns, address: IpAddr) -> wireloom_netns::Result<UdpSocket> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (libc::AF_INET, libc::IPPROTO_ICMP),
        IpAddr::V6(_) => (libc::AF_INET6, libc::IPPROTO_ICMPV6),
    };
    netns.open_socket(domain, libc::SOCK_RAW, protocol).map(UdpSocket::from)
}

/// The requests to one address so far.
struct Tries {
    address: IpAddr,
    ident: u16,
    payload: [u8; PAYLOAD],
    tried: u32,
    answered: u32,
    fastest: Option<Duration>,
    last: Option<Why>,
}

impl Tries {
    fn new(address: IpAddr) -> Tries {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let ident = (process::id() as u16).wrapping_add(number);
        // Process and number tell our requests from those of other processes that have the same ident.
        let mut payload = *b"wireloom...........................................echo?";
        payload[8..12].copy_from_slice(&process::id().to_be_bytes());
        payload[12..14].copy_from_slice(&number.to_be_bytes());
        Tries { address, ident, payload, tried: 0, answered: 0, fastest: None, last: None }
    }

    fn send(&self, socket: &UdpSocket, number: u16, timeout: Duration) -> Outcome {
        let start = Instant::now();
        let mut sent = Vec::with_capacity(2);
        for (again, deadline) in [(0, start + timeout / 2), (1, start + timeout)] {
            let sequence = number.wrapping_mul(2).wrapping_add(again);
            let echo = Echo { to: self.address, ident: self.ident, sequence, payload: self.payload };
            let now = Instant::now();
            // The port of a raw socket's address must be 0.
            if let Err(error) = socket.send_to(&echo.encode(), SocketAddr::new(self.address, 0)) {
                return refused(&error);
            }
            sent.push((echo, now));
            match wait(socket, &sent, deadline) {
                Ok(None) => (),
                Ok(Some((Reply::Echo, _, rtt))) => return Outcome::Reached { rtt, answered: 1, tried: 1 },
                Ok(Some((Reply::Unreachable(what), by, _))) => return Outcome::Failed(Why::Unreachable { by, what }),
                Err(error) => return refused(&error),
            }
        }
        Outcome::Failed(Why::Timeout(timeout))
    }

    fn note(&mut self, outcome: Outcome) {
        self.tried += 1;
        match outcome {
            Outcome::Reached { rtt, .. } => {
                self.answered += 1;
                self.fastest = Some(self.fastest.map_or(rtt, |fastest| fastest.min(rtt)));
            }
            Outcome::Failed(why) => self.last = Some(why),
            Outcome::Untried { .. } | Outcome::Found { .. } => (),
        }
    }

    fn outcome(self, netns: &Netns, timeout: Duration) -> Outcome {
        match (self.fastest, self.last) {
            (Some(rtt), _) => Outcome::Reached { rtt, answered: self.answered, tried: self.tried },
            (None, Some(why @ Why::Unreachable { .. })) => Outcome::Failed(why),
            // Neighbour discovery gives up after three seconds; who waits for less learns from its table.
            (None, _) => {
                Outcome::Failed(silent_hop(netns, self.address).map_or(Why::Timeout(timeout), Why::NoNeighbour))
            }
        }
    }
}

/// Waits for what comes back for one of these requests, and tells how long it took; a raw socket receives every ICMP
/// message of the namespace.
fn wait(
    socket: &UdpSocket,
    sent: &[(Echo, Instant)],
    deadline: Instant,
) -> io::Result<Option<(Reply, IpAddr, Duration)>> {
    let mut buffer = [0; BUFFER];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left.max(Duration::from_micros(1))))?;
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let about = |(echo, since): &(Echo, Instant)| Some((echo.decode(&buffer[..length])?, since.elapsed()));
                if let Some((reply, rtt)) = sent.iter().find_map(about) {
                    return Ok(Some((reply, from.ip(), rtt)));
                }
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => (),
            Err(e) => return Err(e),
        }
    }
}

fn refused(error: &io::Error) -> Outcome {
    match error.raw_os_error() {
        Some(errno) => Outcome::refused(Errno::from_raw(errno)),
        None => Outcome::untried("send an echo request", error),
    }
}
