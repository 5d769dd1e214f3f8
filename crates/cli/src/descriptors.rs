//! How many files may be open at once: as many as the system allows while we work, as the engine keeps up to 512
//! namespaces open; as many as the user had for the programs that we start. Does not count them.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The soft limit before we raised it.
static USUAL: OnceLock<u64> = OnceLock::new();

/// Raises the soft limit to the hard one. Where that fails the usual limit holds, and whoever meets it says so.
pub(crate) fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let usual = *USUAL.get_or_init(|| soft);
        if usual < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
        }
    }
}

/// Puts the soft limit back, for programs that are about to be started: select(2) knows only 1024 files.
pub(crate) fn lower() {
    if let (Some(usual), Ok((_, hard))) = (USUAL.get(), getrlimit(Resource::RLIMIT_NOFILE)) {
        setrlimit(Resource::RLIMIT_NOFILE, *usual, hard).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_limit_that_we_had() {
        let limit = || getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let (before, hard) = limit();
        raise();
        assert_eq!(limit(), (hard, hard));
        lower();
        assert_eq!(limit(), (before, hard));
    }
}
