//! What `up` has made, for people and for programs. Does not know how it was made.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;
use wireloom_engine::{Owner, PhaseTime};

use crate::{
    changes::{self, Extras, Steps},
    console::Answer,
    paint::Paint,
    room::Changed,
    summary::Summary,
    supervision::Done,
    words,
};

/// Lines of a diff that are shown; a plan of thousands is no longer read.
const LINES: usize = 50;

/// What `up` did.
#[derive(Debug, Serialize)]
pub(crate) struct Made<'a> {
    pub(crate) topology: &'a Owner,
    pub(crate) changed: Steps<'a>,
    pub(crate) summary: Summary,
    pub(crate) phases: Vec<PhaseTime>,
    pub(crate) also_gone: Extras<'a>,
    pub(crate) left_alone: Extras<'a>,
    /// The rooms of nodes that were made, changed or removed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) rooms: &'a [Changed],
    /// The commands that were run now.
    pub(crate) commands: &'a [Done],
    /// Which command failed, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<String>,
    pub(crate) warnings: Vec<String>,
    #[serde(skip)]
    pub(crate) first: bool,
    #[serde(skip)]
    pub(crate) time: Duration,
}

impl Answer for Made<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let Steps(plan) = self.changed;
        if !self.first {
            changes::lines(plan, LINES, paint, out)?;
        }
        let name = paint.strong(self.topology.as_str());
        for room in self.rooms.iter().filter(|_| !self.first) {
            writeln!(out, "{}", room.line(paint))?;
        }
        match plan.is_empty() {
            true if !self.rooms.is_empty() => {}
            true => writeln!(out, "{name}: nothing to do")?,
            false => writeln!(out, "{name}: {} in {}", self.summary, words::time(self.time))?,
        }
        for command in self.commands {
            let verb = if command.supervised { "started" } else { "ran" };
            writeln!(out, "{verb} on {}: {}", command.node, command.command)?;
        }
        changes::extra_lines("of others, gone with what was removed:", &plan.also_gone, paint, out)?;
        changes::extra_lines("of others, left alone:", &plan.left_alone, paint, out)
    }
}
