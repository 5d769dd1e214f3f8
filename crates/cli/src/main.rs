//! The `wireloom` command: parses its arguments, runs a verb, and turns what came of it into an exit status.
//! Deliberately knows nothing of networks.

mod attached;
mod awaited;
mod bring_up;
mod capability;
mod changes;
mod console;
mod descriptors;
mod document;
mod duration;
mod events;
mod failure;
mod holders;
mod hosts;
mod live;
mod log;
mod made;
mod marks;
mod matrix;
mod nodes;
mod notes;
mod options;
mod orphans;
mod paint;
mod pairs;
mod place;
mod progress;
mod record;
mod removal;
mod rescue;
mod room;
mod signals;
mod subject;
mod summary;
mod supervision;
mod traces;
mod verb;
mod watch;
mod why;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::{console::Console, failure::Failure, options::Options};

/// Status of wrong usage, as sysexits.h has it (EX_USAGE).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return usage(&error),
    };
    log::start();
    descriptors::raise();
    let console = Console::new(&options.general);
    match options.verb.run(&console) {
        Ok(ending) => ending.into(),
        Err(failure) => report(&console, &failure),
    }
}

/// Help and version were asked for, and are answers; everything else is talk about wrong usage.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when this cannot be written.
    error.print().ok();
    if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS }
}

fn report(console: &Console, failure: &Failure) -> ExitCode {
    // Who reads the answer has had enough of it: head(1) does that.
    if failure.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    console.fail(failure);
    failure.exit_code().into()
}
