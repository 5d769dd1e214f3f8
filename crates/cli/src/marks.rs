//! Everything on this machine that carries our mark, whoever's it is. Does not know ledgers.

use std::{collections::BTreeSet, fs, path::Path};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkMessage},
};
use nix::errno::Errno;
use wireloom_engine::{IfName, Label, Mark, Owner, Source};
use wireloom_netlink::Socket;
use wireloom_netns::{DIRECTORY, Netns};
use wireloom_nft::Nft;

use crate::{
    failure::Failure,
    place,
    traces::{self, Trace},
};

/// Something that carries our mark, or was about to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// A namespace: its `lo` has the mark.
    Namespace {
        /// Whose.
        owner: Owner,
        /// What it is in the state of its owner.
        label: Label,
        /// Where.
        source: Source,
    },
    /// A link.
    Link {
        /// Whose.
        owner: Owner,
        /// What its namespace is in the state of its owner.
        label: Label,
        /// Where.
        source: Source,
        /// Its name.
        ifname: IfName,
    },
    /// A table of nftables.
    Table {
        /// Whose.
        owner: Owner,
        /// What its namespace is in the state of its owner.
        label: Label,
        /// Where.
        source: Source,
    },
    /// A name for a namespace with no namespace behind it, in our way of naming: a crash leaves that.
    Name {
        /// Whose.
        owner: Owner,
        /// The name.
        name: String,
    },
}

impl Found {
    /// Whose it is.
    pub(crate) fn owner(&self) -> &Owner {
        match self {
            Found::Namespace { owner, .. }
            | Found::Link { owner, .. }
            | Found::Table { owner, .. }
            | Found::Name { owner, .. } => owner,
        }
    }
}

/// What is found in all named namespaces, in this one, and in those of `others`. What vanishes meanwhile is not there.
/// The second answer is what carries our number instead of a mark.
pub(crate) fn all(others: &BTreeSet<Source>) -> Result<(Vec<Found>, Vec<Trace>), Failure> {
    let names = wireloom_netns::list()?;
    let mut found: Vec<Found> = names.iter().filter_map(|name| empty_name(name)).collect();
    let mut found_traces = Vec::new();
    let places = names.into_iter().map(Source::Named).chain([Source::Current]).chain(others.iter().cloned());
    let mut seen = BTreeSet::new();
    for source in places {
        // A namespace can have several names and paths.
        let Ok(netns) = source.open() else { continue };
        if netns.inode().is_ok_and(|inode| seen.insert(inode)) {
            found.extend(inside(&netns, &source)?);
            let failed = |cause| Failure::Links { place: place::path(&source).display().to_string(), cause };
            found_traces.extend(traces::inside(&netns, &source).map_err(failed)?);
        }
    }
    found.sort();
    Ok((found, found_traces))
}

/// Names among these that have no namespace behind them: what a kill between the making of a name and of its namespace
/// leaves.
pub(crate) fn empty<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    names.into_iter().filter(|name| is_empty(name))
}

/// Takes such a name away.
pub(crate) fn remove_name(name: &str) -> Result<(), Failure> {
    match wireloom_netns::remove(name) {
        Err(wireloom_netns::Error::NotFound { .. }) => Ok(()),
        other => other.map_err(Failure::Netns),
    }
}

fn inside(netns: &Netns, source: &Source) -> Result<Vec<Found>, Failure> {
    let failed = |cause| Failure::Links { place: place::path(source).display().to_string(), cause };
    let mut socket = Socket::open(netns).map_err(failed)?;
    let answers = socket.dump(Message::GetLink(LinkMessage::default())).map_err(failed)?;
    let links = answers.iter().filter_map(|answer| of_link(answer, source));
    let tables = tables(netns, source).map_err(failed)?;
    Ok(links.chain(tables).collect())
}

/// A kernel without nftables has none.
fn tables(netns: &Netns, source: &Source) -> wireloom_netlink::Result<Vec<Found>> {
    let tables = match Nft::open(netns).and_then(|mut nft| nft.tables()) {
        Err(error) if matches!(error.errno(), Some(Errno::EPROTONOSUPPORT | Errno::EINVAL)) => Vec::new(),
        outcome => outcome?,
    };
    let ours = tables.into_iter().filter_map(|(_, remark)| {
        let mark = Mark::parse(&remark?)?;
        Some(Found::Table { owner: mark.owner, label: mark.id.parse().ok()?, source: source.clone() })
    });
    Ok(ours.collect())
}

fn of_link(answer: &Message, source: &Source) -> Option<Found> {
    let Message::NewLink(message) = answer else { return None };
    let mark = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfAlias(alias) => Mark::parse(alias),
        _ => None,
    })?;
    let ifname: IfName = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => name.parse().ok(),
        _ => None,
    })?;
    let (owner, source) = (mark.owner, source.clone());
    match mark.id.split_once(':') {
        None => Some(Found::Namespace { owner, label: mark.id.parse().ok()?, source }),
        Some((label, _)) => Some(Found::Link { owner, label: label.parse().ok()?, source, ifname }),
    }
}

/// Ours are `wireloom-OWNER` and `OWNER.NODE`, where an owner may begin with `wireloom-` and has no full stop.
fn empty_name(name: &str) -> Option<Found> {
    if !is_empty(name) {
        return None;
    }
    Some(Found::Name { owner: named_after(name)?, name: name.to_owned() })
}

fn named_after(name: &str) -> Option<Owner> {
    let owner = match name.split_once('.') {
        Some((owner, node)) => Some(owner).filter(|_| node.parse::<Label>().is_ok()),
        None => name.strip_prefix("wireloom-"),
    };
    owner?.parse().ok()
}

fn is_empty(name: &str) -> bool {
    let path = Path::new(DIRECTORY).join(name);
    // A file on which a namespace is mounted is of length 0 too, and opening it tells.
    let plain = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == 0);
    plain && matches!(Netns::open(&path), Err(wireloom_netns::Error::NotNetns { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_namespaces_tell_whose_they_are() {
        let owner = |name| named_after(name).map(|owner| owner.to_string());
        assert_eq!(owner("lab.r1").as_deref(), Some("lab"));
        assert_eq!(owner("wireloom-lab").as_deref(), Some("lab"));
        assert_eq!(owner("wireloom-lab.r1").as_deref(), Some("wireloom-lab"));
        assert_eq!(owner("wireloom-wireloom-lab").as_deref(), Some("wireloom-lab"));
        for other in ["lab", "lab.", ".r1", "cni-0123", "a b.c"] {
            assert_eq!(owner(other), None, "{other}");
        }
    }
}
