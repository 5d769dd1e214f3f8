//! `wireloom link up|down`: takes links of a network that is up down, and up again, on top of what the document says.

use clap::{ValueEnum, builder::FalseyValueParser};
use wireloom_engine::LinkRef;

use super::{Ending, impair::answer};
use crate::{
    console::Console,
    failure::Failure,
    live::{self, Live, Where},
    signals,
};

/// Options of `link`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// What to do with them
    #[arg(value_enum)]
    to: Direction,
    /// The links
    #[arg(value_name = "NODE:INTERFACE", required = true)]
    links: Vec<LinkRef>,
    /// Both ends of each cable
    #[arg(long, env = "WIRELOOM_BOTH", hide_env_values = true, value_parser = FalseyValueParser::new())]
    both: bool,
    /// Keep it also over `down` and the next `up`, until it is reset
    #[arg(long, env = "WIRELOOM_PERSIST", hide_env_values = true, value_parser = FalseyValueParser::new())]
    persist: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Administratively up
    Up,
    /// Administratively down: the other end loses its carrier
    Down,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let owner = args.place.owner(console, &args.links)?;
    let cancelled = signals::catch()?;
    let mut live = Live::open(console, &owner, "link", &cancelled)?;
    let mut links = Vec::new();
    for at in &args.links {
        links.append(&mut live.ends(at, args.both)?);
    }
    let up = args.to == Direction::Up;
    let mut overlays = live.record.overlays.clone();
    for at in &links {
        overlays.forget(at, |change| change.up = None);
        let asked = live::link(&live.document, at)?.up != Some(false);
        let overlay = if args.persist { &mut overlays.kept } else { &mut overlays.passing };
        // What the document says anyway is nothing on top of it.
        overlay.change(at, |change| change.up = (asked != up).then_some(up));
    }
    let report = live.lay(overlays, &links.iter().cloned().collect())?;
    answer(console, &live, &report.plan, &links)
}
