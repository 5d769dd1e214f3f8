//! The firewall of a namespace: whose table it is, and which of the firewalls that we may have written it says.

use std::collections::BTreeSet;

use nix::errno::Errno;
use wireloom_netns::Netns;
use wireloom_nft::{Nft, Table};

use crate::{
    Error, Firewall, Label, Owner,
    firewall::{self, IpFamily, Origin},
};

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The owner's table, and its rule in Docker's chain.
    pub(super) firewall: Option<Firewall>,
    /// Families for which Docker has its chain for others.
    pub(super) docker: BTreeSet<IpFamily>,
}

/// Compares the table with `candidates`: a table says what it does, not why. A kernel without nftables has none.
pub(super) fn read(netns: &Netns, label: &Label, owner: &Owner, candidates: &[Firewall]) -> Result<Found, Error> {
    match look(netns, label, owner, candidates) {
        Err(error) if matches!(error.errno(), Some(Errno::EPROTONOSUPPORT | Errno::EINVAL)) => Ok(Found::default()),
        outcome => outcome.map_err(Error::netlink(label)),
    }
}

fn look(netns: &Netns, label: &Label, owner: &Owner, candidates: &[Firewall]) -> wireloom_netlink::Result<Found> {
    let mut nft = Nft::open(netns)?;
    let tables = nft.tables()?;
    let is_there = |name| tables.iter().any(|(found, _)| *found == name);
    let mut docker = BTreeSet::new();
    let mut passes = BTreeSet::new();
    for family in IpFamily::ALL {
        let table = firewall::docker_table(family);
        if is_there(table.clone()) && nft.has_chain(&table, firewall::DOCKER_USER)? {
            docker.insert(family);
            let mark = Some(firewall::remark(owner, label));
            if nft.rules(&table, firewall::DOCKER_USER)?.iter().any(|found| found.rule.remark == mark) {
                passes.insert(family);
            }
        }
    }
    let found = if is_there(firewall::name(owner)) { nft.table(&firewall::name(owner))? } else { None };
    let firewall = match found {
        Some(table) => Some(understood(owner, label, table, candidates, passes)),
        // The rule alone is what is left when somebody has taken the table.
        None if !passes.is_empty() => Some(Firewall { docker: passes, origin: Origin::Changed, ..Firewall::default() }),
        None => None,
    };
    Ok(Found { firewall, docker })
}

fn understood(
    owner: &Owner,
    label: &Label,
    found: Table,
    candidates: &[Firewall],
    docker: BTreeSet<IpFamily>,
) -> Firewall {
    let mark = firewall::remark(owner, label);
    if found.remark.as_deref().and_then(|remark| remark.split(' ').next()) != Some(&mark) {
        return Firewall { origin: Origin::Others, ..Firewall::default() };
    }
    // Whether the marks for Docker's chain are set depends on where the chain was when the table was written.
    let written = candidates.iter().flat_map(|candidate| {
        let with = |docker: &BTreeSet<IpFamily>| Firewall { docker: docker.clone(), ..candidate.clone() };
        [with(&docker), with(&IpFamily::ALL.into()), with(&BTreeSet::new())]
    });
    let known = written.into_iter().find(|candidate| firewall::table(owner, label, candidate) == found);
    match known {
        Some(known) if known.docker.is_empty() == docker.is_empty() => Firewall { docker, ..known },
        Some(known) => Firewall { docker, origin: Origin::Changed, ..known },
        None => Firewall { docker, origin: Origin::Changed, ..Firewall::default() },
    }
}
