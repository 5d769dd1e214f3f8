//! Project tasks, as `cargo xtask VERB`. It owns the verbs and their exit codes, and deliberately knows nothing of
//! what each does: a new verb is a module, one line in [`Verb`] and one in [`run`].

mod bench;
mod dist;
mod error;
mod fuzz;
mod guest;
mod lint;
mod program;
mod setup;
mod talk;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::talk::complain;
use crate::workspace::Workspace;

/// Wireloom's project tasks.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs, in the order of a working day.
#[derive(Subcommand)]
enum Verb {
    /// Install the Debian packages that the tests need, and fetch the guest kernel; says first what and why
    Setup,
    /// Set up, then run the test tiers; without --tier, all of them
    Test(test::Args),
    /// Check what needs no test: dependency arrows, file headers, words, README's commands
    Tidy,
    /// All that has to pass before a merge: the same as `test`, plus the licence check where cargo-deny is installed
    Ci,
    /// Build the released binary: static, stripped, small
    Dist,
    /// Measure speed and size against a bare netlink loop and `ip -batch`, and keep the results in docs/bench/
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Args::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            complain!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one verb; a failed test is an exit code, not an error.
fn run(verb: Verb) -> Result<ExitCode, Error> {
    let workspace = Workspace::find()?;
    match verb {
        Verb::Setup => setup::run(&workspace),
        Verb::Test(args) => test::run(&workspace, &args),
        Verb::Tidy => tidy::run(&workspace),
        Verb::Ci => test::ci(&workspace),
        Verb::Dist => dist::run(&workspace),
        Verb::Bench(args) => bench::run(&workspace, &args),
    }
}
