//! `wireloom validate`: all mistakes of a document at once. Looks at nothing but the document.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::Serialize;
use wireloom_engine::Owner;
use wireloom_topology::mistake::Mistakes;

use super::Ending;
use crate::{
    console::{Answer, Console},
    document,
    failure::Failure,
    nodes,
    options::Documents,
    paint::Paint,
    words,
};

/// Options of `validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    documents: Documents,
}

/// A document without mistakes.
#[derive(Debug, Serialize)]
struct Valid<'a> {
    valid: bool,
    topology: &'a Owner,
    documents: &'a [PathBuf],
    nodes: usize,
    links: usize,
    warnings: &'a Mistakes,
}

/// A document with mistakes. For people they are talk, on stderr.
#[derive(Debug, Serialize)]
struct Invalid<'a> {
    valid: bool,
    documents: &'a [PathBuf],
    mistakes: &'a Mistakes,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let files = document::find(&args.documents.files)?;
    let lowered = match document::load(console, &files) {
        Err(Failure::Mistakes(mistakes)) => {
            console.answer(&Invalid { valid: false, documents: &files, mistakes: &mistakes })?;
            return Err(Failure::Mistakes(mistakes));
        }
        other => other?,
    };
    console.answer(&Valid {
        valid: true,
        topology: &lowered.owner,
        documents: &files,
        nodes: nodes::names(&lowered.desired).count(),
        links: nodes::count_links(&lowered.desired),
        warnings: &lowered.warnings,
    })?;
    Ok(Ending::Fine)
}

impl Answer for Valid<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let files = document::shown(self.documents);
        let (nodes, links) = (words::count(self.nodes, "node"), words::count(self.links, "link"));
        writeln!(out, "{files}: {} ({nodes}, {links})", paint.good("fine"))
    }
}

impl Answer for Invalid<'_> {
    fn text(&self, _: Paint, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
