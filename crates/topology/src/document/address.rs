//! The address of an interface as a document writes it. Does not know what else is on the segment.

use std::{
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};

use crate::wrong::Wrong;

/// An address with the length of its prefix, that an interface can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostAddress(pub(crate) IpNet);

impl FromStr for HostAddress {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let Some((address, prefix)) = text.split_once('/') else {
            let ip = ip_address(text)?;
            let (whole, usual) = if ip.is_ipv4() { (32, 24) } else { (128, 64) };
            let help = format!("write {text}/{usual}, or {text}/{whole} for an address without a network");
            return Err(Wrong::new(format!("{text} has no prefix length"), help));
        };
        let address = ip_address(address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= most).ok_or_else(|| {
            Wrong::new(format!("`/{prefix}` is not the length of a prefix"), format!("write a number from 0 to {most}"))
        })?;
        let net = IpNet::new(address, prefix).expect("the length was checked");
        check_host(net)?;
        Ok(HostAddress(net))
    }
}

/// A network, as `subnet:` takes it: host bits must be clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet(pub(crate) IpNet);

impl FromStr for Subnet {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        network(text).map(Subnet)
    }
}

/// A bare address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bare(pub(crate) IpAddr);

impl FromStr for Bare {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        ip_address(text).map(Bare)
    }
}

/// Reads `ADDRESS/LENGTH` of a network.
pub(crate) fn network(text: &str) -> Result<IpNet, Wrong> {
    let (address, _) = text.split_once('/').unwrap_or((text, ""));
    ip_address(address)?;
    let net = text.parse::<IpNet>().map_err(|_| {
        let help = "a network is written like 10.0.0.0/24 or 2001:db8::/64";
        Wrong::new(format!("{text} is not a network"), help)
    })?;
    if net.trunc() == net {
        return Ok(net);
    }
    Err(Wrong::new(format!("{text} has bits of a host behind the prefix"), format!("write {}", net.trunc())))
}

/// Reads a bare address; says which part of an IPv4 address is out of range.
pub(crate) fn ip_address(text: &str) -> Result<IpAddr, Wrong> {
    text.parse().map_err(|_| {
        let large = text.split('.').find(|part| part.parse::<u64>().is_ok_and(|n| n > 255));
        let zero = text.split('.').find(|part| part.len() > 1 && part.starts_with('0') && part.parse::<u8>().is_ok());
        let message = match large.or(zero) {
            Some(part) if zero == Some(part) && text.split('.').count() == 4 => {
                let help = format!("write {}", part.trim_start_matches('0').parse::<u8>().unwrap_or(0));
                return Wrong::new(format!("`{part}` in {text:?} has a leading zero"), help);
            }
            Some(part) if text.split('.').count() == 4 => format!("`{part}` in {text:?} is above 255"),
            _ => format!("{text:?} is not an IP address"),
        };
        Wrong::new(message, "an address is written like 10.0.0.1 or 2001:db8::1")
    })
}

fn check_host(net: IpNet) -> Result<(), Wrong> {
    let address = net.addr();
    if address.is_multicast() || address.is_unspecified() {
        let what = if address.is_multicast() { "a multicast address" } else { "no address of a host" };
        return Err(Wrong::new(format!("{address} is {what}"), "an interface takes a unicast address"));
    }
    let IpNet::V4(v4) = net else { return Ok(()) };
    let what = match v4.addr() {
        _ if v4.prefix_len() >= 31 || v4.prefix_len() == 0 => return Ok(()),
        a if a == v4.network() => "the address of the network itself",
        a if a == v4.broadcast() => "the broadcast address of its network",
        _ => return Ok(()),
    };
    Err(Wrong::new(format!("{} is {what}", v4.addr()), host_range(v4)))
}

fn host_range(net: Ipv4Net) -> String {
    let (first, last) = (u32::from(net.network()) + 1, u32::from(net.broadcast()) - 1);
    format!("hosts of {} have {} to {}", net.trunc(), Ipv4Addr::from(first), Ipv4Addr::from(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_hosts_are_taken() {
        for good in ["10.0.0.1/24", "10.0.0.0/31", "10.0.0.1/32", "2001:db8::/64", "fe80::1/127", "10.0.0.1/0"] {
            assert_eq!(good.parse::<HostAddress>().unwrap().0.to_string(), good);
        }
    }

    #[test]
    fn other_addresses_are_refused_with_a_remedy() {
        for (bad, message, help) in [
            ("10.0.0.256/24", "`256` in \"10.0.0.256\" is above 255", "an address is written"),
            ("10.0.0.010/24", "`010` in \"10.0.0.010\" has a leading zero", "write 10"),
            ("10.0.0.1", "10.0.0.1 has no prefix length", "write 10.0.0.1/24, or 10.0.0.1/32"),
            ("10.0.0.1/33", "`/33` is not the length of a prefix", "0 to 32"),
            ("10.0.1.0/23", "", ""),
            ("10.0.0.0/24", "10.0.0.0 is the address of the network itself", "10.0.0.1 to 10.0.0.254"),
            ("10.0.0.255/24", "10.0.0.255 is the broadcast address of its network", "10.0.0.1 to 10.0.0.254"),
            ("ff02::1/64", "ff02::1 is a multicast address", "unicast"),
            ("eth0/24", "\"eth0\" is not an IP address", "like 10.0.0.1"),
        ] {
            match bad.parse::<HostAddress>() {
                Ok(_) => assert_eq!(message, "", "{bad}"),
                Err(wrong) => {
                    assert_eq!(wrong.message, message);
                    assert!(wrong.help.contains(help), "{bad}: {}", wrong.help);
                }
            }
        }
    }

    #[test]
    fn a_subnet_has_no_host_bits() {
        assert!("10.0.0.0/24".parse::<Subnet>().is_ok());
        assert_eq!("10.0.0.1/24".parse::<Subnet>().unwrap_err().help, "write 10.0.0.0/24");
        assert!("10.0.0.0".parse::<Subnet>().is_err());
    }
}
