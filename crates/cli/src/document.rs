//! Finding and loading the documents of a verb. Does not know their content.

use std::{
    io,
    path::{Path, PathBuf, absolute},
};

use wireloom_engine::{Scope, State, observe};
use wireloom_ledger::Ledger;
use wireloom_topology::{Lowered, load_and_lower_on, variables::Variables};

use crate::{console::Console, failure::Failure, words};

/// What is taken when no document is named, the first that exists.
pub(crate) const DEFAULTS: [&str; 6] =
    ["wireloom.yaml", "wireloom.yml", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Stdin, where a file is expected.
const STDIN: &str = "-";

/// The documents that are meant: those named, or the one of this folder.
pub(crate) fn find(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    let found = DEFAULTS.iter().map(PathBuf::from).find(|path| path.is_file());
    // Without the right to read them there are none to propose.
    found.map(|path| vec![path]).ok_or_else(|| Failure::NoDocument { known: Ledger::list().unwrap_or_default() })
}

/// Loads documents; with all mistakes, or with warnings that are shown.
pub(crate) fn load(console: &Console, files: &[PathBuf]) -> Result<Lowered, Failure> {
    lowered(console, files, &|_| None)
}

/// The same on this machine: what links stand on that the document does not make is looked at, as far as that is allowed.
pub(crate) fn load_here(console: &Console, files: &[PathBuf]) -> Result<Lowered, Failure> {
    let look = |below: &State| {
        let mut scope = Scope::new(&below.owner);
        scope.desire(below);
        observe(&scope).ok()
    };
    lowered(console, files, &look)
}

fn lowered(console: &Console, files: &[PathBuf], look: &dyn Fn(&State) -> Option<State>) -> Result<Lowered, Failure> {
    let lowered = load_and_lower_on(files, &variables(files), look).map_err(Failure::Mistakes)?;
    console.warnings(&lowered.warnings);
    Ok(lowered)
}

/// The environment, and `.env` beside the first document.
pub(crate) fn variables(files: &[PathBuf]) -> Variables {
    let first = files.first().map(|list| list.to_string_lossy().split(':').next().unwrap_or_default().to_owned());
    let folder = first.as_deref().map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
    Variables::from_env_and(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// The documents as they can be found from anywhere.
pub(crate) fn absolutes(files: &[PathBuf]) -> Vec<PathBuf> {
    let parts = files.iter().flat_map(|list| std::env::split_paths(list));
    parts
        .map(|path| if is_stdin(&path) { path } else { plain(&path).or_else(|_| absolute(&path)).unwrap_or(path) })
        .collect()
}

/// Without `..` and links to folders in it, and with the name that the user gave the file.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let path = absolute(path)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

/// The documents for people.
pub(crate) fn shown(files: &[PathBuf]) -> String {
    let name = |path: &PathBuf| if is_stdin(path) { "(stdin)".to_owned() } else { path.display().to_string() };
    words::list(files.iter().map(name))
}

/// Whether something of that name can be read as a document.
pub(crate) fn exists(path: &Path) -> bool {
    is_stdin(path) || (path.exists() && !path.is_dir())
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}
