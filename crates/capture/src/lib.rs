//! Packets of interfaces in several namespaces, written as pcapng while they come.
//!
//! Owns packet sockets and the file format. Deliberately does not know topologies: it gets files that stand for
//! namespaces, and names of interfaces.

mod capture;
mod error;
mod packet;
mod pcapng;
mod tap;

pub use capture::{Capture, Ended, Tally};
pub use error::{Error, Result};
pub use tap::{Place, Tap};
