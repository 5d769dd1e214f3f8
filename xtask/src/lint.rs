//! The checks that run in front of the tests: formatting, clippy, tidy. Each counts as one test.
//! Deliberately does not fix anything.

use std::process::Command;

use crate::error::Error;
use crate::program::{cargo, program, read, run};
use crate::talk::{complain, say};
use crate::test::{Skip, Tally};
use crate::tidy;
use crate::workspace::Workspace;

/// Runs all of them, also after one has failed.
pub(crate) fn tally(workspace: &Workspace) -> Tally {
    let mut tally = Tally::default();
    let mut fmt = in_root(workspace, &["fmt", "--all", "--check"]);
    tally += component("fmt", &mut fmt);
    let mut clippy = in_root(workspace, &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    tally += component("clippy", &mut clippy);
    tally += outcome("tidy", tidy::check(workspace).map(|findings| findings.is_empty()));
    tally
}

/// Licences, duplicates and sources, where cargo-deny is installed; building it takes minutes, so nothing installs it.
/// Advisories are left out: they are fetched, and change without a change of ours.
pub(crate) fn deny(workspace: &Workspace) -> Tally {
    component(
        "deny",
        &mut in_root(workspace, &["deny", "--log-level", "error", "check", "licenses", "bans", "sources"]),
    )
}

/// A check by a cargo subcommand that may not be installed, which is a counted skip.
fn component(name: &str, check: &mut Command) -> Tally {
    if read(program(format!("cargo-{name}")).arg("--version")).is_err() {
        say!("lint: cargo-{name} is not installed");
        return Tally {
            skips: vec![Skip { feature: format!("cargo-{name}"), test: name.to_owned() }],
            ..Tally::default()
        };
    }
    outcome(name, run(check).map(|()| true))
}

/// Says how one check went, and counts it.
fn outcome(name: &str, result: Result<bool, Error>) -> Tally {
    let passed = result.unwrap_or_else(|error| {
        complain!("lint: {error}");
        false
    });
    say!("lint: {name} {}", if passed { "ok" } else { "FAILED" });
    Tally { passed: passed.into(), failed: (!passed).into(), skips: Vec::new() }
}

/// A cargo subcommand over the whole workspace.
fn in_root(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = cargo();
    command.args(args).current_dir(&workspace.root);
    command
}
