//! The one error type of this crate: what was asked, and the kernel's answer in its own words.

use nix::errno::Errno;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a message could not be sent, or what the kernel answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The socket could not be opened in the namespace.
    #[error("open a netlink socket: {0}")]
    Open(#[from] wireloom_netns::Error),
    /// The socket could not be set up.
    #[error("set up a netlink socket, {what}: {errno}")]
    SetUp {
        /// Which step.
        what: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The request could not be sent.
    #[error("send {request}: {errno}")]
    Send {
        /// The name of the request, such as `RTM_NEWLINK`.
        request: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The answer could not be read. Whether the request took effect is unknown.
    #[error("receive the answer to {request}: {errno}")]
    Receive {
        /// The name of the request.
        request: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The kernel understood the request and refused it.
    #[error("{request} refused: {}", words(*errno, message.as_deref(), *missing))]
    Refused {
        /// The name of the request.
        request: &'static str,
        /// The kernel's reason.
        errno: Errno,
        /// The reason in words, from the extended ack.
        message: Option<String>,
        /// Where in the request the offending attribute begins, in bytes from the message's header.
        offset: Option<u32>,
        /// The type of an attribute that is missing.
        missing: Option<u32>,
    },
    /// What was dumped changed during every try, so that no dump was whole.
    #[error("dump with {request}: it changed while being read, {tries} times")]
    Interrupted {
        /// The name of the request.
        request: &'static str,
        /// How often it was tried.
        tries: u32,
    },
    /// The answer is not what it should be.
    #[error("decode the answer to {request}: {reason}")]
    Decode {
        /// The name of the request.
        request: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The kernel's clean-up of dropped namespaces did not get as far as ours in time.
    #[error("wait for {namespaces} dropped namespaces: the kernel did not get there within {seconds} s")]
    CleanUp {
        /// How many there are.
        namespaces: usize,
        /// How long we waited.
        seconds: u64,
    },
}

impl Error {
    /// The kernel's reason, where it gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Open(error) => error.errno(),
            Error::SetUp { errno, .. }
            | Error::Send { errno, .. }
            | Error::Receive { errno, .. }
            | Error::Refused { errno, .. } => Some(*errno),
            Error::Interrupted { .. } => Some(Errno::EINTR),
            Error::Decode { .. } | Error::CleanUp { .. } => None,
        }
    }

    /// What the kernel said beyond the number, such as `mtu less than device minimum`.
    pub fn message(&self) -> Option<&str> {
        match self {
            Error::Refused { message, .. } => message.as_deref(),
            _ => None,
        }
    }
}

/// The reason in words where there are any, always with the number.
fn words(errno: Errno, message: Option<&str>, missing: Option<u32>) -> String {
    let mut words = message.map_or_else(|| errno.to_string(), |message| format!("{message} ({errno})"));
    if let Some(attribute) = missing {
        words.push_str(&format!(", attribute {attribute} is missing"));
    }
    words
}
