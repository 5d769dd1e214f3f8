//! Colours, or none. Does not know what is coloured.

use crate::options::When;

/// Writes colours when it is to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For a stream that is a terminal, or is none.
    pub(crate) fn new(when: When, terminal: bool) -> Paint {
        let on = match when {
            When::Always => true,
            When::Never => false,
            // https://no-color.org: "when present and not an empty string".
            When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Paint { on }
    }

    /// Whether there are any.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// What comes, and what is well.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What goes, and what fails.
    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// What changes, and what is to be looked at.
    pub(crate) fn odd(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Names.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Remarks.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
