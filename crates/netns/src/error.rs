//! The one error type of this crate. Knows what was tried on which object, and the kernel's reason.

use std::path::PathBuf;

use nix::errno::Errno;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done with a network namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    #[error("open namespace {}: there is none", path.display())]
    NotFound {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The file is not a network namespace: an ordinary file, or a namespace of another type.
    #[error("open namespace {}: this is not a network namespace", path.display())]
    NotNetns {
        /// The file that was opened.
        path: PathBuf,
    },
    /// The process has ended, or never was.
    #[error("open the namespace of process {pid}: there is no such process")]
    NoProcess {
        /// The process that was looked for.
        pid: u32,
    },
    /// A namespace of that name exists already.
    #[error("create namespace {name}: it exists already")]
    Exists {
        /// The name that is taken.
        name: String,
    },
    /// A namespace's name is the name of a file: not empty, at most 255 bytes, no slash, neither `.` nor `..`.
    #[error("namespace name {name:?}: it must be 1 to 255 bytes without a slash, and neither . nor ..")]
    InvalidName {
        /// The name that was given.
        name: String,
    },
    /// A namespace could not be opened.
    #[error("open namespace {}: {errno}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
    /// An interface for a program could not be made or opened.
    #[error("open {name} by /dev/net/tun: {errno}")]
    Tap {
        /// The interface.
        name: String,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The kernel refused to make a namespace.
    #[error("create a network namespace: {errno}")]
    Create {
        /// The kernel's reason.
        errno: Errno,
    },
    /// A namespace was made, and could not be given its name.
    #[error("name a namespace {}: {errno}", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
    /// A closure that the caller wanted to be run inside a new namespace failed.
    #[error("prepare namespace {name}: {reason}")]
    Inside {
        /// The namespace, which has been removed again.
        name: String,
        /// What the closure said.
        reason: String,
    },
    /// A namespace's name could not be taken away.
    #[error("remove namespace {}: {errno}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The thread could not enter the namespace.
    #[error("enter a namespace: {errno}")]
    Enter {
        /// The kernel's reason.
        errno: Errno,
    },
    /// A thread could not be started.
    #[error("start a thread: {errno}")]
    Thread {
        /// The kernel's reason.
        errno: Errno,
    },
    /// A socket could not be opened or set up.
    #[error("open a socket: {errno}")]
    Socket {
        /// The kernel's reason.
        errno: Errno,
    },
    /// The namespace's identity could not be read.
    #[error("read {what} of a network namespace: {errno}")]
    Identify {
        /// Which part of it.
        what: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// A room, or the folder of rooms, could not be made, opened or removed.
    #[error("{operation} {}: {errno}", path.display())]
    Room {
        /// What was tried.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
    /// Whether the file comes or goes could not be watched.
    #[error("watch {}: {errno}", path.display())]
    Watch {
        /// The file or folder; none where watching itself could not begin.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
    /// The directory of names could not be made, mounted or read.
    #[error("{operation} {}: {errno}", path.display())]
    Directory {
        /// What was tried.
        operation: &'static str,
        /// The directory.
        path: PathBuf,
        /// The kernel's reason.
        errno: Errno,
    },
}

impl Error {
    /// The kernel's reason, where it gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Open { errno, .. }
            | Error::Tap { errno, .. }
            | Error::Create { errno }
            | Error::Name { errno, .. }
            | Error::Remove { errno, .. }
            | Error::Enter { errno }
            | Error::Thread { errno }
            | Error::Socket { errno }
            | Error::Identify { errno, .. }
            | Error::Room { errno, .. }
            | Error::Watch { errno, .. }
            | Error::Directory { errno, .. } => Some(*errno),
            Error::NotFound { .. } => Some(Errno::ENOENT),
            Error::Exists { .. } => Some(Errno::EEXIST),
            Error::NoProcess { .. } => Some(Errno::ESRCH),
            Error::NotNetns { .. } | Error::InvalidName { .. } | Error::Inside { .. } => None,
        }
    }
}

/// The kernel's reason behind a failure that the standard library reports.
pub(crate) fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO))
}
