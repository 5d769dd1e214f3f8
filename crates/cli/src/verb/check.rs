//! `wireloom check`: tries what the document says must work, or every node to every other where it says nothing.
//! Changes nothing.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use clap::builder::FalseyValueParser;
use serde::Serialize;
use wireloom_engine::{Label, Owner, State, observe};
use wireloom_run::{CheckKind, CheckResult, NextHop, RouteWanted, run_checks};
use wireloom_topology::{Check, Target, Via};

use super::Ending;
use crate::{
    capability::{NET_ADMIN, NET_RAW, SYS_ADMIN},
    console::{Answer, Console},
    failure::Failure,
    matrix::{Cell, Matrix},
    options::Topology,
    paint::Paint,
    pairs,
    record::Record,
    subject::{self, Desired},
    why, words,
};

/// The largest matrix that is still looked at.
const NODES: usize = 20;
/// How many failures are told one by one.
const SHOWN: usize = 20;
/// How many reasons are told.
const REASONS: usize = 10;

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    topology: Topology,
    /// Every node to every other, also where the document has checks of its own
    #[arg(long, env = "WIRELOOM_PAIRS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pairs: bool,
}

/// What came of all checks.
#[derive(Debug, Serialize)]
struct Checked {
    topology: Owner,
    passed: usize,
    failed: usize,
    checks: Vec<Row>,
    /// Nodes that were not asked, because they have no address.
    without_address: Vec<Label>,
}

/// What came of one.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    result: CheckResult,
    /// The node that has the address, where it is one of the topology.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<Label>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let Desired { record, state: desired, checks } =
        subject::desired(console, &args.topology, &[NET_ADMIN, NET_RAW, SYS_ADMIN])?;
    let (checks, without_address) = match (checks.is_empty(), args.pairs, pairs::are_many(&desired)) {
        (false, false, _) => (checks, Vec::new()),
        (true, false, Some(nodes)) => return Err(Failure::ManyPairs { topology: desired.owner, nodes }),
        _ => pairs::all(&desired),
    };
    let rows = try_all(&record, &desired, &checks)?;
    let passed = rows.iter().filter(|row| row.result.ok).count();
    let failed = rows.len() - passed;
    console.answer(&Checked { topology: desired.owner.clone(), passed, failed, checks: rows, without_address })?;
    Ok(if failed == 0 { Ending::Fine } else { Ending::Wrong })
}

/// What came of checks, for those who do not show them.
pub(crate) fn try_all_results(record: &Record, desired: &State, checks: &[Check]) -> Result<Vec<CheckResult>, Failure> {
    Ok(try_all(record, desired, checks)?.into_iter().map(|row| row.result).collect())
}

/// Tries them, and says why those failed that should not have.
pub(super) fn try_all(record: &Record, desired: &State, checks: &[Check]) -> Result<Vec<Row>, Failure> {
    let tries: Vec<wireloom_run::Check> = checks.iter().map(to_try).collect();
    let host = Label::HOST;
    let results = run_checks(&tries, |label| match desired.namespaces.get(label) {
        Some(netns) => netns.source.open(),
        None if label.as_str() == host => wireloom_netns::Netns::current(),
        None => Err(wireloom_netns::Error::NotFound { path: label.as_str().into() }),
    });
    // Looked at afterwards, and only when there is something to explain.
    let wrong = |result: &CheckResult| !result.ok && result.expected;
    let observed = if results.iter().any(wrong) { Some(observe(&record.scope(Some(desired))?)?) } else { None };
    let row = |(mut result, check): (CheckResult, &Check)| {
        let to = target(check);
        let end = to.node.as_ref().zip(to.ifname);
        let reason = observed
            .as_ref()
            .filter(|_| wrong(&result))
            .and_then(|observed| why::explain(&result.from, end, address(check), desired, observed));
        if let Some(reason) = reason {
            let said = result.why.take();
            result.why = Some(said.map_or(reason.clone(), |said| format!("{reason} ({said})")));
        }
        Row { node: to.node.clone(), result }
    };
    Ok(results.into_iter().zip(checks).map(row).collect())
}

fn to_try(check: &Check) -> wireloom_run::Check {
    let (from, to) = match check {
        Check::Ping { from, to, .. } | Check::Tcp { from, to, .. } | Check::Route { from, to, .. } => {
            (from.clone(), to.text.clone())
        }
    };
    let (kind, timeout_ms, expect_fail) = match check {
        Check::Ping { count, timeout_ms, expect_fail, .. } => {
            (CheckKind::Ping { count: *count }, *timeout_ms, *expect_fail)
        }
        Check::Tcp { address, timeout_ms, expect_fail, .. } => {
            (CheckKind::Tcp { port: address.port() }, *timeout_ms, *expect_fail)
        }
        Check::Route { net, exact, via, timeout_ms, expect_fail, .. } => {
            let by = via.as_ref().map(next_hop);
            (CheckKind::Route(RouteWanted { net: *net, exact: *exact, by }), *timeout_ms, *expect_fail)
        }
    };
    let timeout = Duration::from_millis(timeout_ms.into());
    wireloom_run::Check { from, to, address: address(check), kind, timeout, expect_fail }
}

