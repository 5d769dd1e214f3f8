//! The binary that is measured: runs of it, timed as whole processes, and the phases that it reports itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::program::{program, read_json};
use crate::workspace::{list, text};

/// The binary and a document.
pub(super) struct Wireloom {
    pub(super) binary: PathBuf,
    pub(super) document: PathBuf,
}

/// One run.
pub(super) struct Run {
    /// From its start to its end, as a process.
    pub(super) wall: Duration,
    /// Name and milliseconds of each phase.
    phases: Vec<(String, f64)>,
}

impl Wireloom {
    /// `wireloom VERB DOCUMENT -o json`.
    pub(super) fn run(&self, verb: &str) -> Result<Run, Error> {
        let mut command = program(&self.binary);
        command.arg(verb).arg(&self.document).args(["-o", "json"]);
        let start = Instant::now();
        let report = read_json(&mut command)?;
        let wall = start.elapsed();
        let phase = |phase: &serde_json::Value| (text(&phase["name"]), phase["ms"].as_f64().unwrap_or(f64::NAN));
        Ok(Run { wall, phases: list(&report["phases"]).map(phase).collect() })
    }

    /// Puts the document where `run` finds it.
    pub(super) fn new(binary: &Path, document: &str) -> Result<Wireloom, Error> {
        // /run is empty and ours on the throwaway machine.
        let path = PathBuf::from("/run/bench.yaml");
        std::fs::write(&path, document).map_err(Error::file("write", &path))?;
        Ok(Wireloom { binary: binary.to_owned(), document: path })
    }
}

impl Run {
    /// How long these phases took together. A phase that did not happen took no time.
    pub(super) fn phases(&self, names: &[&str]) -> Duration {
        let of = self.phases.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Duration::from_secs_f64(of.map(|(_, ms)| ms / 1000.0).sum())
    }
}
