//! `wireloom up`: makes the network as a document says, and tells what it changed.

use std::collections::BTreeMap;

use clap::builder::FalseyValueParser;
use wireloom_ledger::Ledger;
use wireloom_topology::Lowered;

use super::Ending;
use crate::{
    bring_up::{BringUp, Outcome},
    capability::{self, NET_ADMIN, SYS_ADMIN},
    changes::{Extras, Steps},
    console::Console,
    document,
    failure::Failure,
    made::Made,
    options::Documents,
    signals,
    summary::{self, Summary},
};

/// Options of `up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    documents: Documents,
    /// When a step fails, leave what was made until then instead of undoing it
    #[arg(long, env = "WIRELOOM_KEEP_PARTIAL", hide_env_values = true, value_parser = FalseyValueParser::new())]
    keep_partial: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let files = document::find(&args.documents.files)?;
    let lowered = document::load_here(console, &files)?;
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let cancelled = signals::catch()?;
    let lock = Ledger::open(&lowered.owner)?.lock("up", &cancelled, |holder| waiting(console, holder))?;
    let (cancelled, keep_partial) = (&*cancelled, args.keep_partial);
    let mut up = BringUp {
        console,
        keep_partial,
        cancelled,
        lowered: &lowered,
        warnings: Vec::new(),
        by_node: false,
        held: BTreeMap::new(),
    };
    let outcome = up.run(&files);
    drop(lock);
    answer(console, &lowered, outcome?, up.warnings)
}

/// Tells who has the lock.
pub(crate) fn waiting(console: &Console, holder: &wireloom_ledger::Holder) {
    console.say(format_args!("waiting for `wireloom {}` (process {}) to end", holder.verb, holder.pid));
}

fn answer(console: &Console, lowered: &Lowered, up: Outcome, warnings: Vec<String>) -> Result<Ending, Failure> {
    let Outcome { report, rooms, commands, failed, unsettled, first, time } = up;
    // Shown already, when the document was loaded.
    let of_document = lowered.warnings.list.iter().map(|warning| warning.message.clone());
    console.answer(&Made {
        topology: &lowered.owner,
        changed: Steps(&report.plan),
        summary: Summary::of(&report.plan),
        phases: summary::rounded(&report.phases),
        also_gone: Extras(&report.plan.also_gone),
        left_alone: Extras(&report.plan.left_alone),
        rooms: &rooms,
        commands: &commands,
        failed: failed.as_ref().map(ToString::to_string),
        warnings: of_document.chain(warnings).collect(),
        first,
        time,
    })?;
    match (failed, unsettled) {
        (None, None) => Ok(Ending::Fine),
        (Some(failure), None) | (None, Some(failure)) => Err(failure),
        (Some(failure), Some(unsettled)) => Err(Failure::Several(vec![failure, unsettled])),
    }
}
