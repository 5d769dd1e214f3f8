//! One check, from its own namespace, and what came of it. Does not know what it is to prove, nor which others there are.

use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use serde::Serialize;
use wireloom_engine::Label;
use wireloom_netns::Netns;

use crate::{
    Outcome, ping,
    route::{RouteWanted, route_until},
    tcp, tcp_until,
};

/// Something to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The node that it is tried from.
    pub from: Label,
    /// Who is to be reached, as the user calls it.
    pub to: String,
    /// Where that is.
    pub address: IpAddr,
    /// How it is tried.
    pub kind: CheckKind,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Whether it must not be reached.
    pub expect_fail: bool,
}

/// How a check is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// So many ICMP echoes, of which one must be answered.
    Ping {
        /// How many.
        count: u32,
    },
    /// A connection; where one is wanted, tried again until the time is over.
    Tcp {
        /// The port.
        port: u16,
    },
    /// A route, looked for again until it is as it is to be or the time is over.
    Route(RouteWanted),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The node that it was tried from.
    pub from: Label,
    /// Who was to be reached.
    pub to: String,
    /// Where that is; with the port, where there is one.
    pub address: String,
    /// `ping`, `tcp` or `route`.
    pub kind: &'static str,
    /// Whether it came out as wanted. Never so when it could not be tried.
    pub ok: bool,
    /// Whether an answer came.
    pub reached: bool,
    /// Whether one was wanted.
    pub expected: bool,
    /// How long the fastest answer took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
    /// The way that a route leads, where it is one that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// Why none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Check {
    pub(crate) fn run<E: Display>(&self, resolver: impl Fn(&Label) -> Result<Netns, E>) -> Outcome {
        let is_route = matches!(self.kind, CheckKind::Route(_));
        if !is_route && matches!(self.address, IpAddr::V6(address) if address.is_unicast_link_local()) {
            return Outcome::untried("send to a link-local address", "it means nothing without an interface");
        }
        let netns = match resolver(&self.from) {
            Ok(netns) => netns,
            Err(error) => return Outcome::untried("enter the node", error),
        };
        match &self.kind {
            CheckKind::Ping { count } => ping(&netns, self.address, *count, self.timeout),
            CheckKind::Tcp { port } if self.expect_fail => {
                tcp(&netns, SocketAddr::new(self.address, *port), self.timeout)
            }
            CheckKind::Tcp { port } => tcp_until(&netns, SocketAddr::new(self.address, *port), self.timeout),
            CheckKind::Route(wanted) => route_until(&netns, wanted, self.timeout, self.expect_fail),
        }
    }

    pub(crate) fn result(&self, outcome: &Outcome) -> CheckResult {
        let (kind, address) = match &self.kind {
            CheckKind::Ping { .. } => ("ping", self.address.to_string()),
            CheckKind::Tcp { port } => ("tcp", SocketAddr::new(self.address, *port).to_string()),
            CheckKind::Route(RouteWanted { net, exact: true, .. }) => ("route", net.to_string()),
            CheckKind::Route(_) => ("route", self.address.to_string()),
        };
        let way = match outcome {
            Outcome::Found { way } => Some(way.clone()),
            _ => None,
        };
        let reached = outcome.is_reached();
        let expected = !self.expect_fail;
        CheckResult {
            from: self.from.clone(),
            to: self.to.clone(),
            address,
            kind,
            ok: reached == expected && !matches!(outcome, Outcome::Untried { .. }),
            reached,
            expected,
            rtt_us: outcome.rtt().map(|rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX)),
            way,
            why: (!reached).then(|| outcome.to_string()),
        }
    }
}
