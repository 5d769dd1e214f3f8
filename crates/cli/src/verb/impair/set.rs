//! `wireloom impair set`: another impairment than the document's, at once.

use clap::builder::FalseyValueParser;
use wireloom_engine::LinkRef;
use wireloom_ledger::Impairment;

use super::{Ending, answer};
use crate::{
    console::Console,
    failure::Failure,
    live::{Live, Refused, Where},
    signals,
};

/// What stands for no impairment at all.
const NONE: &str = "none";

/// Options of `impair set`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// The link, by the end that sends
    #[arg(value_name = "NODE:INTERFACE")]
    link: LinkRef,
    /// What netem takes, as in documents; or `none`
    #[arg(value_name = "NETEM", required = true, allow_negative_numbers = true)]
    netem: Vec<String>,
    /// Both ends of a cable
    #[arg(long, env = "WIRELOOM_BOTH", hide_env_values = true, value_parser = FalseyValueParser::new())]
    both: bool,
    /// Keep it also over `down` and the next `up`, until it is reset
    #[arg(long, env = "WIRELOOM_PERSIST", hide_env_values = true, value_parser = FalseyValueParser::new())]
    persist: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let impairment = read(&args.netem)?;
    let owner = args.place.owner(console, std::slice::from_ref(&args.link))?;
    let cancelled = signals::catch()?;
    let mut live = Live::open(console, &owner, "impair", &cancelled)?;
    let links = live.ends(&args.link, args.both)?;
    let mut overlays = live.record.overlays.clone();
    for at in &links {
        // Kept or passing, it is one of both: what was said before is not to come back by itself.
        overlays.forget(at, |change| change.impairment = None);
        let overlay = if args.persist { &mut overlays.kept } else { &mut overlays.passing };
        overlay.change(at, |change| change.impairment = Some(impairment.clone()));
    }
    let report = live.lay(overlays, &links.iter().cloned().collect())?;
    answer(console, &live, &report.plan, &links)
}

fn read(words: &[String]) -> Result<Impairment, Failure> {
    match words {
        [only] if only == NONE => Ok(Impairment::Nothing),
        words => {
            wireloom_topology::impairment(&words.join(" ")).map(Impairment::Qdisc).map_err(|e| Refused::from(e).into())
        }
    }
}
