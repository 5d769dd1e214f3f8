//! `cargo xtask bench`: how fast and how large, next to baselines that run in the same run: a bare netlink loop and
//! `ip -batch`. Owns the order of things; deliberately knows neither how a chain is made nor how results are shown.
//!
//! Everything happens on a throwaway machine: network and mount namespaces of its own, with an empty /run.

mod bare;
mod batch;
mod chain;
mod fresh;
mod machine;
mod measure;
mod mend;
mod plot;
mod results;
mod sandbox;
mod table;
mod wireloom;

use std::fs;
use std::process::ExitCode;

use crate::dist;
use crate::error::Error;
use crate::program::{self, cargo, program};
use crate::talk::say;
use crate::workspace::Workspace;
use results::Results;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// A chain of 100 links instead of 1000, no long chain, no dist build; writes no files
    #[arg(long)]
    quick: bool,
    /// Also the way from a clean clone to the triangle, which takes a minute
    #[arg(long)]
    fresh: bool,
    /// How often each thing is measured
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
    /// Set by the bench itself: the throwaway machine is there
    #[arg(long, hide = true)]
    inside: bool,
}

/// `cargo xtask bench`: prints the table, and keeps it with a plot in docs/bench/.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<ExitCode, Error> {
    if !args.inside {
        return prepare(workspace, args);
    }
    let mut results = measure::all(workspace, args)?;
    if args.fresh {
        results.fresh = Some(fresh::clone_to_triangle(workspace)?);
    }
    say!("{}", table::rows(&results));
    if !args.quick {
        keep(workspace, &results)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds what is measured and the bench itself, both optimised, and starts the bench on a throwaway machine.
fn prepare(workspace: &Workspace, args: &Args) -> Result<ExitCode, Error> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--package", "wireloom-cli", "--package", "xtask"]);
    program::run(build.current_dir(&workspace.root))?;
    if !args.quick {
        match dist::run(workspace) {
            // That it is too large is a result.
            Ok(_) | Err(Error::TooLarge { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut command = program("unshare");
    command.args(["--net", "--mount", "sh", "-ec", sandbox::SCRIPT, "sh"]).arg(workspace.target.join("release/xtask"));
    command.args(["bench", "--inside", "--repetitions", &args.repetitions.to_string()]);
    command.args(args.quick.then_some("--quick")).args(args.fresh.then_some("--fresh"));
    program::run(command.current_dir(&workspace.root))?;
    Ok(ExitCode::SUCCESS)
}

/// docs/bench/results.md and results.svg.
fn keep(workspace: &Workspace, results: &Results) -> Result<(), Error> {
    let folder = workspace.root.join("docs/bench");
    fs::create_dir_all(&folder).map_err(Error::file("make folder", &folder))?;
    for (name, text) in [("results.md", table::page(results)), ("results.svg", plot::svg(results))] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
        say!("{}", path.display());
    }
    Ok(())
}
