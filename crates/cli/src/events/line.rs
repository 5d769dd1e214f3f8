//! One line of what happens, for people and for programs. Does not know where it comes from.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};
use wireloom_engine::{Label, Owner};
use wireloom_netlink::mirror::{Change, Counters, Entry, LinkState, Way};

use crate::{console::Console, failure::Failure};

/// Where something happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Spot {
    pub(crate) topology: Owner,
    pub(crate) node: Label,
}

/// One thing that happened.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    event: &'static str,
    topology: &'a Owner,
    node: Option<&'a Label>,
    /// What programs get beside that.
    fields: Value,
    /// What people get.
    text: String,
}

#[derive(Serialize)]
struct Row<'a> {
    event: &'static str,
    topology: &'a Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a Label>,
    #[serde(flatten)]
    fields: &'a Value,
}

impl<'a> Line<'a> {
    /// A namespace that is there, or is gone: no more is heard of it.
    pub(crate) fn namespace(spot: &'a Spot, change: &'static str) -> Line<'a> {
        Line::of(spot, "namespace", json!({"change": change}), format!("namespace {change}"))
    }

    /// What a mirror tells. `is_first` is what was there when we came.
    pub(crate) fn change(spot: &'a Spot, change: &Change, is_first: bool) -> Line<'a> {
        let new = if is_first { "there" } else { "new" };
        match change {
            Change::Resync => Line::of(spot, "resync", json!({}), "events were lost; looked again".to_owned()),
            Change::NewLink(link) => Line::link(spot, link, new, &[]),
            Change::ChangedLink { now, before } => Line::link(spot, now, "changed", &now.differences(before)),
            Change::GoneLink(link) => Line::link(spot, link, "gone", &[]),
            Change::Entry { kind, ifname, text, is_new } => {
                let event = if *kind == Entry::Address { "address" } else { "route" };
                let change = if *is_new { new } else { "gone" };
                let on = ifname.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
                let fields = json!({"name": ifname, event: text, "change": change});
                Line::of(spot, event, fields, format!("{event} {text}{on} {change}"))
            }
        }
    }

    fn link(spot: &'a Spot, link: &LinkState, change: &str, differs: &[&str]) -> Line<'a> {
        let LinkState { name, up, carrier, mtu, mac, .. } = link;
        let mut fields = json!({"name": name, "change": change, "up": up, "carrier": carrier, "mtu": mtu, "mac": mac});
        let mut text = format!("link {name} {change}");
        if !differs.is_empty() {
            fields["fields"] = json!(differs);
            text += &format!(" ({})", differs.join(", "));
        }
        if change != "gone" {
            let state = match (up, carrier) {
                (false, _) => "down",
                (true, false) => "up without carrier",
                (true, true) => "up",
            };
            text += &format!(": {state}, mtu {mtu}");
        }
        Line::of(spot, "link", fields, text)
    }

    /// What went through a link since it was made.
    pub(crate) fn counters(spot: &'a Spot, name: &str, counters: &Counters) -> Line<'a> {
        let way = |Way { packets, bytes, dropped, errors }: Way| json!({"packets": packets, "bytes": bytes, "dropped": dropped, "errors": errors});
        let [rx, tx] = counters.ways;
        let told = |way: Way| {
            let bad = if way.dropped + way.errors > 0 {
                format!(" ({} lost)", way.dropped + way.errors)
            } else {
                String::new()
            };
            format!("{} packets {} bytes{bad}", way.packets, way.bytes)
        };
        let text = format!("link {name}: received {}, sent {}", told(rx), told(tx));
        Line::of(spot, "counters", json!({"name": name, "rx": way(rx), "tx": way(tx)}), text)
    }

    /// What differs from what was asked for, from now on; nothing of it when all is right again.
    pub(crate) fn drift(topology: &'a Owner, changes: Value, conflicts: &[String], lines: &[String]) -> Line<'a> {
        let text = match lines {
            [] => "as asked for".to_owned(),
            lines => format!("differs from what was asked for: {}", lines.join("; ")),
        };
        let mut fields = json!({"changes": changes});
        if !conflicts.is_empty() {
            fields["conflicts"] = json!(conflicts);
        }
        Line { event: "drift", topology, node: None, fields, text }
    }

    /// A topology that went up or down.
    pub(crate) fn topology(topology: &'a Owner, change: &'static str) -> Line<'a> {
        Line { event: "topology", topology, node: None, fields: json!({"change": change}), text: change.to_owned() }
    }

    fn of(spot: &'a Spot, event: &'static str, fields: Value, text: String) -> Line<'a> {
        Line { event, topology: &spot.topology, node: Some(&spot.node), fields, text }
    }

    /// Writes it.
    pub(crate) fn tell(&self, console: &Console) -> Result<(), Failure> {
        let Line { event, topology, node, fields, .. } = self;
        match console.is_json() {
            true => console.line(&Row { event, topology, node: *node, fields }),
            false => console.text_line(self),
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "{} {node}: {}", self.topology, self.text),
            None => write!(f, "{}: {}", self.topology, self.text),
        }
    }
}
