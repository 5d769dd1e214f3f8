//! Test programs: built once with cargo, sorted into tiers by file name, run one after the other with a log each.
//! Deliberately runs them itself instead of through `cargo test`: the guest needs the programs, and each needs a limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Tally, Tier};
use crate::error::Error;
use crate::program::{cargo, program, read, run_limited};
use crate::talk::{complain, say};
use crate::workspace::{Workspace, list, text};

/// No test program takes this long; one that does hangs.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A test program of some package.
pub(crate) struct Suite {
    /// Package and target: `wireloom-engine netns_veth`.
    pub(crate) name: String,
    /// What cargo built.
    pub(crate) executable: PathBuf,
    /// The package's folder, where tests run.
    pub(crate) folder: PathBuf,
}

/// Builds all test programs of the workspace, or of these packages, and returns those of the tier.
pub(crate) fn build(workspace: &Workspace, tier: Tier, packages: &[String]) -> Result<Vec<Suite>, Error> {
    let mut command = cargo();
    command.arg("test").args(selection(packages));
    command.args(["--no-run", "--quiet", "--message-format=json-render-diagnostics"]);
    // `read` keeps stderr for a failure's text: cargo's diagnostics are that text.
    let messages = read(command.current_dir(&workspace.root))?;
    let messages = String::from_utf8_lossy(&messages);
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(artifacts.filter(|it| tier_of(it) == Some(tier)).filter_map(|it| Suite::from_artifact(&it)).collect())
}

/// The examples in the documentation: rustdoc builds and runs those, there is no program to keep.
pub(crate) fn doc_tests(workspace: &Workspace, packages: &[String], filter: Option<&str>) -> Result<Tally, Error> {
    let mut command = cargo();
    command.arg("test").args(selection(packages)).arg("--doc").current_dir(&workspace.root);
    command.args(filter.into_iter().flat_map(|filter| ["--", filter]));
    supervised(workspace, "documentation", &mut command)
}

/// The packages as cargo's options.
fn selection(packages: &[String]) -> Vec<&str> {
    if packages.is_empty() { vec!["--workspace"] } else { packages.iter().flat_map(|it| ["--package", it]).collect() }
}

/// The tier of a test program: by where its file lies and what it is called; nothing for anything else.
fn tier_of(artifact: &Value) -> Option<Tier> {
    if artifact["profile"]["test"] != true || !artifact["executable"].is_string() {
        return None;
    }
    let integration = list(&artifact["target"]["kind"]).any(|kind| kind == "test");
    Some(match text(&artifact["target"]["name"]) {
        name if integration && name.starts_with("netns_") => Tier::Netns,
        name if integration && name.starts_with("guest_") => Tier::Guest,
        _ => Tier::Unit,
    })
}

impl Suite {
    /// One `compiler-artifact` message.
    fn from_artifact(artifact: &Value) -> Option<Self> {
        let manifest = PathBuf::from(text(&artifact["manifest_path"]));
        let folder = manifest.parent()?.to_owned();
        let target = text(&artifact["target"]["name"]);
        let package = folder.file_name()?.to_string_lossy().into_owned();
        Some(Self { name: format!("{package} {target}"), executable: text(&artifact["executable"]).into(), folder })
    }

    /// Runs it, with `wireloom` and the file for skips in its environment.
    pub(crate) fn run(&self, workspace: &Workspace, binary: &Path, filter: Option<&str>) -> Result<Tally, Error> {
        let mut command = program(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder).env("WIRELOOM_BIN", binary);
        command.args(filter);
        supervised(workspace, &self.name, &mut command)
    }
}

/// Runs a test program to its end or its limit, says one line about it, and shows all of its output when it is red.
fn supervised(workspace: &Workspace, name: &str, command: &mut Command) -> Result<Tally, Error> {
    let file = |kind: &str| workspace.target.join("xtask/tests").join(format!("{}.{kind}", name.replace(' ', "-")));
    let (log, skips) = (file("log"), file("skips"));
    for old in [&log, &skips] {
        let _ = fs::remove_file(old); // not there the first time
    }
    let start = Instant::now();
    let status = run_limited(command.env("WIRELOOM_SKIPS", &skips), &log, LIMIT)?;
    let output = fs::read(&log).map_err(Error::file("read", &log))?;
    let output = String::from_utf8_lossy(&output);
    let skips = fs::read_to_string(&skips).unwrap_or_default();
    let tally = Tally::of(&output, &skips, status.is_some_and(|status| status.success()));
    report(name, &tally, &output, start.elapsed());
    if status.is_none() {
        complain!("{name}: still running after {LIMIT:?}, ended");
    }
    Ok(tally)
}

/// The line about one test program; nothing about one without tests.
pub(crate) fn report(name: &str, tally: &Tally, output: &str, took: Duration) {
    if tally.failed > 0 {
        complain!("{output}");
    }
    let (passed, failed, skipped) = (tally.passed, tally.failed, tally.skips.len());
    if passed + failed + skipped > 0 {
        say!("{name:<36} {passed:>4} passed {failed:>3} failed {skipped:>3} skipped {:>7.1} s", took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tier(kind: &str, name: &str) -> Option<&'static str> {
        let target = json!({"kind": [kind], "name": name});
        tier_of(&json!({"profile": {"test": true}, "executable": "/t", "target": target})).map(Tier::name)
    }

    #[test]
    fn the_file_name_of_an_integration_test_is_its_tier() {
        assert_eq!(tier("test", "netns_veth"), Some("netns"));
        assert_eq!(tier("test", "guest_vlan"), Some("guest"));
        assert_eq!(tier("test", "plan"), Some("unit"));
        assert_eq!(tier("lib", "netns_looking_library"), Some("unit"));
    }

    #[test]
    fn what_is_no_test_program_has_no_tier() {
        assert_eq!(tier_of(&json!({"reason": "build-finished", "success": true})).map(Tier::name), None);
        let built = json!({"profile": {"test": false}, "executable": "/bin", "target": {"kind": ["bin"], "name": "x"}});
        assert_eq!(tier_of(&built).map(Tier::name), None);
    }
}
