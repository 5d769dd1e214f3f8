//! `wireloom plan`: what `up` would change, and nothing is changed. Of a topology named without its document: what
//! `up` would mend.

use std::io::{self, Write};

use clap::builder::FalseyValueParser;
use serde::Serialize;
use wireloom_engine::{Owner, Plan, State, observe, plan};

use super::Ending;
use crate::{
    capability::{NET_ADMIN, SYS_ADMIN},
    changes::{self, Extras, Steps},
    console::{Answer, Console},
    failure::Failure,
    options::Topology,
    paint::Paint,
    record::Record,
    subject::{self, Desired},
    summary::Summary,
};

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    topology: Topology,
    /// Exit with status 2 when there is something to do
    #[arg(long, env = "WIRELOOM_EXIT_CODE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    exit_code: bool,
}

/// What `up` would do.
#[derive(Debug, Serialize)]
struct Planned<'a> {
    topology: &'a Owner,
    changes: Steps<'a>,
    summary: Summary,
    also_gone: Extras<'a>,
    left_alone: Extras<'a>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let Desired { record, state, .. } = subject::desired(console, &args.topology, &[NET_ADMIN, SYS_ADMIN])?;
    let plan = look(&record, &state)?;
    console.answer(&Planned {
        topology: &plan.owner,
        changes: Steps(&plan),
        summary: Summary::of(&plan),
        also_gone: Extras(&plan.also_gone),
        left_alone: Extras(&plan.left_alone),
    })?;
    Ok(if args.exit_code && !plan.is_empty() { Ending::Differs } else { Ending::Fine })
}

/// What it takes to get there.
fn look(record: &Record, desired: &State) -> Result<Plan, Failure> {
    let observed = observe(&record.scope(Some(desired))?)?;
    plan(desired, &observed).map_err(|conflicts| Failure::conflicts(&desired.owner, conflicts))
}

impl Answer for Planned<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let Steps(plan) = self.changes;
        changes::lines(plan, usize::MAX, paint, out)?;
        let name = paint.strong(self.topology.as_str());
        match plan.is_empty() {
            true => writeln!(out, "{name}: nothing to do")?,
            false => writeln!(out, "{name}: {}", self.summary.to_come())?,
        }
        changes::extra_lines("of others, goes with what is removed:", &plan.also_gone, paint, out)?;
        changes::extra_lines("of others, left alone:", &plan.left_alone, paint, out)
    }
}
