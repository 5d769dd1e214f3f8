//! Where a namespace of a state is: opening it, and what users call it. Does not know what is inside.

use std::path::{Path, PathBuf};

use wireloom_engine::Source;
use wireloom_netns::{DIRECTORY, Netns};

/// Opens the namespace.
pub(crate) fn open(source: &Source) -> wireloom_netns::Result<Netns> {
    match source {
        Source::Current => Netns::current(),
        Source::Named(name) => Netns::named(name),
        Source::Path(path) => Netns::open(path),
    }
}

/// The file that stands for it.
pub(crate) fn path(source: &Source) -> PathBuf {
    match source {
        Source::Current => "/proc/self/ns/net".into(),
        Source::Named(name) => Path::new(DIRECTORY).join(name),
        Source::Path(path) => path.clone(),
    }
}

/// Its name, if `ip netns` knows it by one.
pub(crate) fn name(source: &Source) -> Option<&str> {
    match source {
        Source::Named(name) => Some(name),
        Source::Current | Source::Path(_) => None,
    }
}
