//! What a newcomer waits for: from a clean clone, with nothing built, to the triangle.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::program::{cargo, program, run};
use crate::workspace::Workspace;

/// Clones the committed state beside the other build results, builds and brings the triangle up. Crates are in cargo's
/// cache already: their download is the network's time, not ours.
pub(super) fn clone_to_triangle(workspace: &Workspace) -> Result<Duration, Error> {
    let clone = workspace.target.join("xtask/fresh");
    std::fs::remove_dir_all(&clone).or_else(absent).map_err(Error::file("remove", &clone))?;
    let start = Instant::now();
    run(program("git").args(["clone", "--quiet", "--no-hardlinks"]).arg(&workspace.root).arg(&clone))?;
    let mut up = cargo();
    up.args(["run", "--quiet", "--release", "--", "up", "examples/triangle.yaml"]).current_dir(&clone);
    run(up.env("CARGO_TARGET_DIR", clone.join("target")).env("CARGO_NET_OFFLINE", "true"))?;
    let took = start.elapsed();
    run(program(clone.join("target/release/wireloom")).args(["down", "examples/triangle.yaml"]).current_dir(&clone))?;
    std::fs::remove_dir_all(&clone).map_err(Error::file("remove", &clone))?;
    Ok(took)
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
