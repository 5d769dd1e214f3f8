//! What is wrong with the text of one value. Does not know where the text stands.

use std::fmt;

use thiserror::Error;

/// A value that cannot be taken, and what would be right. Written as two lines, which the reader takes apart again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) struct Wrong {
    /// What is wrong, lower case.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) help: String,
}

impl Wrong {
    /// A value that is wrong for the reason `message`; `help` says what would be right.
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Wrong {
        Wrong { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.message, self.help)
    }
}
