//! Looks with `ip` and `tc`, not with our own code, whether all that a state asks for is there.

use std::net::IpAddr;

use serde_json::Value;
use wireloom_engine::{
    Entry, IfName, Label, Link, LinkKind, Namespace, Qdisc, Route, RouteKind, RuleAction, Source, State, Way,
};
use wireloom_testkit::{ip, ip_in, sh, sh_in};

/// What is not as the state asks for, in words.
pub(crate) fn missing(state: &State) -> Vec<String> {
    state.namespaces.iter().flat_map(|(label, netns)| Witness { label, netns }.missing()).collect()
}

struct Witness<'a> {
    label: &'a Label,
    netns: &'a Namespace,
}

impl Witness<'_> {
    fn ask(&self, question: &str) -> Vec<Value> {
        let answer = match &self.netns.source {
            Source::Named(name) => ip_in(name, question),
            _ => ip(question),
        };
        answer.as_array().cloned().unwrap_or_default()
    }

    fn run(&self, script: &str) -> String {
        match &self.netns.source {
            Source::Named(name) => sh_in(name, script),
            _ => sh(script),
        }
    }

    fn missing(&self) -> Vec<String> {
        let links = self.ask("addr");
        let mut wrong: Vec<String> =
            self.netns.links.iter().flat_map(|(name, link)| self.link(&links, *name, link)).collect();
        let routes = if self.netns.routes.is_empty() {
            Vec::new()
        } else {
            [self.ask("-4 route show table all"), self.ask("-6 route show table all")].concat()
        };
        let absent = |route: &&Route| !routes.iter().any(|found| is_route(route, found));
        wrong.extend(self.netns.routes.iter().filter(absent).map(|route| format!("{}: no route {route}", self.label)));
        wrong.extend(self.objects());
        for (key, value) in &self.netns.sysctls {
            let found = self.run(&format!("sysctl -n {key}"));
            if found.trim() != value {
                wrong.push(format!("{}: {key} is {} and not {value}", self.label, found.trim()));
            }
        }
        wrong
    }

    /// Rules, nexthop objects and neighbours, each found by what `ip` shows of it.
    fn objects(&self) -> Vec<String> {
        let (netns, mut wrong) = (&self.netns, Vec::new());
        let mut look = |text: String, questions: &[&str], is: &dyn Fn(&Value) -> bool| {
            if !questions.iter().flat_map(|question| self.ask(question)).any(|found| is(&found)) {
                wrong.push(format!("{}: no {text}", self.label));
            }
        };
        for rule in &netns.rules {
            let question = if rule.v6 { "-6 rule" } else { "-4 rule" };
            look(format!("rule {rule}"), &[question], &|found| {
                let table = match rule.action {
                    RuleAction::Lookup(table) => {
                        found["table"].as_str().and_then(|text| text.parse().ok()) == Some(table)
                    }
                    _ => found["action"] == "unreachable",
                };
                found["priority"] == rule.priority && found["protocol"] == "87" && table
            });
        }
        for nexthop in &netns.nexthops {
            look(format!("nexthop {nexthop}"), &["nexthop"], &|found| {
                let to = match &nexthop.to {
                    Way::Group(members) => found["group"].as_array().is_some_and(|all| all.len() == members.len()),
                    Way::Via { via, dev, .. } => found["gateway"] == via.to_string() && found["dev"] == dev.as_str(),
                    Way::Dev { dev, .. } => found["gateway"].is_null() && found["dev"] == dev.as_str(),
                    Way::Blackhole { .. } => !found["blackhole"].is_null(),
                };
                found["id"] == nexthop.id && found["protocol"] == "87" && to
            });
        }
        for neighbour in &netns.neighbours {
            look(format!("neighbour {neighbour}"), &["neigh show nud permanent", "neigh show proxy"], &|found| {
                let is =
                    |address: IpAddr| found["dst"] == address.to_string() && found["dev"] == neighbour.dev.as_str();
                match neighbour.entry {
                    Entry::Lladdr { address, lladdr } => is(address) && found["lladdr"] == lladdr.to_string(),
                    Entry::Proxy { address } => is(address) && found["lladdr"].is_null(),
                    Entry::Forward { .. } => false,
                }
            });
        }
        wrong
    }

    fn link(&self, links: &[Value], name: IfName, wanted: &Link) -> Vec<String> {
        let Some(found) = links.iter().find(|link| link["ifname"] == name.as_str()) else {
            return vec![format!("{}: no link {name}", self.label)];
        };
        let flags = found["flags"].as_array().cloned().unwrap_or_default();
        let loopback = wanted.kind == LinkKind::Loopback;
        let kind = found["linkinfo"]["info_kind"].as_str().unwrap_or("loopback");
        let master = found["master"].as_str().map(str::to_owned);
        let facts = [
            ("kind", kind == wanted.kind.name()),
            ("mac", wanted.mac.is_none_or(|mac| found["address"] == mac.to_string())),
            ("mtu", wanted.mtu.is_none_or(|mtu| found["mtu"] == mtu)),
            ("up", wanted.up.is_none_or(|up| flags.contains(&"UP".into()) == up)),
            ("alias", wanted.alias.as_ref().is_none_or(|alias| found["ifalias"] == alias.as_str())),
            ("master", loopback || wanted.controller.map(|c| c.to_string()) == master),
            ("queues", wanted.queues.is_none_or(|queues| found["num_tx_queues"] == queues)),
            ("settings", has_settings(&wanted.kind, &found["linkinfo"]["info_data"])),
            ("qdisc", loopback || self.has_qdisc(name, wanted.qdisc.as_ref())),
        ];
        let wrong = facts.iter().filter(|(_, holds)| !holds);
        let mut wrong: Vec<String> =
            wrong.map(|(what, _)| format!("{}: {what} of {name}: {found}", self.label)).collect();
        let addresses = found["addr_info"].as_array().cloned().unwrap_or_default();
        for address in &wanted.addresses {
            let is = |a: &Value| {
                a["local"] == address.net.addr().to_string()
                    && a["prefixlen"] == address.net.prefix_len()
                    && a["tentative"].is_null()
                    && a["dadfailed"].is_null()
            };
            if !addresses.iter().any(is) {
                wrong.push(format!("{}: no address {} on {name}: {addresses:?}", self.label, address.net));
            }
        }
        wrong
    }

    fn has_qdisc(&self, name: IfName, wanted: Option<&Qdisc>) -> bool {
        let (kinds, rate_bit) = match wanted {
            Some(Qdisc::Tbf(tbf)) => (&["tbf"][..], tbf.rate_bit),
            Some(Qdisc::Netem(netem)) => (&["netem", "tbf"][..], netem.rate_bit),
            _ => return true,
        };
        let found: Value = serde_json::from_str(&self.run(&format!("tc -j qdisc show dev {name}"))).unwrap();
        let (kind, options) = (&found[0]["kind"], &found[0]["options"]);
        let rate = if kind == "netem" { &options["rate"]["rate"] } else { &options["rate"] };
        kinds.iter().any(|known| kind == known) && *rate == rate_bit / 8
    }
}

