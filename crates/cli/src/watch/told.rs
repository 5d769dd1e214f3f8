//! What a watch tells of each thing that it did: a line on stderr for people, one of JSON on stdout for programs.

use std::time::Duration;

use serde::Serialize;
use wireloom_engine::{Owner, Plan};

use crate::{
    changes::Steps,
    console::Console,
    failure::{Failure, Row},
    summary::Summary,
    words,
};

/// What it did, or what came in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// Brought it up, or found it up.
    Up,
    /// Something differed from the document, and does not any more.
    Mended,
    /// The document has changed, and the network with it.
    Reloaded,
    /// The document is wrong; what is up stays.
    Wrong,
    /// It could not be made right; tried again later.
    Failed,
    /// It ends.
    Ended,
}

/// A line for programs.
#[derive(Serialize)]
struct Line<'a> {
    event: What,
    topology: &'a Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Steps<'a>>,
    /// Nodes that are left as they are.
    #[serde(skip_serializing_if = "<[Held]>::is_empty")]
    held: &'a [Held],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(flatten)]
    failure: Option<Row<'a>>,
}

/// A node that something is wrong with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Held {
    pub(crate) node: String,
    pub(crate) reason: String,
}

/// Who is told.
pub(crate) struct Teller<'a> {
    pub(crate) console: &'a Console,
    pub(crate) topology: Owner,
}

impl Teller<'_> {
    /// What was changed, and how long that took from when it was known to be necessary.
    pub(crate) fn did(&self, event: What, plan: &Plan, time: Duration, held: &[Held]) -> Result<(), Failure> {
        let verb = match event {
            What::Mended => "mended",
            What::Reloaded => "reloaded",
            _ => "up",
        };
        let done = if plan.is_empty() { "nothing to do".to_owned() } else { Summary::of(plan).to_string() };
        self.say(format_args!("{verb}: {done}, in {}", words::time(time)));
        for Held { node, reason } in held {
            self.say(format_args!("node {node} is left as it is: {reason}"));
        }
        let ms = Some((time.as_secs_f64() * 1e6).round() / 1e3);
        self.line(&Line { ms, changed: Some(Steps(plan)), held, ..self.empty(event) })
    }

    /// What went wrong.
    pub(crate) fn failed(&self, event: What, failure: &Failure) -> Result<(), Failure> {
        self.console.complain(failure);
        if event == What::Wrong {
            self.say("the document is wrong, so what is up stays as it is");
        }
        self.line(&Line { failure: Some(failure.row()), ..self.empty(event) })
    }

    /// Why it ends.
    pub(crate) fn ended(&self, reason: &str) -> Result<(), Failure> {
        self.say(reason);
        self.line(&Line { reason: Some(reason), ..self.empty(What::Ended) })
    }

    fn say(&self, text: impl std::fmt::Display) {
        self.console.say(format_args!("{}: {text}", self.topology));
    }

    fn line(&self, line: &Line<'_>) -> Result<(), Failure> {
        if self.console.is_json() { self.console.line(line) } else { Ok(()) }
    }

    fn empty(&self, event: What) -> Line<'_> {
        Line { event, topology: &self.topology, ms: None, changed: None, held: &[], reason: None, failure: None }
    }
}
