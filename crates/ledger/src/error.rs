//! The one error type of this crate. Says the file, and what helps.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;
use wireloom_engine::Owner;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a ledger could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read, written, made or removed.
    #[error("{operation} {}: {cause}{}", path.display(), right(cause))]
    File {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// What names the directory of all ledgers depends on the folder that we run in.
    #[error("use {} for ledgers: {} must be an absolute path", path.display(), crate::DIRECTORY_VARIABLE)]
    Relative {
        /// The directory.
        path: PathBuf,
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
    #[error("read {}: {cause}; {}", path.display(), remedy(path))]
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
    /// The file that tells nothing because it is damaged, or because the system refuses to read it.
    pub fn unreadable(&self) -> Option<&Path> {
        match self {
            Error::Corrupt { path, .. } | Error::File { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Whether a missing file is the reason.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Error::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// The right that is missing, where it is for lack of one. The ledgers of root are for root alone.
fn right(cause: &io::Error) -> &'static str {
    match cause.kind() == io::ErrorKind::PermissionDenied && !geteuid().is_root() {
        true => "; this needs CAP_DAC_OVERRIDE to use the ledgers of root; run it as root, or with sudo",
        false => "",
    }
}

/// What helps when a file is damaged: its directory is named after the topology.
fn remedy(path: &Path) -> String {
    let topology = path.parent().and_then(Path::file_name).unwrap_or_default().display();
    format!(
        "`wireloom down {topology}` takes down all that can be found without it, keeps this file, and says what may be \
         left"
    )
}

/// For `map_err`: an operation on a file failed.
pub(crate) fn failed(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |cause| Error::File { operation, path, cause }
}
