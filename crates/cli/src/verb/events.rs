//! `wireloom events`: a line for each thing that happens in networks that are up, until it is told to end. Changes nothing.

use std::{io, os::fd::AsFd, sync::atomic::Ordering, time::Duration};

use clap::builder::FalseyValueParser;
use wireloom_engine::Owner;
use wireloom_ledger::Ledger;

use super::Ending;
use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    console::Console,
    duration,
    events::{Stage, Wanted},
    failure::Failure,
    signals,
};

/// Options of `events`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Topologies that are up; without any, all that are up or come up
    #[arg(value_name = "NAME")]
    topologies: Vec<Owner>,
    /// Tell of routes too
    #[arg(long, env = "WIRELOOM_ROUTES", hide_env_values = true, value_parser = FalseyValueParser::new())]
    routes: bool,
    /// Tell what went through each interface, every so often: 10s, 500ms, 1m
    #[arg(long, value_name = "TIME", env = "WIRELOOM_INTERVAL", hide_env_values = true)]
    #[arg(value_parser = duration::parse)]
    interval: Option<Duration>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let known = Ledger::list()?;
    if let Some(name) = args.topologies.iter().find(|name| !known.contains(name)) {
        return Err(Failure::NotUp { name: name.clone(), known });
    }
    let signals = signals::catch_awake()?;
    // No time is none at all: it would be a busy loop.
    let interval = args.interval.map(|interval| interval.max(Duration::from_millis(10)));
    let wanted = Wanted { topologies: args.topologies.clone(), routes: args.routes, interval };
    let mut stage = Stage::new(console, wanted)?;
    let stdout = io::stdout();
    stage.follow()?;
    while !signals.stop.load(Ordering::Relaxed) && stage.sleep(signals.wake.as_fd(), stdout.as_fd())? {
        stage.tell()?;
    }
    Ok(Ending::Fine)
}
