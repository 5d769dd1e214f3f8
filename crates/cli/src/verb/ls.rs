//! `wireloom ls`: the topologies that are up, from their ledgers. Does not look at the kernel: `status` does.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::Serialize;
use wireloom_engine::Owner;
use wireloom_ledger::Ledger;

use super::Ending;
use crate::{
    console::{Answer, Console},
    document,
    failure::Failure,
    nodes,
    paint::Paint,
    record::Record,
    words,
};

/// `ls` takes no options of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// All topologies.
#[derive(Debug, Serialize)]
struct List {
    topologies: Vec<Row>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Row {
    name: Owner,
    /// `up`, `interrupted`, or `unknown` where the ledger cannot be read.
    state: &'static str,
    nodes: usize,
    links: usize,
    documents: Vec<PathBuf>,
}

pub(crate) fn run(console: &Console, _: &Args) -> Result<Ending, Failure> {
    let topologies: Vec<Row> = Ledger::list()?.into_iter().map(|owner| row(console, owner)).collect();
    if topologies.is_empty() {
        console.say("nothing is up");
    }
    console.answer(&List { topologies })?;
    Ok(Ending::Fine)
}

fn row(console: &Console, name: Owner) -> Row {
    let (nodes, links, documents) = (0, 0, Vec::new());
    let record = match Record::read(&name) {
        Ok(record) => record,
        Err(failure) => {
            console.warn(&failure);
            return Row { name, state: "unknown", nodes, links, documents };
        }
    };
    let state = if record.next.is_some() { "interrupted" } else { "up" };
    let Some(entry) = record.latest() else { return Row { name, state: "interrupted", nodes, links, documents } };
    let (nodes, links) = (nodes::names(&entry.desired).count(), nodes::count_links(&entry.desired));
    Row { name, state, nodes, links, documents: entry.documents.clone() }
}

impl Answer for List {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let counts = |row: &Row| format!("{}, {}", words::count(row.nodes, "node"), words::count(row.links, "link"));
        let widest = |length: &dyn Fn(&Row) -> usize| self.topologies.iter().map(length).max().unwrap_or_default();
        let (names, states) = (widest(&|row| row.name.as_str().len()), widest(&|row| row.state.len()));
        let numbers = widest(&|row| counts(row).len());
        for row in &self.topologies {
            let name = paint.strong(&format!("{:names$}", row.name.as_str()));
            let state = format!("{:states$}", row.state);
            let state = if row.state == "up" { paint.good(&state) } else { paint.bad(&state) };
            writeln!(out, "{name}  {state}  {:numbers$}  {}", counts(row), document::shown(&row.documents))?;
        }
        Ok(())
    }
}
