//! What no compiler checks: dependency arrows, file headers, words that must not be in the repository, and that what
//! README tells people to type exists. Deliberately only reads, and needs nothing but the files.

mod arrows;
mod files;
mod pure;
mod readme;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::Error;
use crate::program::{program, read_text};
use crate::talk::{complain, say};
use crate::workspace::Workspace;

/// A text file of the repository.
struct Source {
    /// Relative to the workspace's root.
    path: String,
    /// All of it.
    text: String,
}

/// `cargo xtask tidy`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode, Error> {
    let findings = check(workspace)?;
    say!("tidy: {} findings", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All findings, each complained about; none is good.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let sources = sources(workspace)?;
    let mut findings = arrows::check(&workspace.packages);
    findings.extend(files::check(&sources));
    findings.extend(readme::check(&sources));
    findings.extend(pure::check(&sources));
    findings.iter().for_each(|finding| complain!("tidy: {finding}"));
    files::long(&sources).for_each(|path| complain!("tidy: warning: {path} is past 400 lines: look for the seam"));
    Ok(findings)
}

/// Everything that is or would be committed, binaries left out.
fn sources(workspace: &Workspace) -> Result<Vec<Source>, Error> {
    let mut git = program("git");
    // Root, whom the tests need, often works in a clone that belongs to somebody else.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&workspace.root);
    let names = read_text(&mut git)?;
    let paths = names.split_terminator('\0').map(|path| (path.to_owned(), workspace.root.join(path)));
    Ok(paths.filter_map(|(path, file)| Some(Source { path, text: text_of(file)? })).collect())
}

/// The file's text; nothing for a binary, and for one that was deleted but not yet committed as such.
fn text_of(file: PathBuf) -> Option<String> {
    String::from_utf8(fs::read(file).ok()?).ok()
}
