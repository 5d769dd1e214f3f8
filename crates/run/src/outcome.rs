//! What came of trying to reach somebody, and in words why it failed. Does not know links: who does can say more.

use std::{fmt, net::IpAddr, time::Duration};

use nix::errno::Errno;

/// What came of trying to reach an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Reached {
        /// How long the fastest answer took.
        rtt: Duration,
        /// How many tries were answered.
        answered: u32,
        /// How many tries there were.
        tried: u32,
    },
    /// The way there is as it is to be.
    Found {
        /// Which.
        way: String,
    },
    /// It did not answer.
    Failed(Why),
    /// It could not be tried: this says nothing about the network.
    Untried {
        /// What was to be done.
        operation: &'static str,
        /// The system's reason.
        reason: String,
    },
}

/// Why an address was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// No route leads there, or one that forbids it.
    NoRoute(Errno),
    /// Another way leads there than the one that is wanted.
    OtherWay {
        /// Which.
        way: String,
        /// Who is to be on the way.
        wanted: String,
    },
    /// The next hop did not answer neighbour discovery (ARP, NDP): down, absent, or not on this segment.
    NoNeighbour(IpAddr),
    /// Somebody on the way said that it cannot be reached.
    Unreachable {
        /// Who said so.
        by: IpAddr,
        /// What was said.
        what: &'static str,
    },
    /// There was no answer at all.
    Timeout(Duration),
    /// The host is there, and the port is closed.
    Refused,
    /// Something else that the kernel said.
    Refusal(Errno),
}

impl Outcome {
    /// Whether an answer came, or the route is there.
    pub fn is_reached(&self) -> bool {
        matches!(self, Outcome::Reached { .. } | Outcome::Found { .. })
    }

    /// How long the fastest answer took.
    pub fn rtt(&self) -> Option<Duration> {
        match self {
            Outcome::Reached { rtt, .. } => Some(*rtt),
            _ => None,
        }
    }

    pub(crate) fn untried(operation: &'static str, reason: impl fmt::Display) -> Outcome {
        Outcome::Untried { operation, reason: reason.to_string() }
    }

    /// What it means that the kernel refused to send or to connect.
    pub(crate) fn refused(errno: Errno) -> Outcome {
        Outcome::Failed(match errno {
            // A prohibit route gives EACCES, a blackhole route EINVAL, and neither is a closed door further on.
            Errno::ENETUNREACH | Errno::EACCES | Errno::EINVAL => Why::NoRoute(errno),
            Errno::ECONNREFUSED => Why::Refused,
            errno => Why::Refusal(errno),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Reached { rtt, answered, tried } if answered == tried => write!(f, "answered in {rtt:.1?}"),
            Outcome::Reached { rtt, answered, tried } => write!(f, "answered {answered} of {tried}, in {rtt:.1?}"),
            Outcome::Found { way } => write!(f, "goes {way}"),
            Outcome::Failed(why) => why.fmt(f),
            Outcome::Untried { operation, reason } => write!(f, "{operation}: {reason}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoRoute(Errno::EACCES) => write!(f, "a route prohibits it"),
            Why::NoRoute(Errno::EINVAL) => write!(f, "a blackhole route swallows it"),
            Why::NoRoute(_) => write!(f, "no route leads there"),
            Why::OtherWay { way, wanted } => write!(f, "it goes {way}, and not by {wanted}"),
            Why::NoNeighbour(hop) => write!(f, "{hop} does not answer neighbour discovery"),
            Why::Unreachable { by, what } => write!(f, "{by} says: {what}"),
            Why::Timeout(time) => write!(f, "no answer within {time:?}"),
            Why::Refused => write!(f, "the port is closed"),
            Why::Refusal(Errno::EPERM) => write!(f, "a firewall rule of the sender forbids it"),
            // An unreachable route here, or the host-unreachable of a router to a TCP socket.
            Why::Refusal(Errno::EHOSTUNREACH) => write!(f, "a route or a router makes it unreachable"),
            Why::Refusal(errno) => write!(f, "{}", errno.desc()),
        }
    }
}
