//! What can go wrong in a task. A failed test is deliberately not among it: that is a result, and is counted.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a task could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program is missing or not executable.
    #[error("start {command}: {source}")]
    Start { command: String, source: io::Error },
    /// A program that has to succeed did not; `output` is its last words.
    #[error("{command}: {status}\n{output}")]
    Failed { command: String, status: ExitStatus, output: String },
    /// A file or folder could not be read, written, made or removed.
    #[error("{operation} {path}: {source}")]
    File { operation: &'static str, path: PathBuf, source: io::Error },
    /// A program of ours to read printed something else than JSON.
    #[error("read the output of {command}: {source}")]
    Json { command: String, source: serde_json::Error },
    /// The packages cannot be installed by this user.
    #[error("install {packages}: not root; install them with: apt-get install {packages}")]
    NotRoot { packages: String },
    /// APT knows no source of Debian packages that the guest kernel could come from.
    #[error("find a Debian mirror: apt has no source with a main component")]
    NoMirror,
    /// The kernel package is not what we know how to unpack.
    #[error("unpack the guest kernel {path}: {reason}")]
    Kernel { path: PathBuf, reason: &'static str },
    /// The released binary has outgrown its limit.
    #[error("{path} has {size} bytes, more than the {limit} allowed")]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    /// The benchmark's namespaces could not be made, entered or removed.
    #[error(transparent)]
    Netns(#[from] wireloom_netns::Error),
    /// The benchmark could not wait for the end of its namespaces.
    #[error(transparent)]
    Netlink(#[from] wireloom_netlink::Error),
    /// The kernel refused what the benchmark's bare loop asked for.
    #[error("bare netlink loop: {source}")]
    Bare { source: io::Error },
}

impl Error {
    /// For `map_err`: what was being done with which path.
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }
}
