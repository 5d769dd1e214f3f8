//! The released binary: built static and stripped with the `dist` profile, and kept small; beside it what it says about
//! itself to shells and to man.
//! Deliberately does not know how it is packaged.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::error::Error;
use crate::program::{self, cargo, program, read};
use crate::talk::say;
use crate::workspace::Workspace;

/// glibc linked in (there is no name look-up in it that would need the shared one), so that it runs on any distribution.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// 8 MB, the promise of the README.
const LIMIT: u64 = 8_000_000;

/// Where each shell looks for completions, below the prefix that a package is installed in.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/wireloom"),
    ("zsh", "zsh/site-functions/_wireloom"),
    ("fish", "fish/vendor_completions.d/wireloom.fish"),
];

/// Units for systemd, as they are shipped.
const UNITS: &str = "dist/systemd";

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
    let share = path.with_file_name("share");
    about_itself(&path, &share)?;
    say!("{} {size} bytes", path.display());
    let units = path.with_file_name("lib/systemd/system");
    copy_all(&workspace.root.join(UNITS), &units)?;
    say!("{} completions and man pages", share.display());
    say!("{} units for systemd", units.display());
    if size > LIMIT { Err(Error::TooLarge { path, size, limit: LIMIT }) } else { Ok(ExitCode::SUCCESS) }
}

/// Completions and man pages: the binary knows them.
fn about_itself(binary: &Path, share: &Path) -> Result<(), Error> {
    for (shell, place) in COMPLETIONS {
        let script = read(program(binary).args(["completions", shell]))?;
        let path = share.join(place);
        let folder = path.parent().unwrap_or(share);
        fs::create_dir_all(folder).map_err(Error::file("make folder", folder))?;
        fs::write(&path, script).map_err(Error::file("write", &path))?;
    }
    read(program(binary).args(["man", "--write"]).arg(share.join("man/man1"))).map(drop)
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::file("make folder", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("list", from))? {
        let path = entry.map_err(Error::file("list", from))?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        fs::copy(&path, &copy).map_err(Error::file("write", &copy))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_the_binary_says_lies_where_shells_and_man_look() {
        let folder = std::env::temp_dir().join(format!("wireloom-dist-{}", std::process::id()));
        let (binary, share) = (folder.join("wireloom"), folder.join("share"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&binary, "#!/bin/sh\n[ $1 = man ] && mkdir -p \"$3\" && : > \"$3/wireloom.1\"; echo $*\n").unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        about_itself(&binary, &share).unwrap();
        let script = fs::read_to_string(share.join("zsh/site-functions/_wireloom")).unwrap();
        assert_eq!(script, "completions zsh\n");
        assert!(share.join("man/man1/wireloom.1").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
