//! The names of nodes for /etc/hosts: each with the addresses by which the reader of the file reaches it best. Does not
//! put the file anywhere.

use std::{collections::BTreeMap, fmt::Write, net::IpAddr};

use wireloom_engine::{Label, State};

use crate::{nodes, pairs};

/// The file.
pub(crate) const PATH: &str = "/etc/hosts";

const HEAD: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

/// What stands there for `reader`: for each node one address of each family, on a network of the reader before one of
/// `lo` before any other, like `check` takes them.
pub(crate) fn of(state: &State, reader: &Label, hostnames: &BTreeMap<&Label, &str>) -> String {
    let own = pairs::homes(state, reader);
    let is_near = |home: &&pairs::Home| own.iter().any(|own| own.net.contains(&home.net.addr()));
    let mut text = HEAD.to_owned();
    for node in nodes::names(state) {
        let theirs = pairs::homes(state, node);
        let best = |v4: bool| {
            let mut of_family =
                theirs.iter().filter(|home| home.net.addr().is_ipv4() == v4 && is_usable(home.net.addr()));
            let near = of_family.clone().find(|home| node != reader && is_near(home));
            near.or_else(|| of_family.next()).map(|home| home.net.addr())
        };
        let names = match hostnames.get(node) {
            Some(hostname) if *hostname != node.as_str() => format!("{node} {hostname}"),
            _ => node.to_string(),
        };
        let found: Vec<IpAddr> = [best(true), best(false)].into_iter().flatten().collect();
        // A program that looks for its own name finds it also where there is no address.
        let found = if found.is_empty() && node == reader { vec![[127, 0, 1, 1].into()] } else { found };
        found.iter().for_each(|address| _ = writeln!(text, "{address} {names}"));
    }
    text
}

/// A link-local address means nothing without an interface.
fn is_usable(address: IpAddr) -> bool {
    !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}
