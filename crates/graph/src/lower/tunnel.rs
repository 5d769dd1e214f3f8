//! Tunnels: links that lead to an address. All kinds are written as `ip` writes them, with `remote ADDRESS`, `local
//! ADDRESS` and `by NAMESPACE` where they have such a thing, and that is what is read here.

use std::{collections::BTreeMap, net::IpAddr};

use wireloom_engine::{Label, LinkKind, LinkRef, State};

/// Which namespace has an address.
pub(super) type Owners<'a> = BTreeMap<IpAddr, &'a Label>;

/// A link that leads to an address.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) at: LinkRef,
    pub(super) remote: IpAddr,
    local: Option<IpAddr>,
    /// The namespace that its outer packets take.
    underlay: String,
    /// All else that is said of it: both ends of a tunnel have it in common.
    rest: String,
}

impl Tunnel {
    /// The address that a link leads to.
    pub(super) fn remote(kind: &LinkKind) -> Option<IpAddr> {
        after(&kind.to_string(), "remote")?.parse().ok()
    }

    pub(super) fn of(at: &LinkRef, kind: &LinkKind) -> Option<Tunnel> {
        let text = kind.to_string();
        let remote = after(&text, "remote")?.parse().ok()?;
        let local = after(&text, "local").and_then(|word| word.parse().ok());
        let underlay = after(&text, "by").unwrap_or(at.netns.as_str()).to_owned();
        Some(Tunnel { at: at.clone(), remote, local, underlay, rest: rest(&text) })
    }

    /// Whether both are the ends of one tunnel.
    pub(super) fn leads_to(&self, other: &Tunnel, owners: &Owners<'_>) -> bool {
        self.rest == other.rest && self.ends_at(other, owners) && other.ends_at(self, owners)
    }

    fn ends_at(&self, other: &Tunnel, owners: &Owners<'_>) -> bool {
        let there = owners.get(&self.remote).is_some_and(|label| label.as_str() == other.underlay);
        other.local.map_or(there, |local| local == self.remote) && self.at.netns != other.at.netns
    }
}

/// The links of the document that a tunnel of several peers leads to.
pub(super) fn peers(kind: &LinkKind) -> Vec<LinkRef> {
    let text = kind.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).filter(|pair| pair[0] == "peer").filter_map(|pair| pair[1].parse().ok()).collect()
}

/// Which namespace has which address; the first, where several have it.
pub(super) fn owners(state: &State) -> Owners<'_> {
    let mut owners = Owners::new();
    for (label, netns) in &state.namespaces {
        for address in netns.links.values().flat_map(|link| &link.addresses) {
            owners.entry(address.net.addr()).or_insert(label);
        }
    }
    owners
}

/// The word after this one.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let mut words = text.split_whitespace();
    words.by_ref().find(|found| *found == word)?;
    words.next()
}

fn rest(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut rest = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "remote" | "local" | "by" | "dev" | "over" => drop(words.next()),
            word => rest.push(word),
        }
    }
    rest.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_ends_have_in_common_is_left() {
        assert_eq!(rest("vxlan vni 42 remote 192.0.2.2 local 192.0.2.1 port 4789 by h"), "vxlan vni 42 port 4789");
        assert_eq!(after("gre remote 192.0.2.2 key 7", "remote"), Some("192.0.2.2"));
        assert_eq!(after("gre", "remote"), None);
    }
}
