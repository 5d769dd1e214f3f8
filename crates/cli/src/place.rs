//! Where a namespace of a state is, as a file and as users call it. Does not know what is inside.

use std::path::{Path, PathBuf};

use wireloom_engine::Source;
use wireloom_netns::DIRECTORY;

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
