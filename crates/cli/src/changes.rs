//! A plan for people, line by line as in a diff, and for programs, row by row. Does not know why anybody wants it.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use wireloom_engine::{Extra, Label, LinkRef, Plan, Step};

use crate::paint::Paint;

/// A step of a plan, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// `add`, `change`, `remove`.
    action: &'static str,
    /// `namespace`, `link`, `address`, `route`, `sysctl`, `setting`, `firewall`, `qdisc`.
    object: &'static str,
    node: &'a Label,
    /// The interface, or the setting; absent where the object is not of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The line as people see it.
    text: String,
    /// Why a link is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// What is not ours, for programs.
#[derive(Debug, Serialize)]
struct ExtraRow<'a> {
    object: &'static str,
    node: &'a Label,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    text: String,
}

/// The steps of a plan, serialised as rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps<'a>(pub(crate) &'a Plan);

impl Serialize for Steps<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.steps.iter().map(|step| row(self.0, step)))
    }
}

/// What is not ours, serialised as rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extras<'a>(pub(crate) &'a [Extra]);

impl Serialize for Extras<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(extra_row))
    }
}

/// Writes the lines of a plan, at most so many.
pub(crate) fn lines(plan: &Plan, most: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for step in plan.steps.iter().take(most) {
        let line = step.to_string();
        let painted = match step.sign() {
            '+' => paint.good(&line),
            '-' => paint.bad(&line),
            _ => paint.odd(&line),
        };
        match reason(plan, step) {
            Some(reason) => writeln!(out, "{painted} {}", paint.faint(&format!("(replaced: {reason})")))?,
            None => writeln!(out, "{painted}")?,
        }
    }
    match plan.steps.len().saturating_sub(most) {
        0 => Ok(()),
        left => writeln!(out, "{}", paint.faint(&format!("... and {left} more; all of them with -o json"))),
    }
}

/// Writes what is not ours, under a heading, if there is any.
pub(crate) fn extra_lines(heading: &str, extras: &[Extra], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if extras.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint.strong(heading))?;
    extras.iter().try_for_each(|extra| writeln!(out, "  {extra}"))
}

fn row<'a>(plan: &'a Plan, step: &'a Step) -> Row<'a> {
    // The line begins with the sign, which is the action.
    let text = step.to_string().split_off(2);
    let action = match step.sign() {
        '+' => "add",
        '-' => "remove",
        _ => "change",
    };
    let (node, name) = place(step);
    Row { action, object: object(step), node, name, text, reason: reason(plan, step) }
}

/// What a step is about.
pub(crate) fn object(step: &Step) -> &'static str {
    match step {
        Step::AddNetns { .. } | Step::DelNetns { .. } => "namespace",
        Step::AddLink(_) | Step::DelLink(_) | Step::SetLink { .. } => "link",
        Step::AddAddress { .. } | Step::DelAddress { .. } => "address",
        Step::Add { object, .. } | Step::Del { object, .. } => object.name(),
        Step::SetSysctl { key, .. } if key.starts_with("ethtool.") => "setting",
        Step::SetSysctl { .. } => "sysctl",
        Step::SetFirewall { .. } => "firewall",
        Step::SetQdisc { .. } => "qdisc",
    }
}

fn place(step: &Step) -> (&Label, Option<String>) {
    match step {
        Step::AddNetns { netns, .. } | Step::DelNetns { netns } | Step::Add { netns, .. } | Step::Del { netns, .. } => {
            (netns, None)
        }
        Step::SetFirewall { netns, .. } => (netns, None),
        Step::SetSysctl { netns, key, .. } => (netns, Some(key.clone())),
        Step::AddLink(new) | Step::DelLink(new) => of_link(&new.at),
        Step::SetLink { at, .. }
        | Step::AddAddress { at, .. }
        | Step::DelAddress { at, .. }
        | Step::SetQdisc { at, .. } => of_link(at),
    }
}

fn of_link(at: &LinkRef) -> (&Label, Option<String>) {
    (&at.netns, Some(at.ifname.to_string()))
}

fn reason<'a>(plan: &'a Plan, step: &Step) -> Option<&'a str> {
    let Step::DelLink(gone) = step else { return None };
    let ends = [Some(&gone.at), gone.peer.as_ref().map(|peer| &peer.at)];
    ends.into_iter().flatten().find_map(|at| plan.replaced.get(at)).map(String::as_str)
}

fn extra_row(extra: &Extra) -> ExtraRow<'_> {
    let (object, (node, name)) = match extra {
        Extra::Link { at, .. } => ("link", of_link(at)),
        Extra::Address { at, .. } => ("address", of_link(at)),
        Extra::Object { netns, object } => (object.name(), (netns, None)),
        Extra::Qdisc { at, .. } => ("qdisc", of_link(at)),
    };
    ExtraRow { object, node, name, text: extra.to_string() }
}
