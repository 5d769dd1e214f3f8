//! The names of nodes for /etc/hosts: each with the addresses by which the reader of the file reaches it best. Does not
//! put the file anywhere.

use std::{fmt::Write, net::IpAddr};

use wireloom_engine::{Label, State};

use crate::{
    nodes,
    pairs::{self, Home},
    room::Insides,
};

/// The file.
pub(crate) const PATH: &str = "/etc/hosts";

const HEAD: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";

/// The nodes of a topology, with their names and addresses.
pub(crate) struct Hosts<'a>(Vec<Host<'a>>);

struct Host<'a> {
    node: &'a Label,
    /// What it calls itself, where that is another name.
    hostname: Option<&'a str>,
    homes: Vec<Home>,
}

impl<'a> Hosts<'a> {
    pub(crate) fn new(state: &'a State, insides: &'a Insides) -> Hosts<'a> {
        let hostname = |node: &Label| Some(insides.get(node)?.hostname.as_str()).filter(|name| *name != node.as_str());
        let host = |node| Host { node, hostname: hostname(node), homes: pairs::homes(state, node) };
        Hosts(nodes::names(state).map(host).collect())
    }

    /// What stands in the file for `reader`: for each node one address of each family, on a network of the reader before
    /// one of `lo` before any other, like `check` takes them.
    pub(crate) fn of(&self, reader: &Label) -> String {
        let own = self.0.iter().find(|host| host.node == reader).map(|host| host.homes.as_slice()).unwrap_or_default();
        let mut text = HEAD.to_owned();
        for host in &self.0 {
            let found = [host.best(true, own, reader), host.best(false, own, reader)].into_iter().flatten();
            let mut found: Vec<IpAddr> = found.collect();
            // A program that looks for its own name finds it also where there is no address.
            if found.is_empty() && host.node == reader {
                found.push([127, 0, 1, 1].into());
            }
            let hostname = host.hostname.map(|name| format!(" {name}")).unwrap_or_default();
            found.iter().for_each(|address| _ = writeln!(text, "{address} {}{hostname}", host.node));
        }
        text
    }
}

impl Host<'_> {
    fn best(&self, v4: bool, own: &[Home], reader: &Label) -> Option<IpAddr> {
        let usable = |home: &&Home| home.net.addr().is_ipv4() == v4 && is_usable(home.net.addr());
        let is_near = |home: &&Home| self.node != reader && own.iter().any(|own| own.net.contains(&home.net.addr()));
        let mut usable = self.homes.iter().filter(usable);
        let near = usable.clone().find(is_near);
        near.or_else(|| usable.next()).map(|home| home.net.addr())
    }
}

/// A link-local address means nothing without an interface.
fn is_usable(address: IpAddr) -> bool {
    !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}
