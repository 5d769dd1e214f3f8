//! The measurements: everything that is compared runs in turn within each repetition, so that a busy moment of the
//! machine meets all of them alike. Deliberately does not judge what comes out.

use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};

use super::chain::Chain;
use super::machine::Machine;
use super::results::{ChainResults, Results, Series};
use super::wireloom::Wireloom;
use super::{Args, bare, batch, mend, sandbox};
use crate::error::Error;
use crate::talk::complain;
use crate::workspace::Workspace;

/// The usual chain, and the one of `--quick`.
const USUAL: Chain = Chain(1000);
const QUICK: Chain = Chain(100);
/// The one that shows what grows faster than the chain.
const LONG: Chain = Chain(10_000);
/// It takes half a minute.
const LONG_REPETITIONS: usize = 3;
/// A process of a few milliseconds needs more repetitions than one of a second.
const ONE_LINK_REPETITIONS: usize = 5;

/// All of them.
pub(super) fn all(workspace: &Workspace, args: &Args) -> Result<Results, Error> {
    let binary = workspace.target.join("release/wireloom");
    let machine = Machine::here();
    let chain = chain(&binary, if args.quick { QUICK } else { USUAL }, args.repetitions, true)?;
    let one_link = one_link(&binary, ONE_LINK_REPETITIONS * args.repetitions)?;
    let mended = mend::links(&binary, args.repetitions)?;
    let long = if args.quick { None } else { Some(long(&binary)?) };
    let released = workspace.target.join("dist/x86_64-unknown-linux-gnu/dist/wireloom");
    let size = released.metadata().ok().map(|found| found.len());
    Ok(Results { machine, repetitions: args.repetitions, chain, long, one_link, mended, binary: size, fresh: None })
}

/// One length of chain, by all ways of making it.
fn chain(binary: &Path, chain: Chain, repetitions: usize, with_batch: bool) -> Result<ChainResults, Error> {
    let mut results = ChainResults { links: chain.0, ..ChainResults::default() };
    let wireloom = Wireloom::new(binary, &chain.document())?;
    for repetition in 1..=repetitions {
        complain!("bench: {} links, {repetition} of {repetitions}", chain.0);
        let bare = sandbox::with_namespaces(chain, || sandbox::inside(|| bare::run(chain)))?;
        results.bare.push(bare.links + bare.addresses);
        results.bare_links.push(bare.links);
        if with_batch {
            results.batch.push(sandbox::with_namespaces(chain, || batch::run(chain))?);
        }
        up_and_down(&wireloom, &mut results)?;
    }
    Ok(results)
}

/// The chain comes up, comes up again, and goes.
fn up_and_down(wireloom: &Wireloom, results: &mut ChainResults) -> Result<(), Error> {
    let up = wireloom.run("up")?;
    results.up.push(up.wall);
    results.only_links.push(up.phases(&["links"]));
    results.links_and_addresses.push(up.phases(&["links", "addresses"]));
    results.again.push(wireloom.run("up")?.wall);
    results.down.push(wireloom.run("down")?.wall);
    Ok(())
}

/// The long chain, with the memory that `up` takes.
fn long(binary: &Path) -> Result<ChainResults, Error> {
    let results = chain(binary, LONG, LONG_REPETITIONS, false)?;
    // The largest of all programs that have ended so far, which is this one: the others are `ip` and short chains.
    let kib = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|errno| Error::Bare { source: errno.into() })?.max_rss();
    Ok(ChainResults { resident: Some(u64::try_from(kib).unwrap_or(0) << 10), ..results })
}

/// A single link as a whole process: what a script or a plugin waits for.
fn one_link(binary: &Path, repetitions: usize) -> Result<Series, Error> {
    let wireloom = Wireloom::new(binary, &Chain(1).document())?;
    let mut series = Series::default();
    for _ in 0..repetitions {
        series.push(wireloom.run("up")?.wall);
        wireloom.run("down")?;
    }
    Ok(series)
}
