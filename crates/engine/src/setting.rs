//! Settings of a namespace by key: sysctls (`net.ipv4.ip_forward`), and those of ethtool (`ethtool.eth0.features.tso`). Both
//! are texts that are there before we come, are noted before the first change, and are put back. Does not know any of them.

use std::io;

use wireloom_netns::Netns;

use crate::{Error, Label, ethtool, sysctl};

/// Reads settings of a namespace; one that does not exist is left out.
pub(crate) fn read_all<'a>(
    netns: &Netns,
    label: &Label,
    keys: impl Iterator<Item = &'a String>,
) -> Result<Vec<(String, String)>, Error> {
    let (devices, sysctls): (Vec<_>, Vec<_>) = keys.partition(|key| ethtool::is_key(key));
    let mut found = match sysctls.is_empty() {
        true => Vec::new(),
        false => sysctl::read_all(netns, label, sysctls.into_iter())?,
    };
    found.extend(ethtool::read_all(netns, label, &devices)?);
    Ok(found)
}

/// Writes a setting. `record` is given the value that was there before, first: when it fails, nothing has changed.
pub(crate) fn write(
    netns: &Netns,
    label: &Label,
    key: &str,
    value: &str,
    record: impl FnOnce(&str) -> io::Result<()> + Send,
) -> Result<(), Error> {
    match ethtool::is_key(key) {
        true => ethtool::write(netns, label, key, value, record),
        false => sysctl::write(netns, label, key, value, record),
    }
}

/// What it is a setting of, in a report: `sysctl` or `ethtool`.
pub(crate) fn object(key: &str) -> &'static str {
    if ethtool::is_key(key) { "ethtool" } else { "sysctl" }
}

/// Its name behind that.
pub(crate) fn name(key: &str) -> &str {
    key.strip_prefix(ethtool::PREFIX).unwrap_or(key)
}

/// Whether a setting is one of a single link, such as `net.ipv4.conf.eth0.rp_filter`: it is there when the link is.
pub(crate) fn is_of_link(key: &str) -> bool {
    link_of(key).is_some()
}

/// The name of the link that a setting is of; a slash in it stands for a dot.
pub(crate) fn link_of(key: &str) -> Option<String> {
    match key.split('.').collect::<Vec<_>>().as_slice() {
        ["net", "ipv4" | "ipv6", "conf" | "neigh", "all" | "default", _] => None,
        ["net", "ipv4" | "ipv6", "conf" | "neigh", name, _] | ["ethtool", name, _, _] => Some(name.replace('/', ".")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_links_are_told_apart() {
        assert_eq!(link_of("net.ipv4.conf.eth0/100.rp_filter").as_deref(), Some("eth0.100"));
        assert_eq!(link_of("ethtool.eth0/100.features.tso").as_deref(), Some("eth0.100"));
        assert_eq!(link_of("net.ipv4.conf.all.rp_filter"), None);
    }
}
