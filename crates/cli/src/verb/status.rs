//! `wireloom status`: a network as it is, node by node, and what differs from what was asked for. Changes nothing.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

use clap::builder::FalseyValueParser;
use serde::Serialize;
use wireloom_engine::{Label, Owner, Plan, observe, plan};

use super::Ending;
use crate::{
    capability::{NET_ADMIN, SYS_ADMIN},
    changes::{self, Extras, Steps},
    console::{Answer, Console},
    document,
    failure::Failure,
    nodes::{self, Node},
    options::Topology,
    paint::Paint,
    record::Record,
    subject::{self, Desired},
    supervision,
};

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    topology: Topology,
    /// Exit with status 2 when the network differs from what was asked for
    #[arg(long, env = "WIRELOOM_EXIT_CODE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    exit_code: bool,
}

/// A network as it is.
#[derive(Debug, Serialize)]
struct Status<'a> {
    topology: &'a Owner,
    /// `up`, `interrupted` or `down`.
    state: &'static str,
    documents: &'a [PathBuf],
    nodes: BTreeMap<&'a Label, Node<'a>>,
    /// What `up` would change.
    drift: Steps<'a>,
    /// What is in the way of `up`.
    conflicts: Vec<String>,
    left_alone: Extras<'a>,
    processes: Vec<supervision::Row>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let Desired { record, state: desired, .. } = subject::desired(console, &args.topology, &[NET_ADMIN, SYS_ADMIN])?;
    let observed = observe(&record.scope(Some(&desired))?)?;
    let (plan, conflicts) = match plan(&desired, &observed) {
        Ok(plan) => (plan, Vec::new()),
        Err(conflicts) => (empty(&desired.owner), conflicts.iter().map(ToString::to_string).collect()),
    };
    let status = Status {
        topology: &desired.owner,
        state: state(&record),
        documents: record.latest().map(|entry| entry.documents.as_slice()).unwrap_or_default(),
        nodes: nodes::of(&desired, &observed),
        drift: Steps(&plan),
        conflicts,
        left_alone: Extras(&plan.left_alone),
        processes: supervision::rows(&record.ledger)?,
    };
    let differs = !plan.is_empty() || !status.conflicts.is_empty();
    console.answer(&status)?;
    Ok(if args.exit_code && differs { Ending::Differs } else { Ending::Fine })
}

fn state(record: &Record) -> &'static str {
    match (&record.current, &record.next) {
        (_, Some(_)) => "interrupted",
        (Some(_), None) => "up",
        (None, None) => "down",
    }
}

fn empty(owner: &Owner) -> Plan {
    Plan {
        owner: owner.clone(),
        sources: BTreeMap::new(),
        steps: Vec::new(),
        replaced: BTreeMap::new(),
        also_gone: Vec::new(),
        left_alone: Vec::new(),
    }
}

impl Answer for Status<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let files = document::shown(self.documents);
        let from = if self.documents.is_empty() { String::new() } else { format!(", from {files}") };
        let ended = self.processes.iter().filter(|process| !process.alive).count();
        let ended = match ended {
            0 => String::new(),
            1 => paint.bad("; 1 process has ended"),
            several => paint.bad(&format!("; {several} processes have ended")),
        };
        writeln!(out, "{}: {}{ended}{from}", paint.strong(self.topology.as_str()), self.state_in_words(paint))?;
        for (label, node) in &self.nodes {
            node.text(label, paint, out)?;
        }
        if !self.processes.is_empty() {
            writeln!(out, "{}", paint.strong("processes:"))?;
        }
        for process in &self.processes {
            let ended = process.ended.map(|ended| format!(" {}", ended.in_words())).unwrap_or_default();
            let alive = if process.alive { paint.good("runs") } else { paint.bad(&format!("has ended{ended}")) };
            let supervision::Row { node, pid, command, log, .. } = process;
            writeln!(out, "  {node}: {command} ({pid}) {alive}, output in {}", log.display())?;
        }
        self.differences(paint, out)?;
        changes::extra_lines("of others, left alone:", self.left_alone.0, paint, out)
    }
}

impl Status<'_> {
    fn state_in_words(&self, paint: Paint) -> String {
        match (self.state, self.drift.0.is_empty() && self.conflicts.is_empty()) {
            ("up", true) => paint.good("up"),
            ("up", false) => paint.odd("up, and differs from what was asked for"),
            ("interrupted", _) => paint.bad("`up` was interrupted; run it again, or `wireloom down`"),
            _ => paint.faint("down"),
        }
    }

    fn differences(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        if self.state == "down" {
            return Ok(());
        }
        for conflict in &self.conflicts {
            writeln!(out, "{} {conflict}", paint.bad("in the way of `wireloom up`:"))?;
        }
        if !self.drift.0.is_empty() {
            writeln!(out, "{}", paint.strong("`wireloom up` would mend:"))?;
        }
        changes::lines(self.drift.0, usize::MAX, paint, out)
    }
}
