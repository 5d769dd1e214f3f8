//! Talking to whoever runs us. `println!` dies on a closed pipe; these do not mind one.
//! Deliberately without levels or colours: a task says a line, or complains in one.

/// One line on stdout.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        // A reader that went away is not an error: the exit code still tells.
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// One line on stderr.
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub(crate) use {complain, say};
