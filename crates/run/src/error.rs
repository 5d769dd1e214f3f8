//! The one error type of this crate: why a program could not be run. That a host cannot be reached is no error but an
//! [`Outcome`](crate::Outcome).

use std::{
    io,
    path::{Path, PathBuf},
};

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The namespace could not be entered.
    #[error("run {program}: {source}")]
    Namespace {
        /// The program.
        program: String,
        /// The reason.
        source: wireloom_netns::Error,
    },
    /// No program was named.
    #[error("run a command: it is empty")]
    Empty,
    /// There is no such program.
    #[error("run {program}: command not found")]
    NotFound {
        /// The program.
        program: String,
    },
    /// The program is there, and the system does not start it.
    #[error("run {program}: {cause}")]
    NotExecutable {
        /// The program.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// Its output cannot be written there.
    #[error("write the output of {program} to {}: {cause}", path.display())]
    Log {
        /// The program.
        program: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A part of a room could not be put in place.
    #[error("{operation} {} in the node: {cause}", path.display())]
    Furnish {
        /// What was tried.
        operation: &'static str,
        /// The file or folder, as the node sees it.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// The room could not be made or entered.
    #[error(transparent)]
    Room(#[from] wireloom_netns::Error),
    /// A link in the node leads to a file of the machine.
    #[error("put a file on {}: a link in the node leads to {} of the machine: remove it there", path.display(), to.display())]
    LeadsOut {
        /// Where.
        path: PathBuf,
        /// Where the link leads.
        to: PathBuf,
    },
    /// Something else lies where a file is to be.
    #[error("put a file on {}: this is not a file, but a folder or a device", path.display())]
    NotFile {
        /// Where.
        path: PathBuf,
    },
    /// Something else lies where a folder is needed.
    #[error("make a folder in {}: this is not a folder", path.display())]
    NotFolder {
        /// Where.
        path: PathBuf,
    },
    /// The nearest folder that the machine has is the root, over which no layer can be put.
    #[error(
        "make a folder in {}: the machine has none of the folders on the way; make the first of them, or take a path in \
         a folder that is there", path.display()
    )]
    NoRoom {
        /// Where.
        path: PathBuf,
    },
    /// There is no such user or group.
    #[error("give {} to {kind} {name}: there is no such {kind}", path.display())]
    NoAccount {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// It was started, and we could not follow it.
    #[error("{operation} {program}: {cause}")]
    Follow {
        /// What was tried.
        operation: &'static str,
        /// The program.
        program: String,
        /// The system's reason.
        cause: io::Error,
    },
}

impl Error {
    /// The exit status that shells give in this case.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NotFound { .. } => 127,
            Error::NotExecutable { .. } | Error::Empty => 126,
            _ => 1,
        }
    }

    /// What it means that the system did not start a program.
    pub(crate) fn not_started(program: &str, cause: io::Error) -> Error {
        let program = program.to_owned();
        match cause.kind() {
            io::ErrorKind::NotFound => Error::NotFound { program },
            _ => Error::NotExecutable { program, cause },
        }
    }
}

/// Why a part of a room could not be put in place.
pub(crate) fn furnishing(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |cause| Error::Furnish { operation, path: path.clone(), cause }
}
