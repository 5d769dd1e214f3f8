//! Becoming another program inside a namespace. Does not return when it works.

use std::os::unix::process::CommandExt;

use crate::{Error, Program, start};

/// Replaces this process by the program, inside its namespace and with /sys of it, like `ip netns exec`.
///
/// Returns only when that fails; [`Error::exit_code`] says what to exit with.
pub fn exec(program: Program<'_>) -> Error {
    let mut command = match program.command() {
        Ok(command) => command,
        Err(error) => return error,
    };
    match program.enter() {
        Err(source) => Error::Namespace { program: program.title(), source },
        Ok(()) => Error::not_started(&program.title(), command.exec()),
    }
}

/// Replaces this process by the program, where it is: needs no rights. Returns only when that fails.
pub fn exec_here(argv: &[String]) -> Error {
    match start::plain(argv) {
        Ok(mut command) => Error::not_started(argv.first().map_or("", String::as_str), command.exec()),
        Err(error) => error,
    }
}