fn has_settings(wanted: &LinkKind, found: &Value) -> bool {
    match wanted {
        LinkKind::Vxlan(vxlan) => {
            let remote = found["remote"].as_str().or(found["remote6"].as_str()).and_then(|text| text.parse().ok());
            found["id"] == vxlan.vni && found["port"] == vxlan.port && remote == vxlan.remote
        }
        LinkKind::Macvlan(macvlan) => found["mode"] == macvlan.mode.to_string(),
        LinkKind::Bridge(bridge) => bridge.stp.is_none_or(|stp| found["stp_state"] == u8::from(stp)),
        _ => true,
    }
}

fn is_route(wanted: &Route, found: &Value) -> bool {
    let kind = match wanted.kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
    };
    let destination = match wanted.destination.prefix_len() {
        0 => "default".to_owned(),
        _ => wanted.destination.to_string(),
    };
    let table = found["table"].as_str().unwrap_or("main");
    let hops = match found["nexthops"].as_array() {
        _ if wanted.nexthop.is_some() => Vec::new(),
        Some(hops) => hops.clone(),
        None if wanted.kind == RouteKind::Unicast => vec![found.clone()],
        None => Vec::new(),
    };
    let has_hop = |hop: &wireloom_engine::Hop| {
        hops.iter().any(|found| {
            let via = found["gateway"].as_str().and_then(|text| text.parse().ok());
            hop.via == via && hop.dev.is_none_or(|dev| found["dev"] == dev.as_str())
        })
    };
    found["type"].as_str().unwrap_or("unicast") == kind
        && found["dst"] == destination
        && found["protocol"] == "87"
        && (table == wanted.table.to_string() || (table == "main" && wanted.table == Route::MAIN))
        && found["metric"].as_u64().unwrap_or(0) == u64::from(wanted.effective_metric())
        && wanted.source.is_none_or(|source| found["prefsrc"] == source.to_string())
        && found["nhid"].as_u64() == wanted.nexthop.map(u64::from)
        && hops.len() == wanted.hops.len()
        && wanted.hops.iter().all(has_hop)
}