fn target(check: &Check) -> &Target {
    match check {
        Check::Ping { to, .. } | Check::Tcp { to, .. } | Check::Route { to, .. } => to,
    }
}

fn address(check: &Check) -> std::net::IpAddr {
    match check {
        Check::Ping { address, .. } => *address,
        Check::Tcp { address, .. } => address.ip(),
        Check::Route { net, .. } => net.addr(),
    }
}

fn next_hop(Via { text, addresses, ifnames }: &Via) -> NextHop {
    let ifnames = ifnames.iter().map(ToString::to_string).collect();
    NextHop { name: text.clone(), addresses: addresses.clone(), ifnames }
}

impl Answer for Checked {
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let matrix = self.matrix();
        if matrix.size() > NODES {
            self.reasons(paint, out)?;
        } else if matrix.size() > 0 {
            matrix.text(paint, out)?;
        }
        let ways = self.checks.iter().filter_map(|row| Some((&row.result, row.result.way.as_ref()?)));
        for (CheckResult { from, to, .. }, way) in ways.filter(|(result, _)| result.ok).take(SHOWN) {
            writeln!(out, "route {from} -> {to}: {way}")?;
        }
        let failed = || self.checks.iter().filter(|row| !row.result.ok);
        for Row { result, .. } in failed().take(SHOWN) {
            writeln!(out, "{} {}", paint.bad("fails:"), in_words(result))?;
        }
        if let more @ 1.. = failed().count().saturating_sub(SHOWN) {
            writeln!(out, "{}", paint.faint(&format!("... and {more} more; all of them with -o json")))?;
        }
        if !self.without_address.is_empty() {
            writeln!(out, "not asked, without an address: {}", words::list(&self.without_address))?;
        }
        if self.checks.is_empty() {
            let name = paint.strong(self.topology.as_str());
            return writeln!(out, "{name}: nothing to check, no two nodes have an address");
        }
        let verdict = format!("{} of {} passed", self.passed, words::count(self.checks.len(), "check"));
        let verdict = if self.failed == 0 { paint.good(&verdict) } else { paint.bad(&verdict) };
        writeln!(out, "{}: {verdict}", paint.strong(self.topology.as_str()))
    }
}

impl Checked {
    fn matrix(&self) -> Matrix {
        let mut matrix = Matrix::default();
        let mut taken: BTreeMap<(&Label, String), &str> = BTreeMap::new();
        // Routes are told by where they lead.
        for row @ Row { result, .. } in self.checks.iter().filter(|row| row.result.kind != "route") {
            let mut column = row.column();
            // Two addresses of one node are two things to ask for.
            let address = taken.entry((&result.from, column.clone())).or_insert(&result.address);
            if **address != result.address {
                column += &format!(" {}", result.address);
            }
            matrix.note(result.from.as_str(), &column, Cell { ok: result.ok, rtt_us: result.rtt_us });
        }
        matrix
    }

    /// How many failed for which reason, the most frequent first: what a matrix of hundreds does not tell.
    fn reasons(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for Row { result, .. } in self.checks.iter().filter(|row| !row.result.ok) {
            *reasons.entry(reason(result)).or_default() += 1;
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, number)| Reverse(*number));
        for (reason, number) in reasons.iter().take(REASONS) {
            writeln!(out, "{} {reason}", paint.bad(&format!("{number:>6} failed:")))?;
        }
        match reasons.len().saturating_sub(REASONS) {
            0 => Ok(()),
            more => writeln!(out, "{}", paint.faint(&format!("       and for {}", words::count(more, "other reason")))),
        }
    }
}

impl Row {
    /// Whether it is as expected.
    pub(super) fn ok(&self) -> bool {
        self.result.ok
    }

    /// In words.
    pub(super) fn line(&self) -> String {
        let CheckResult { from, to, kind, ok, expected, .. } = &self.result;
        match (ok, expected) {
            (false, _) => in_words(&self.result),
            (true, true) => format!("{kind} {from} -> {to}: reached"),
            (true, false) => format!("{kind} {from} -> {to}: not reached, as it must be"),
        }
    }

    /// Who was asked, and for what.
    fn column(&self) -> String {
        let CheckResult { to, address, kind, .. } = &self.result;
        let port = address.rsplit_once(':').filter(|_| *kind == "tcp").map(|(_, port)| port);
        match (&self.node, port) {
            (Some(node), Some(port)) => format!("{node}:{port}"),
            (Some(node), None) => node.to_string(),
            (None, _) => to.clone(),
        }
    }
}

fn reason(result: &CheckResult) -> &str {
    result.why.as_deref().unwrap_or("it was reached, and must not be")
}

fn in_words(result: &CheckResult) -> String {
    let CheckResult { from, to, address, kind, .. } = result;
    let to = if to == address { address.clone() } else { format!("{to} ({address})") };
    format!("{kind} {from} -> {to}: {}", reason(result))
}
