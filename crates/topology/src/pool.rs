//! Automatic addresses: a subnet hands them out in the order of the document. Does not know what the links are.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use wireloom_engine::{Address, LinkRef};

use crate::{
    document::address::Subnet,
    lower::{Builder, Gap, Wire},
    read::Spanned,
    wrong::Wrong,
};

/// The two addresses of link `index` of `links`, each link with a /31 or /127 of its own.
pub(crate) fn pair(subnet: IpNet, index: usize, links: usize) -> Result<[IpNet; 2], Wrong> {
    let (bits, whole) = (subnet.max_prefix_len() - subnet.prefix_len(), subnet.max_prefix_len());
    let room = 1u128.checked_shl(u32::from(bits)).map_or(u128::MAX, |size| size / 2);
    if room < links as u128 {
        let fits = whole - (u8::try_from((links as u128 * 2).next_power_of_two().ilog2()).expect("under 128"));
        let message =
            format!("{subnet} is too small: {links} links need {links} networks /{}, it has {room}", whole - 1);
        return Err(Wrong::new(message, format!("write a /{fits} or larger")));
    }
    let first = bits_of(subnet.network()) + index as u128 * 2;
    let net = |value| IpNet::new(address(subnet, value), whole - 1).expect("a valid length");
    Ok([net(first), net(first + 1)])
}

/// Gives addresses to all interfaces of segments with a subnet that have none of that family.
pub(crate) fn hand_out(builder: &mut Builder) {
    let segments = std::mem::take(&mut builder.segments);
    for wire in &segments {
        if wire.short {
            doubt(builder, wire);
        }
        for subnet in &wire.subnets {
            let takers = takers(wire, subnet.value.0);
            hand_out_one(builder, wire, subnet, &takers);
        }
        if wire.bridge.is_some() {
            builder.settle_nodad(wire);
        }
    }
    builder.segments = segments;
}

/// Addresses that are not handed out are missing.
fn doubt(builder: &mut Builder, wire: &Wire) {
    for end in wire.ends.iter().filter(|end| end.automatic) {
        builder.doubt.add(&end.at.netns, Gap::Addresses);
    }
}

fn takers(wire: &Wire, subnet: IpNet) -> Vec<&LinkRef> {
    let same = |net: &IpNet| net.addr().is_ipv4() == subnet.addr().is_ipv4();
    let ends = wire.ends.iter().filter(|end| end.automatic && !end.addresses.iter().any(|given| same(given)));
    ends.map(|end| &end.at).collect()
}

fn hand_out_one(builder: &mut Builder, wire: &Wire, subnet: &Spanned<Subnet>, takers: &[&LinkRef]) {
    let net = subnet.value.0;
    let given = wire.ends.iter().flat_map(|end| &end.addresses).map(|given| given.addr());
    let taken: HashSet<IpAddr> = given.filter(|address| net.contains(address)).collect();
    let mut free = hosts(net).filter(|address| !taken.contains(address));
    for (served, at) in takers.iter().enumerate() {
        let Some(address) = free.next() else {
            let message = format!("{net} is too small: {} addresses are needed, free are {served}", takers.len());
            let fits = fitting(net, takers.len() + taken.len());
            builder.wrong(subnet.span, message, format!("write a /{fits} or larger"));
            doubt(builder, wire);
            return;
        };
        let address = IpNet::new(address, net.prefix_len()).expect("the length of the subnet");
        if let Some(link) = builder.link_mut(at) {
            link.addresses.push(Address::new(address, !wire.open && address.addr().is_ipv6()));
        }
    }
}

/// The longest prefix with room for so many hosts.
fn fitting(net: IpNet, hosts: usize) -> u8 {
    let room = |bits: u32| match (bits, net.addr().is_ipv4()) {
        (0 | 1, _) => 1 << bits,
        (_, true) => (1usize << bits) - 2,
        (_, false) => (1usize << bits) - 1,
    };
    let bits = (0..32).find(|bits| room(*bits) >= hosts).unwrap_or(32);
    net.max_prefix_len() - u8::try_from(bits).expect("at most 32")
}

/// The addresses that hosts can have, in order.
fn hosts(net: IpNet) -> impl Iterator<Item = IpAddr> {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    let first = bits_of(net.network());
    let last = first + 1u128.checked_shl(bits).map_or(u128::MAX - first, |size| size - 1);
    // The ends of a network mean something else, unless it is no larger than two.
    let (skip_first, skip_last) = (bits > 1, bits > 1 && net.addr().is_ipv4());
    let range = first + u128::from(skip_first)..=last - u128::from(skip_last);
    range.map(move |value| address(net, value))
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn address(like: IpNet, value: u128) -> IpAddr {
    match like {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(value).expect("inside of the network"))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(net: &str, most: usize) -> Vec<String> {
        hosts(net.parse().unwrap()).take(most).map(|address| address.to_string()).collect()
    }

    #[test]
    fn hosts_come_in_order() {
        assert_eq!(first("10.0.0.0/30", 9), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(first("10.0.0.0/31", 9), ["10.0.0.0", "10.0.0.1"]);
        assert_eq!(first("10.0.0.7/32", 9), ["10.0.0.7"]);
        assert_eq!(first("fd00::/64", 2), ["fd00::1", "fd00::2"]);
        assert_eq!(first("fd00::/127", 9), ["fd00::", "fd00::1"]);
        assert_eq!(first("::/0", 1), ["::1"]);
        assert_eq!(first("0.0.0.0/0", 1), ["0.0.0.1"]);
        assert_eq!(first("255.255.255.252/30", 9), ["255.255.255.253", "255.255.255.254"]);
    }

    #[test]
    fn links_of_a_fabric_take_a_pair_each() {
        let net = "10.0.0.0/29".parse().unwrap();
        let pairs: Vec<_> = (0..4).map(|index| pair(net, index, 4).unwrap()[1].to_string()).collect();
        assert_eq!(pairs, ["10.0.0.1/31", "10.0.0.3/31", "10.0.0.5/31", "10.0.0.7/31"]);
        let wrong = pair(net, 0, 5).unwrap_err();
        assert_eq!(wrong.message, "10.0.0.0/29 is too small: 5 links need 5 networks /31, it has 4");
        assert_eq!(wrong.help, "write a /28 or larger");
        assert!(pair("::/0".parse().unwrap(), 99_999, 100_000).is_ok());
    }
}
