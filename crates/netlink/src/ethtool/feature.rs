//! Features (offloads): a set of names, some of which stand for several of the kernel's.

use std::collections::BTreeSet;

use super::HEADER;
use crate::frame::{attributes, push_attribute};
use crate::kernel::NLA_F_NESTED as NESTED;

const ETHTOOL_A_FEATURES_HW: u16 = 2;
const ETHTOOL_A_FEATURES_WANTED: u16 = 3;
const ETHTOOL_A_FEATURES_ACTIVE: u16 = 4;
const ETHTOOL_A_STRSET_STRINGSETS: u16 = 2;
const ETHTOOL_A_STRINGSETS_STRINGSET: u16 = 1;
const ETHTOOL_A_STRINGSET_ID: u16 = 1;
const ETHTOOL_A_STRINGSET_STRINGS: u16 = 3;
const ETHTOOL_A_STRINGS_STRING: u16 = 1;
const ETHTOOL_A_STRING_VALUE: u16 = 2;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;
const ETHTOOL_A_BITSET_BIT_VALUE: u16 = 3;

/// The short names of ethtool(8), and which of the kernel's names each stands for. New kernels add members.
const SHORT: [(&str, &str); 12] = [
    ("rx", "rx-checksum"),
    ("tx", "tx-checksum-*"),
    ("sg", "tx-scatter-gather*"),
    ("tso", "tx-tcp*-segmentation"),
    ("ufo", "tx-udp-fragmentation"),
    ("gso", "tx-generic-segmentation"),
    ("gro", "rx-gro"),
    ("lro", "rx-lro"),
    ("rxvlan", "rx-vlan-hw-parse"),
    ("txvlan", "tx-vlan-hw-insert"),
    ("ntuple", "rx-ntuple-filter"),
    ("rxhash", "rx-hashing"),
];

/// Whether `name`, short or the kernel's, stands for the kernel's `feature`.
fn stands_for(name: &str, feature: &str) -> bool {
    let pattern = SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, pattern)| pattern);
    match pattern.split_once('*') {
        Some((first, last)) => feature.strip_prefix(first).is_some_and(|rest| rest.ends_with(last)),
        None => feature == pattern,
    }
}

/// `on` when one that the name stands for is active, as ethtool(8) shows it; nothing where the device says nothing of them.
pub(super) fn read(message: &[u8], name: &str) -> Option<String> {
    let has = |kind| set(message, kind).iter().any(|feature| stands_for(name, feature));
    match has(ETHTOOL_A_FEATURES_ACTIVE) {
        true => Some("on".to_owned()),
        false => has(ETHTOOL_A_FEATURES_HW).then(|| "off".to_owned()),
    }
}

/// What to ask for all names of features.
pub(super) fn ask_names() -> Vec<u8> {
    const ETH_SS_FEATURES: u32 = 4;
    let (mut id, mut one, mut message) = (Vec::new(), Vec::new(), Vec::new());
    push_attribute(&mut id, ETHTOOL_A_STRINGSET_ID, &ETH_SS_FEATURES.to_ne_bytes());
    push_attribute(&mut one, ETHTOOL_A_STRINGSETS_STRINGSET | NESTED, &id);
    push_attribute(&mut message, HEADER | NESTED, &[]);
    push_attribute(&mut message, ETHTOOL_A_STRSET_STRINGSETS | NESTED, &one);
    message
}

/// Whether the kernel has a feature that the name stands for.
pub(super) fn is_known(message: &[u8], name: &str) -> bool {
    let sets = within(message, ETHTOOL_A_STRSET_STRINGSETS).flat_map(|all| within(all, ETHTOOL_A_STRINGSETS_STRINGSET));
    let strings = sets.flat_map(|set| within(set, ETHTOOL_A_STRINGSET_STRINGS));
    let names = strings.flat_map(|all| within(all, ETHTOOL_A_STRINGS_STRING)).filter_map(|one| {
        let value = within(one, ETHTOOL_A_STRING_VALUE).next()?;
        Some(text(value))
    });
    names.into_iter().any(|feature| stands_for(name, &feature))
}

/// Those that the name stands for and that may be changed.
pub(super) fn changeable(message: &[u8], name: &str) -> Vec<String> {
    set(message, ETHTOOL_A_FEATURES_HW).into_iter().filter(|feature| stands_for(name, feature)).collect()
}

/// The names in a bit set that is sent as a list.
fn set(message: &[u8], kind: u16) -> BTreeSet<String> {
    let bits = within(message, kind).flat_map(|bitset| within(bitset, ETHTOOL_A_BITSET_BITS));
    let bits = bits.flat_map(|bits| within(bits, ETHTOOL_A_BITSET_BITS_BIT));
    bits.filter_map(|bit| within(bit, ETHTOOL_A_BITSET_BIT_NAME).next()).map(text).collect()
}

/// The values of the attributes of that type.
fn within(bytes: &[u8], wanted: u16) -> impl Iterator<Item = &[u8]> {
    attributes(bytes).filter(move |(kind, _)| *kind == wanted).map(|(_, value)| value)
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

/// Appends the request that features be on or off; others stay.
pub(super) fn push(message: &mut Vec<u8>, names: &[String], on: bool) {
    let mut bits = Vec::new();
    for name in names {
        let mut bit = Vec::new();
        push_attribute(&mut bit, ETHTOOL_A_BITSET_BIT_NAME, &[name.as_bytes(), b"\0"].concat());
        if on {
            push_attribute(&mut bit, ETHTOOL_A_BITSET_BIT_VALUE, &[]);
        }
        push_attribute(&mut bits, ETHTOOL_A_BITSET_BITS_BIT | NESTED, &bit);
    }
    let mut bitset = Vec::new();
    push_attribute(&mut bitset, ETHTOOL_A_BITSET_BITS | NESTED, &bits);
    push_attribute(message, ETHTOOL_A_FEATURES_WANTED | NESTED, &bitset);
}
