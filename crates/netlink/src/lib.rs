//! Talking rtnetlink in a given namespace: a request and its ack, an object, a whole dump, a stream of events.
//!
//! Owns sockets, framing and the kernel's extended acks, and the encoders that netlink-packet-route lacks: qdiscs, nexthop objects.
//! Deliberately does not know topologies, files, or why something is wanted.
//!
//! Like a namespace's descriptor, a socket keeps the namespace it is in alive: hold one for one step only.

mod error;
pub mod ethtool;
mod events;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generic;
mod graveyard;
mod kernel;
pub mod mirror;
pub mod netem;
mod netfilter;
mod nexthop;
mod psched;
mod socket;
pub mod tbf;
mod text;
mod transport;
pub mod wireguard;

pub use error::{Error, Result};
pub use ethtool::Ethtool;
pub use events::{Event, Events};
pub use graveyard::Graveyard;
pub use mirror::Mirror;
pub use netem::Netem;
pub use netfilter::{Answer, Netfilter, NetfilterRequest};
pub use nexthop::{Nexthop, NexthopTo};
pub use socket::Socket;
pub use tbf::Tbf;
