//! The one error type of this crate. Says the file, and what helps.

use std::{io, path::PathBuf};

use wireloom_engine::Owner;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a ledger could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read, written, made or removed.
    #[error("{operation} {}: {cause}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Somebody else could write into the directory, or lead us elsewhere.
    #[error("use {} as a ledger: {reason}; remove it, or name another in {}", path.display(), crate::DIRECTORY_VARIABLE)]
    Untrusted {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file is not one that we wrote, or is damaged.
    #[error(
        "read {}: {cause}; remove this file, then `wireloom audit --fix` takes down what it told about",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        cause: serde_json::Error,
    },
    /// The file has a format of the future.
    #[error(
        "read {}: a newer wireloom wrote it (format {found}, this one knows {known}); use that one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that we know.
        known: u32,
    },
    /// An entry cannot be written as JSON.
    #[error("write {}: {cause}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What cannot be written.
        cause: serde_json::Error,
    },
    /// Nothing was begun that could be committed.
    #[error("commit the changes of {owner}: none were begun")]
    NotBegun {
        /// The topology.
        owner: Owner,
    },
    /// The wait for a lock was given up.
    #[error("wait for the lock of {owner}: cancelled")]
    Cancelled {
        /// The topology.
        owner: Owner,
    },
}

impl Error {
    /// Whether a missing file is the reason.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Error::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// For `map_err`: an operation on a file failed.
pub(crate) fn failed(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |cause| Error::File { operation, path, cause }
}
