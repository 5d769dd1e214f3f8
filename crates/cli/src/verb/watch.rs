//! `wireloom watch`: brings a network up and keeps it as its documents say, until it is told to end.

use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;

use super::{Ending, down};
use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    console::Console,
    document,
    failure::Failure,
    options::Documents,
    signals,
    watch::{Watch, files::Files, sentinel::Sentinel},
};

/// Options of `watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    documents: Documents,
    /// Take the network down at the end, instead of leaving it up
    #[arg(long, env = "WIRELOOM_DOWN_ON_EXIT", hide_env_values = true, value_parser = FalseyValueParser::new())]
    down_on_exit: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let files = document::absolutes(&document::find(&args.documents.files)?);
    if files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::WatchStdin);
    }
    let lowered = document::load_here(console, &files)?;
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let signals = signals::catch_awake()?;
    let reload = signals.on_hangup()?;
    let sentinel = Sentinel::new(Files::new(watched(&files))?, signals.wake)?;
    let owner = lowered.owner.clone();
    Watch::new(console, files, lowered, (&signals.stop, &reload), sentinel).run()?;
    if args.down_on_exit {
        down::quietly(console, &owner)?;
    }
    Ok(Ending::Fine)
}

/// The documents, and where their variables come from.
fn watched(files: &[PathBuf]) -> Vec<PathBuf> {
    let variables = files.first().and_then(|file| file.parent()).map(|folder| folder.join(".env"));
    files.iter().cloned().chain(variables).collect()
}
