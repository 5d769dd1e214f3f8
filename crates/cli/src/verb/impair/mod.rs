//! `wireloom impair`: impairments of links of a network that is up, on top of its document. Owns what its verbs share.

mod play;
mod reset;
mod set;
mod show;

use std::io::{self, Write};

use serde::Serialize;
use wireloom_engine::{LinkRef, Owner, Plan};

use super::Ending;
use crate::{
    changes::{self, Steps},
    console::{Answer, Console},
    failure::Failure,
    live::{Live, Row, rows},
    paint::Paint,
};

/// Options of `impair`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Impair,
}

#[derive(Debug, clap::Subcommand)]
enum Impair {
    /// Impair a link: what its document says about that counts no more until `reset`
    #[command(
        after_long_help = "Examples:\n  wireloom impair set r1:eth1 delay 40ms 5ms 25% distribution normal loss 0.3%\n  wireloom impair set r1:eth1 --both rate 10mbit\n  wireloom impair set r1:eth1 none"
    )]
    Set(set::Args),
    /// Show what is impaired
    #[command(after_long_help = "Examples:\n  wireloom impair show\n  wireloom impair show r1:eth1 -o json")]
    Show(show::Args),
    /// Make links as their document says again
    #[command(
        after_long_help = "Examples:\n  wireloom impair reset r1:eth1\n  wireloom impair reset --all -t triangle"
    )]
    Reset(reset::Args),
    /// Play a script of impairments, with checks in between
    #[command(
        after_long_help = "Examples:\n  wireloom impair play flap.yaml\n  wireloom impair play flap.yaml -t triangle -o json"
    )]
    Play(play::Args),
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    match &args.verb {
        Impair::Set(args) => set::run(console, args),
        Impair::Show(args) => show::run(console, args),
        Impair::Reset(args) => reset::run(console, args),
        Impair::Play(args) => play::run(console, args),
    }
}

/// Links, and what was done about them now.
#[derive(Debug, Serialize)]
pub(super) struct Links<'a> {
    pub(super) topology: &'a Owner,
    pub(super) changed: Steps<'a>,
    pub(super) links: Vec<Row>,
}

/// Tells what was done, and how these links are now.
pub(super) fn answer(console: &Console, live: &Live<'_>, plan: &Plan, links: &[LinkRef]) -> Result<Ending, Failure> {
    let links = rows(&live.record, &live.document, links)?;
    console.answer(&Links { topology: &live.document.owner, changed: Steps(plan), links })?;
    Ok(Ending::Fine)
}

impl Answer for Links<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let Steps(plan) = self.changed;
        changes::lines(plan, usize::MAX, paint, out)?;
        self.links.iter().try_for_each(|row| row.text(paint, out))
    }
}

impl Row {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let state = match self.state {
            "up" => paint.good("up"),
            "down" | "no-carrier" => paint.odd(self.state),
            other => paint.bad(other),
        };
        let mut line = format!("{} {state}", paint.strong(&self.link.to_string()));
        line += &format!(" {}", self.now.as_deref().unwrap_or("not impaired"));
        let mut notes = Vec::new();
        if self.overlay.is_some() {
            let instead = self.document.as_ref().map(|document| format!(", instead of {document}"));
            notes.push(format!("set at run time{}", instead.unwrap_or_default()));
        }
        notes.extend(self.up.map(|up| format!("taken {} at run time", if up { "up" } else { "down" })));
        if self.persist {
            notes.push("stays after `down`".to_owned());
        }
        if !notes.is_empty() {
            line += &paint.faint(&format!(" ({})", notes.join("; ")));
        }
        writeln!(out, "{line}")
    }
}
