//! Ports that are forwarded: `8080:80/tcp`. Does not know where to.

use std::{net::IpAddr, ops::RangeInclusive, str::FromStr};

use wireloom_engine::Protocol;

use crate::wrong::Wrong;

/// More than that is not one service.
const MOST: usize = 1024;

/// `[ADDRESS:]PORT:PORT[/PROTOCOL]`; a range of ports on both sides is as many forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    /// The address on which they are open; all of the namespace without it.
    pub(crate) outer: Option<IpAddr>,
    /// Ports that are open, and those in the node.
    pub(crate) pairs: Vec<(u16, u16)>,
    /// The protocol, tcp without it.
    pub(crate) protocol: Protocol,
}

impl FromStr for Ports {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let (ports, protocol) = match text.split_once('/') {
            None => (text, Protocol::Tcp),
            Some((ports, "tcp")) => (ports, Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some((_, other)) => {
                return Err(Wrong::new(format!("protocol `{other}` cannot be forwarded"), "write `/tcp` or `/udp`"));
            }
        };
        let form = || {
            let help = "write OUTER:INNER/PROTOCOL like 8080:80/tcp, or with an address 192.0.2.1:8080:80/tcp";
            Wrong::new(format!("`{text}` is not a port that is forwarded"), help)
        };
        let (rest, inner) = ports.rsplit_once(':').ok_or_else(form)?;
        let (outer, first) = match rest.rsplit_once(':') {
            None => (None, rest),
            Some((address, first)) => (Some(outer(address).ok_or_else(form)?), first),
        };
        let (open, inner) = (range(first)?, range(inner)?);
        if open.len() != inner.len() {
            let message = format!("{} ports cannot lead to {}", open.len(), inner.len());
            return Err(Wrong::new(message, "write as many ports on both sides, like 8000-8009:80-89/tcp"));
        }
        if open.len() > MOST {
            let message = format!("{} ports in one range", open.len());
            return Err(Wrong::new(message, format!("{MOST} are possible")));
        }
        Ok(Ports { outer, pairs: open.zip(inner).collect(), protocol })
    }
}

/// Addresses of IPv6 are in brackets.
fn outer(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().map(IpAddr::V4),
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err(Wrong::new(format!("`{text}` counts down"), "write the lower port first"));
    }
    Ok(first..=last)
}

fn port(text: &str) -> Result<u16, Wrong> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| Wrong::new(format!("`{text}` is not a port"), "write a number from 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_with_and_without_an_address() {
        let ports: Ports = "8080:80/tcp".parse().unwrap();
        assert_eq!(ports, Ports { outer: None, pairs: vec![(8080, 80)], protocol: Protocol::Tcp });
        let ports: Ports = "[2001:db8::1]:53-54:1053-1054/udp".parse().unwrap();
        assert_eq!((ports.outer.map(|a| a.is_ipv6()), ports.pairs), (Some(true), vec![(53, 1053), (54, 1054)]));
        assert_eq!("192.0.2.1:80:80".parse::<Ports>().unwrap().protocol, Protocol::Tcp);
        for wrong in ["80", "0:80", "80:0", "80:70000", "1-2:3", "9-8:9-8", "1.2.3:80:80", "80:80/sctp", "::1:80:80"] {
            assert!(wrong.parse::<Ports>().is_err(), "{wrong}");
        }
    }
}
