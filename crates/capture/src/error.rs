//! The one error type of this crate. Knows which interface it was about.

use std::io;

use nix::errno::Errno;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why packets could not be captured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The namespace could not be opened.
    #[error("capture on {at}: {source}")]
    Netns {
        /// The interface, with its node.
        at: String,
        /// Why.
        source: wireloom_netns::Error,
    },
    /// The interface could not be looked up.
    #[error("capture on {at}: {source}")]
    Netlink {
        /// The interface, with its node.
        at: String,
        /// Why.
        source: wireloom_netlink::Error,
    },
    /// There is no such interface.
    #[error("capture on {at}: there is no such interface; there are {}", known.join(", "))]
    NoInterface {
        /// The interface, with its node.
        at: String,
        /// Those that the namespace has.
        known: Vec<String>,
    },
    /// The packet socket could not be set up.
    #[error("capture on {at}, {what}: {errno}")]
    SetUp {
        /// The interface, with its node.
        at: String,
        /// Which step.
        what: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// Packets could not be read.
    #[error("capture on {at}: {errno}")]
    Receive {
        /// The interface, with its node.
        at: String,
        /// The kernel's reason.
        errno: Errno,
    },
    /// Waiting for packets failed.
    #[error("wait for packets: {0}")]
    Wait(Errno),
    /// The file could not be written.
    #[error("write the packets: {0}")]
    Write(#[source] io::Error),
}
