//! `wireloom impair play`: a script of impairments with checks in between, step by step, and back to what was before.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::builder::FalseyValueParser;
use serde::Serialize;
use wireloom_engine::{LinkRef, Owner, State};
use wireloom_ledger::{Change, Impairment, Overlay};
use wireloom_topology::{Action, Script, ScriptStep, load_script};

use super::Ending;
use crate::{
    capability::{self, NET_RAW},
    console::{Answer, Console},
    document,
    failure::Failure,
    live::{Live, Where},
    paint::Paint,
    signals, subject,
    verb::check,
    words,
};

/// How long to sleep at most before looking whether we were told to stop.
const NAP: Duration = Duration::from_millis(20);

/// Options of `impair play`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// The script; `-` is stdin
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,
    /// Leave what the script has made of the links, instead of going back to what was before
    #[arg(long, env = "WIRELOOM_KEEP", hide_env_values = true, value_parser = FalseyValueParser::new())]
    keep: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Played<'a> {
    topology: &'a Owner,
    script: &'a Path,
    timeline: Vec<Done>,
    /// How many checks passed, and how many failed.
    passed: usize,
    failed: usize,
    /// Whether it was told to stop before its end.
    stopped: bool,
    /// Whether the links are as before.
    restored: bool,
}

/// A step that was done.
#[derive(Debug, Serialize)]
struct Done {
    round: u32,
    /// When it was to be, from the beginning of its round.
    at_ms: u64,
    /// How much later it began than it was to.
    late_ms: u64,
    text: String,
    ok: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<check::Row>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let owner = args.place.owner(console, &[])?;
    let read = |state: &State| {
        let variables = document::variables(std::slice::from_ref(&args.script));
        load_script(std::slice::from_ref(&args.script), &variables, state).map_err(Failure::Mistakes)
    };
    // Before anything else: a mistake is to be told also to who may not change anything.
    let script = read(&subject::up(&owner)?.1.desired)?;
    capability::need(&[NET_RAW])?;
    let cancelled = signals::catch()?;
    let mut live = Live::open(console, &owner, "impair play", &cancelled)?;
    live.record.ledger.begin_script()?;
    let before = live.record.overlays.passing.clone();
    let mut player = Player { console, before: &before, live: &mut live, cancelled: &cancelled, timeline: Vec::new() };
    let outcome = player.play(&script);
    let timeline = player.timeline;
    let restored = !args.keep;
    if restored {
        live.insist();
        restore(&mut live, before)?;
    }
    live.record.ledger.end_script()?;
    let stopped = !outcome?;
    let rows = || timeline.iter().flat_map(|done| &done.checks);
    let (passed, failed) = (rows().filter(|row| row.ok()).count(), rows().filter(|row| !row.ok()).count());
    console.answer(&Played { topology: &owner, script: &args.script, timeline, passed, failed, stopped, restored })?;
    Ok(if failed > 0 || stopped { Ending::Wrong } else { Ending::Fine })
}

/// Makes the links as they were.
fn restore(live: &mut Live<'_>, before: Overlay) -> Result<(), Failure> {
    let mut overlays = live.record.overlays.clone();
    let links = overlays.passing.links.keys().chain(before.links.keys()).cloned().collect();
    overlays.passing = before;
    live.lay(overlays, &links).map(drop)
}

/// A script that is being played.
struct Player<'a, 'l> {
    console: &'a Console,
    before: &'a Overlay,
    live: &'a mut Live<'l>,
    cancelled: &'a AtomicBool,
    timeline: Vec<Done>,
}

impl Player<'_, '_> {
    /// Plays all rounds; false where it was told to stop before.
    fn play(&mut self, script: &Script) -> Result<bool, Failure> {
        let length = Duration::from_millis(script.steps.last().map_or(0, |step| step.at_ms));
        let begin = Instant::now();
        for round in 0..script.repeat {
            for step in &script.steps {
                let due = begin + length * round + Duration::from_millis(step.at_ms);
                if !self.wait(due) {
                    return Ok(false);
                }
                let late_ms = u64::try_from(due.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.step(step, round + 1, late_ms)?;
            }
        }
        Ok(true)
    }

    /// Until then, or until we are told to stop.
    fn wait(&self, due: Instant) -> bool {
        loop {
            if self.cancelled.load(Ordering::Relaxed) {
                return false;
            }
            match due.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return true,
                left => thread::sleep(left.min(NAP)),
            }
        }
    }

    fn step(&mut self, step: &ScriptStep, round: u32, late_ms: u64) -> Result<(), Failure> {
        let mut overlays = self.live.record.overlays.clone();
        let passing = &mut overlays.passing;
        let links: BTreeSet<LinkRef> = match &step.action {
            Action::Set { links, .. } | Action::Link { links, .. } => links.iter().cloned().collect(),
            Action::Reset { links } if links.is_empty() => {
                passing.links.keys().chain(self.before.links.keys()).cloned().collect()
            }
            Action::Reset { links } => links.iter().cloned().collect(),
            Action::Check(checks) => {
                let desired = self.live.record.overlaid(&self.live.document);
                let rows = check::try_all(&self.live.record, &desired, checks)?;
                let ok = rows.iter().all(check::Row::ok);
                self.note(Done { round, at_ms: step.at_ms, late_ms, text: step.action.to_string(), ok, checks: rows });
                return Ok(());
            }
        };
        for at in &links {
            let before = self.before.links.get(at);
            passing.change(at, |change| match &step.action {
                Action::Set { qdisc, .. } => change.impairment = Some(Impairment::Qdisc(qdisc.clone())),
                Action::Link { up, .. } => change.up = Some(*up),
                _ => *change = before.cloned().unwrap_or_else(Change::default),
            });
        }
        self.live.lay(overlays, &links)?;
        let text = step.action.to_string();
        self.note(Done { round, at_ms: step.at_ms, late_ms, text, ok: true, checks: Vec::new() });
        Ok(())
    }

    /// Tells it, and keeps it.
    fn note(&mut self, done: Done) {
        let mut line = format!("{} {}", words::time(Duration::from_millis(done.at_ms)), done.text);
        for row in &done.checks {
            line += &format!("\n  {}", row.line());
        }
        self.console.say(line);
        self.timeline.push(done);
    }
}

impl Answer for Played<'_> {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let name = paint.strong(self.topology.as_str());
        for done in self.timeline.iter().filter(|done| !done.ok) {
            for row in done.checks.iter().filter(|row| !row.ok()) {
                let at = words::time(Duration::from_millis(done.at_ms));
                writeln!(out, "{} at {at} of round {}: {}", paint.bad("fails:"), done.round, row.line())?;
            }
        }
        let checks = self.passed + self.failed;
        let verdict = format!("{} of {} passed", self.passed, words::count(checks, "check"));
        let verdict = if self.failed == 0 { paint.good(&verdict) } else { paint.bad(&verdict) };
        let steps = words::count(self.timeline.len(), "step");
        let end = match (self.stopped, self.restored) {
            (true, true) => "; stopped, and back to what was before",
            (true, false) => "; stopped",
            (false, true) => "; back to what was before",
            (false, false) => "; left as it is now",
        };
        writeln!(out, "{name}: {steps}, {verdict}{end}")
    }
}
