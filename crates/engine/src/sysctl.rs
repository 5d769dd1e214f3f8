//! Settings under /proc/sys of a namespace, by the name that sysctl(8) gives them, and the values that namespaces of
//! ours begin with.

use std::{
    fs,
    io::{self, Read, Seek, Write},
    path::PathBuf,
    sync::OnceLock,
};

use wireloom_netns::Netns;

use crate::{Error, Label};

/// What a new namespace of ours is set to. IPv4 settings are copied from the first namespace of the machine
/// (net.core.devconf_inherit_init_net), so without this a lab would work on one machine and not on the next.
const BASELINE: [(&str, &str); 11] = [
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv4.conf.all.arp_ignore", "0"),
    ("net.ipv4.conf.all.arp_announce", "0"),
    ("net.ipv4.conf.all.route_localnet", "0"),
    ("net.ipv4.conf.default.forwarding", "0"),
    ("net.ipv6.conf.all.disable_ipv6", "0"),
    ("net.ipv6.conf.default.disable_ipv6", "0"),
    ("net.ipv6.conf.all.forwarding", "0"),
    ("net.ipv6.conf.default.forwarding", "0"),
];

/// The settings that must be written because what a namespace begins with differs. Read once: it is the same for all.
#[derive(Debug, Default)]
pub(crate) struct Baseline(OnceLock<Vec<(&'static str, &'static str)>>);

impl Baseline {
    /// In the namespace that the calling thread is in.
    pub(crate) fn write(&self) -> io::Result<()> {
        let differs = |(key, value): &&(&str, &str)| {
            // A kernel without IPv6 has no such file, and nothing to set.
            read_here(key).is_ok_and(|found| found != *value)
        };
        let differing = self.0.get_or_init(|| BASELINE.iter().filter(differs).copied().collect());
        differing.iter().try_for_each(|(key, value)| fs::write(path(key), value))
    }
}

/// Reads settings of a namespace; one that does not exist is left out.
pub(crate) fn read_all<'a>(
    netns: &Netns,
    label: &Label,
    keys: impl Iterator<Item = &'a String> + Send,
) -> Result<Vec<(String, String)>, Error> {
    let read = |key: &'a String| match read_here(key) {
        Ok(value) => Some(Ok((key.clone(), value))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => Some(Err(Error::Sysctl { netns: label.clone(), key: key.clone(), source })),
    };
    netns.run(|| keys.filter_map(read).collect()).map_err(Error::netns(label))?
}

/// Writes a setting. `record` is given the value that was there before, first: when it fails, nothing has changed.
pub(crate) fn write(
    netns: &Netns,
    label: &Label,
    key: &str,
    value: &str,
    record: impl FnOnce(&str) -> io::Result<()> + Send,
) -> Result<(), Error> {
    if !key.starts_with("net.") {
        return Err(Error::SysctlName { netns: label.clone(), key: key.to_owned() });
    }
    let failed = |source| Error::Sysctl { netns: label.clone(), key: key.to_owned(), source };
    let change = || {
        let mut file = fs::OpenOptions::new().read(true).write(true).open(path(key)).map_err(failed)?;
        let mut before = String::new();
        file.read_to_string(&mut before).map_err(failed)?;
        record(&plain(&before)).map_err(Error::Journal)?;
        file.rewind().and_then(|()| file.write_all(value.as_bytes())).map_err(failed)
    };
    netns.run(change).map_err(Error::netns(label))?
}

fn read_here(key: &str) -> io::Result<String> {
    fs::read_to_string(path(key)).map(|value| plain(&value))
}

/// Values of several numbers are separated by tabs in /proc and by spaces when people write them.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As sysctl(8): dots separate, and a slash stands for a dot in a name (`net.ipv4.conf.eth0/100.rp_filter`).
fn path(key: &str) -> PathBuf {
    let swapped = key.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    let parts = swapped.collect::<String>();
    let inside = parts.split('/').filter(|part| !part.is_empty() && *part != ".." && *part != ".");
    ["/proc/sys"].into_iter().chain(inside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_as_sysctl_does_it() {
        assert_eq!(path("net.ipv4.ip_forward"), PathBuf::from("/proc/sys/net/ipv4/ip_forward"));
        assert_eq!(
            path("net.ipv4.conf.eth0/100.rp_filter"),
            PathBuf::from("/proc/sys/net/ipv4/conf/eth0.100/rp_filter")
        );
        assert!(path("net.//.//.etc/passwd").starts_with("/proc/sys/net"));
        assert_eq!(plain("4096\t131072  6291456\n"), "4096 131072 6291456");
    }
}
