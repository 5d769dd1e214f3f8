//! The released binary: built static and stripped with the `dist` profile, and kept small.
//! Deliberately does not know how it is packaged.

use std::fs;
use std::process::ExitCode;

use crate::error::Error;
use crate::program::{self, cargo};
use crate::talk::say;
use crate::workspace::Workspace;

/// glibc linked in (there is no name look-up in it that would need the shared one), so that it runs on any distribution.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// 8 MB, the promise of the README.
const LIMIT: u64 = 8_000_000;

/// `cargo xtask dist`: prints the path and the size.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode, Error> {
    // A target directory of its own: other flags would rebuild everything else at every change of verb.
    let target = workspace.target.join("dist");
    let mut command = cargo();
    command.args(["build", "--package", "wireloom-cli", "--profile", "dist", "--target", TRIPLE]);
    command.arg("--target-dir").arg(&target).current_dir(&workspace.root);
    program::run(command.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let path = target.join(TRIPLE).join("dist/wireloom");
    let size = fs::metadata(&path).map_err(Error::file("read", &path))?.len();
    say!("{} {size} bytes", path.display());
    if size > LIMIT { Err(Error::TooLarge { path, size, limit: LIMIT }) } else { Ok(ExitCode::SUCCESS) }
}
