//! Whether we may do what a verb does, before it has done half of it. Does not know user namespaces: what counts is
//! what the kernel says that we have.

use std::fs;

use crate::failure::Failure;

/// A right of a process, by its number in linux/capability.h, and what we need it for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capability {
    number: u32,
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

/// For links, addresses, routes and qdiscs.
pub(crate) const NET_ADMIN: Capability =
    Capability { number: 12, name: "CAP_NET_ADMIN", why: "to change links, addresses and routes" };

/// For namespaces.
pub(crate) const SYS_ADMIN: Capability =
    Capability { number: 21, name: "CAP_SYS_ADMIN", why: "to make, enter and remove network namespaces" };

/// For pings.
pub(crate) const NET_RAW: Capability = Capability { number: 13, name: "CAP_NET_RAW", why: "to send pings" };

/// For packet sockets.
pub(crate) const PACKETS: Capability = Capability { why: "to see packets", ..NET_RAW };

/// Fails with all that we lack.
pub(crate) fn need(needed: &[Capability]) -> Result<(), Failure> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    // Where /proc does not say, the kernel will.
    let lacking = effective(&status).map(|have| lacking(needed, have)).unwrap_or_default();
    if lacking.is_empty() { Ok(()) } else { Err(Failure::Capabilities(lacking)) }
}

fn lacking(needed: &[Capability], have: u64) -> Vec<Capability> {
    needed.iter().filter(|capability| have & (1 << capability.number) == 0).copied().collect()
}

fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_status_of_a_process() {
        let docker = "Name:\tx\nCapPrm:\tffffffffffffffff\nCapEff:\t00000000a80425fb\n";
        let have = effective(docker).unwrap();
        assert_eq!(lacking(&[NET_ADMIN, NET_RAW, SYS_ADMIN], have), [NET_ADMIN, SYS_ADMIN]);
        assert_eq!(lacking(&[NET_ADMIN, NET_RAW, SYS_ADMIN], u64::MAX), []);
        assert_eq!(effective("Name:\tx\n"), None);
    }
}
