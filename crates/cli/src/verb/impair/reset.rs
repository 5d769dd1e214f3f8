//! `wireloom impair reset`: links are as their document says again, impairments and all.

use clap::builder::FalseyValueParser;
use wireloom_engine::LinkRef;
use wireloom_ledger::{Change, Ledger, Overlays};

use super::{Ending, Links, answer};
use crate::{
    changes::Steps,
    console::Console,
    failure::Failure,
    live::{self, Live, Where},
    record::Record,
    signals,
    verb::waiting,
};

/// Options of `impair reset`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// The links
    #[arg(value_name = "NODE:INTERFACE", required_unless_present = "all")]
    links: Vec<LinkRef>,
    /// Both ends of each cable
    #[arg(long, env = "WIRELOOM_BOTH", hide_env_values = true, value_parser = FalseyValueParser::new())]
    both: bool,
    /// Every link of the topology; also what was kept of one that is down
    #[arg(long, env = "WIRELOOM_IMPAIR_ALL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    #[arg(conflicts_with = "links")]
    all: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let owner = args.place.owner(console, &args.links)?;
    let cancelled = signals::catch()?;
    if args.all && Record::read(&owner)?.latest().is_none() {
        let mut ledger = Ledger::open(&owner)?;
        let lock = ledger.lock("impair", &cancelled, |holder| waiting(console, holder))?;
        // Nothing of it is up, so that there is nothing to change but what was kept.
        if Record::read(&owner)?.latest().is_none() {
            ledger.write_overlays(&Overlays::default())?;
            ledger.remove()?;
            drop(lock);
            let plan = live::nothing(&owner);
            console.answer(&Links { topology: &owner, changed: Steps(&plan), links: Vec::new() })?;
            return Ok(Ending::Fine);
        }
    }
    let mut live = Live::open(console, &owner, "impair", &cancelled)?;
    let mut overlays = live.record.overlays.clone();
    let mut links = Vec::new();
    if args.all {
        links.extend(overlays.merged().links.into_keys());
    }
    for at in &args.links {
        // What the document has lost meanwhile may still be forgotten.
        match overlays.merged().links.contains_key(at) && !args.both {
            true => links.push(at.clone()),
            false => links.append(&mut live.ends(at, args.both)?),
        }
    }
    for at in &links {
        overlays.forget(at, |change| *change = Change::default());
    }
    let report = live.lay(overlays, &links.iter().cloned().collect())?;
    answer(console, &live, &report.plan, &links)
}
