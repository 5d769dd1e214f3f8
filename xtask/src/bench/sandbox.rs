//! The throwaway machine, and namespaces on it for the baselines. Deliberately without links: those are measured.

use std::ops::ControlFlow;
use std::time::Duration;

use wireloom_netlink::Graveyard;
use wireloom_netns::Netns;

use super::chain::{Chain, GROUP};
use crate::error::Error;

/// What `unshare --net --mount sh -ec` runs before its arguments.
pub(super) const SCRIPT: &str = r#"mount -t tmpfs -o mode=755 tmpfs /run; exec "$@""#;

/// How long the kernel may take to clean up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the namespaces of the chain, does the work that is measured, and waits until all is gone.
pub(super) fn with_namespaces<T>(chain: Chain, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let mut failed = None;
    let each = |_: &str, netns: wireloom_netns::Result<Netns>| match netns {
        Ok(_) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    let outcome = wireloom_netns::create_many(chain.netns(), |_| Ok(()), each);
    let outcome = outcome.map_err(Error::from).and_then(|()| failed.map_or(Ok(()), |error| Err(error.into())));
    let result = outcome.and_then(|()| work());
    clean_up(chain)?;
    result
}

/// Until the last link is gone: what the kernel still cleans up would slow down what is measured next.
fn clean_up(chain: Chain) -> Result<(), Error> {
    let mut graveyard = Graveyard::new()?;
    let names: Vec<String> = chain.netns().collect();
    for name in &names {
        match Netns::named(name) {
            Ok(netns) => graveyard.watch(&netns, name)?,
            Err(wireloom_netns::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some((_, error)) = wireloom_netns::remove_many(&names).into_iter().next() {
        return Err(error.into());
    }
    graveyard.wait(PATIENCE, GROUP)?;
    Ok(())
}

/// Runs what switches namespaces on a thread of its own, which comes back before it ends.
pub(super) fn inside<T: Send>(work: impl FnOnce() -> std::io::Result<T> + Send) -> Result<T, Error> {
    Netns::current()?.run(work)?.map_err(|source| Error::Bare { source })
}
