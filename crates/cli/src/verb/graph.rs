//! `wireloom graph`: a picture of a network. Of one that is up, with what is down or missing in red. Does not draw.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Serialize;
use wireloom_engine::{State, observe};
use wireloom_graph::Graph;

use super::Ending;
use crate::{
    attached::Entry,
    capability::{self, NET_ADMIN, SYS_ADMIN},
    console::{Answer, Console},
    document,
    failure::Failure,
    options::Topology,
    paint::Paint,
    record::Record,
    subject::{self, Subject},
};

/// Options of `graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    topology: Topology,
    /// How to write the picture; without it, as the name of the file of --write ends, or else svg
    #[arg(long, value_enum, env = "WIRELOOM_FORMAT", hide_env_values = true)]
    format: Option<Language>,
    /// Write the picture into this file, and not to stdout
    #[arg(short, long, value_name = "FILE", env = "WIRELOOM_WRITE", hide_env_values = true)]
    write: Option<PathBuf>,
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// For Graphviz
    Dot,
    /// For pages of forges and wikis
    Mermaid,
    /// A picture for browsers
    Svg,
}

/// A picture: for people as they want it, for programs what is in it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Picture {
    graph: Graph,
    /// None when it went into a file.
    #[serde(skip)]
    text: Option<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let graph = look(console, &args.topology)?;
    let text = language(args).draw(&graph);
    let text = match &args.write {
        None => Some(text),
        Some(path) => {
            fs::write(path, text).map_err(|cause| Failure::Write { path: path.clone(), cause })?;
            None
        }
    };
    console.answer(&Picture { graph, text })?;
    Ok(Ending::Fine)
}

/// A document is compared with the kernel when its topology is up and we may look; else it is drawn as it is written.
fn look(console: &Console, args: &Topology) -> Result<Graph, Failure> {
    let rights = capability::need(&[NET_ADMIN, SYS_ADMIN]);
    let (record, desired) = match subject::to_look_at(args)? {
        Subject::Topology(owner) => {
            rights?;
            let (record, Entry { desired, .. }) = subject::up(&owner)?;
            (record, desired)
        }
        Subject::Documents(files) => {
            let lowered = document::load(console, &files)?;
            if rights.is_err() {
                return Ok(wireloom_graph::graph(&lowered.desired, None));
            }
            (Record::read(&lowered.owner)?, lowered.desired)
        }
    };
    let observed = record.latest().is_some().then(|| observed(&record, &desired)).transpose()?;
    Ok(wireloom_graph::graph(&desired, observed.as_ref()))
}

fn observed(record: &Record, desired: &State) -> Result<State, Failure> {
    Ok(observe(&record.scope(Some(desired))?)?)
}

fn language(args: &Args) -> Language {
    let ending = args.write.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    args.format.unwrap_or(match ending {
        Some("dot" | "gv") => Language::Dot,
        Some("mmd" | "mermaid") => Language::Mermaid,
        _ => Language::Svg,
    })
}

impl Language {
    fn draw(self, graph: &Graph) -> String {
        match self {
            Language::Dot => wireloom_graph::dot(graph),
            Language::Mermaid => wireloom_graph::mermaid(graph),
            Language::Svg => wireloom_graph::svg(graph),
        }
    }
}

impl Answer for Picture {
    fn text(&self, _: Paint, out: &mut dyn Write) -> io::Result<()> {
        self.text.as_ref().map_or(Ok(()), |text| out.write_all(text.as_bytes()))
    }
}
