//! The fuzz targets of fuzz/: built as cargo-fuzz does it without a sanitizer, so that stable Rust can, and run on so many
//! inputs, always the same ones. Deliberately knows no target by name: each file of fuzz/fuzz_targets/ is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::program::{cargo, program, run, run_limited};
use crate::talk::complain;
use crate::test::{Tally, report};
use crate::workspace::Workspace;

/// Coverage counters that libFuzzer reads, and the `cfg` that opens what targets need.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Few enough for a run of the tests: some seconds each.
const RUNS: &str = "-runs=20000";
/// No input takes this long, seconds.
const SLOW: &str = "-timeout=20";
/// No target takes this long.
const LIMIT: Duration = Duration::from_secs(4 * 60);

/// What each target begins with, beside fuzz/seeds/TARGET.
const SEEDS: &[(&str, &[&str])] =
    &[("document", &["examples", "crates/topology/tests/mistakes", "crates/topology/tests/lower"])];

/// Builds all targets and runs each whose name has `filter` in it.
pub(crate) fn tally(workspace: &Workspace, filter: Option<&str>) -> Result<Tally, Error> {
    let target = workspace.target.join("fuzz");
    build(workspace, &target)?;
    let mut tally = Tally::default();
    for name in targets(workspace)?.iter().filter(|name| filter.is_none_or(|filter| name.contains(filter))) {
        tally += one(workspace, name, &target)?;
    }
    Ok(tally)
}

/// With a target given, so that build scripts and macros have no counters. Not `--locked`: the lock file follows the
/// dependencies of our crates, which change more often.
fn build(workspace: &Workspace, target: &Path) -> Result<(), Error> {
    let mut command = cargo();
    command.args(["build", "--release", "--quiet", "--target", &triple()]).arg("--target-dir").arg(target);
    run(command.env("RUSTFLAGS", FLAGS).current_dir(workspace.root.join("fuzz")))
}

fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

fn targets(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let folder = workspace.root.join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).map_err(Error::file("list", &folder))?;
    let names = files.flatten().filter_map(|file| file.path().file_stem()?.to_str().map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// One target; an input that fails it is kept, and named.
fn one(workspace: &Workspace, name: &str, target: &Path) -> Result<Tally, Error> {
    let folder = workspace.target.join("xtask/fuzz").join(name);
    let (found, log) = (folder.join("corpus"), folder.join("log"));
    // Both are of the last run. What that found would make this one another run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&found).map_err(Error::file("make folder", &found))?;
    let mut command = program(target.join(triple()).join("release").join(name));
    command.args([RUNS, SLOW, "-seed=1", "-max_len=4096"]).current_dir(&workspace.root);
    command.arg(format!("-artifact_prefix={}/", folder.display())).arg(&found).args(seeds(workspace, name));
    let start = Instant::now();
    let status = run_limited(&mut command, &log, LIMIT)?;
    let passed = status.is_some_and(|status| status.success());
    let tally = if passed { Tally { passed: 1, ..Tally::default() } } else { Tally::one_failure() };
    let output = fs::read(&log).map_err(Error::file("read", &log))?;
    report(&format!("fuzz {name}"), &tally, &end(&String::from_utf8_lossy(&output)), start.elapsed());
    if !passed {
        complain!("fuzz {name}: the input is in {}; again with: {} INPUT", folder.display(), again(&command));
    }
    Ok(tally)
}

fn seeds(workspace: &Workspace, name: &str) -> Vec<PathBuf> {
    let shared = SEEDS.iter().filter(|(target, _)| *target == name).flat_map(|(_, folders)| *folders);
    let shared = shared.map(|folder| workspace.root.join(folder));
    let own = workspace.root.join("fuzz/seeds").join(name);
    shared.chain(own.is_dir().then_some(own)).collect()
}

/// The last lines of a log: those before are about inputs that did well.
fn end(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with('#')).collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

fn again(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
