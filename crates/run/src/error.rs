//! The one error type of this crate: why a program could not be run. That a host cannot be reached is no error but an
//! [`Outcome`](crate::Outcome).

use std::{io, path::PathBuf};

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
            Error::Namespace { .. } | Error::Log { .. } | Error::Follow { .. } => 1,
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
