//! What becomes of a topology whose ledger is damaged: where to look for what only the damaged file named, and what
//! may be left all the same. Does not remove anything.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;
use wireloom_engine::{Label, Namespace, Source, State};
use wireloom_ledger::Error;

use crate::{failure::Failure, record::Record};

/// A file that could not be read, and was kept.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    /// Where it is now.
    pub(crate) file: PathBuf,
    pub(crate) reason: String,
    pub(crate) may_be_left: &'static str,
}

impl Kept {
    /// What is to be told of each, in the same order.
    pub(crate) fn all(errors: &[Error], files: Vec<PathBuf>) -> Vec<Kept> {
        let kept = |(error, file): (&Error, PathBuf)| Kept { reason: reason(error), may_be_left: lost(error), file };
        errors.iter().zip(files).map(kept).collect()
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kept { file, reason, may_be_left } = self;
        write!(f, "{} is kept, as it could not be read ({reason}); what may be left: {may_be_left}", file.display())
    }
}

/// The files that are damaged. One that a newer wireloom wrote is none: there is somebody who can read it.
pub(crate) fn damaged(errors: &[Error]) -> Option<Vec<PathBuf>> {
    errors.iter().map(|error| error.unreadable().map(Path::to_owned)).collect()
}

/// Adds to `places` where the kernel may have something that only the damaged files named: here, and the namespaces
/// that the settings of before were recorded for, as far as they have a name.
pub(crate) fn widen(places: &mut State, record: &Record) -> Result<(), Failure> {
    let host: Label = Label::HOST.parse().expect("a valid label");
    let known = record.sources(Some(places));
    let missing: Vec<_> = record.before().iter().filter(|before| !known.contains_key(&before.netns)).collect();
    let named = if missing.is_empty() { Vec::new() } else { wireloom_netns::list()? };
    for name in named {
        let source = Source::Named(name);
        let Some(id) = source.open().ok().and_then(|netns| netns.id().ok()) else { continue };
        let found = missing.iter().filter(|before| before.id == id.to_string());
        places.namespaces.extend(found.map(|before| (before.netns.clone(), Namespace::new(source.clone(), false))));
    }
    places.namespaces.entry(host).or_insert_with(|| Namespace::new(Source::Current, false));
    Ok(())
}

/// The reason alone: the file has another name by now, and what helps has been done.
fn reason(error: &Error) -> String {
    match error {
        Error::Corrupt { cause, .. } => cause.to_string(),
        Error::File { cause, .. } => cause.to_string(),
        other => other.to_string(),
    }
}

/// What only this file can have known.
fn lost(error: &Error) -> &'static str {
    match error.unreadable().and_then(Path::file_name).and_then(|name| name.to_str()) {
        Some("before.jsonl") => "settings in namespaces that it did not make, which are not as they were before",
        Some("processes.jsonl") => "processes that it started and that have emptied their environment",
        _ => {
            "addresses and routes in namespaces that it did not make (`wireloom audit` finds them where those have a \
             name), settings there, and names without a namespace"
        }
    }
}
