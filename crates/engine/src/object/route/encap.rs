//! What a route does to a packet on its way: SRv6 encapsulation and local segments. Does not know which route it is.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use netlink_packet_route::route::{
    RouteAttribute, RouteLwEnCapType, RouteLwTunnelEncap, RouteSeg6IpTunnel, RouteSeg6LocalTunnel, Seg6Header,
    Seg6LocalAction, Seg6Mode,
};
use serde::{Deserialize, Serialize};

/// An encapsulation, like `encap seg6 ...` and `encap seg6local ...` of `ip route`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encap {
    /// Packets are sent through segments.
    Seg6(Seg6),
    /// Packets to this segment are ours to handle.
    #[serde(rename = "seg6local")]
    Seg6Local(Seg6Local),
    /// Observed: another one, by its name.
    Other(String),
}

/// Like `encap seg6 mode MODE segs SEGMENT,...`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seg6 {
    /// Put the header into the packet itself, rather than in front of it with an IPv6 header of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
    /// The segments, the first one first.
    pub segments: Vec<Ipv6Addr>,
}

/// What to do with a packet that has come to this segment (RFC 8986), like `encap seg6local action ACTION ...`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seg6Local {
    /// `End`: on to the next segment.
    End,
    /// `End.X nh6 HOP`: on to the next segment, by this hop.
    EndX(Ipv6Addr),
    /// `End.T table N`: on to the next segment, by this table.
    EndT(u32),
    /// `End.DX4 nh4 HOP`: unpack IPv4, send it to this hop.
    EndDx4(Ipv4Addr),
    /// `End.DX6 nh6 HOP`: unpack IPv6, send it to this hop; `::` for where the packet says.
    EndDx6(Ipv6Addr),
    /// `End.DT4 vrftable N`: unpack IPv4, look it up in the table of this VRF.
    EndDt4(u32),
    /// `End.DT6 table N` or `vrftable N`: unpack IPv6, look it up.
    EndDt6(Lookup),
    /// `End.DT46 vrftable N`: unpack either, look it up in the table of this VRF.
    EndDt46(u32),
}

/// Where an unpacked packet is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookup {
    /// In this table.
    Table(u32),
    /// In the table of a VRF, as if the packet had come in by it.
    Vrftable(u32),
}

impl Encap {
    /// None for one that is only observed.
    pub(super) fn encode(&self) -> Vec<RouteAttribute> {
        let (kind, encap) = match self {
            Encap::Seg6(seg6) => (RouteLwEnCapType::Seg6, vec![RouteLwTunnelEncap::Seg6(seg6.encode())]),
            Encap::Seg6Local(local) => {
                let encap = local.encode().into_iter().map(RouteLwTunnelEncap::Seg6Local);
                (RouteLwEnCapType::Seg6Local, encap.collect())
            }
            Encap::Other(_) => return Vec::new(),
        };
        vec![RouteAttribute::EncapType(kind), RouteAttribute::Encap(encap)]
    }

    /// Reads it from the attributes of a route or of one of its hops.
    pub(super) fn decode(attributes: &[RouteAttribute]) -> Option<Encap> {
        let kind = attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::EncapType(kind) => Some(*kind),
            _ => None,
        });
        let encap = attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Encap(encap) => Some(encap.as_slice()),
            _ => None,
        });
        let kind = kind.filter(|kind| *kind != RouteLwEnCapType::None)?;
        let known = match kind {
            RouteLwEnCapType::Seg6 => encap.and_then(Seg6::decode).map(Encap::Seg6),
            RouteLwEnCapType::Seg6Local => encap.and_then(Seg6Local::decode).map(Encap::Seg6Local),
            _ => None,
        };
        Some(known.unwrap_or_else(|| Encap::Other(kind.to_string())))
    }
}

impl Seg6 {
    fn encode(&self) -> RouteSeg6IpTunnel {
        let mut header = Seg6Header::default();
        header.mode = if self.inline { Seg6Mode::Inline } else { Seg6Mode::Encap };
        header.segments.clone_from(&self.segments);
        if self.inline {
            // The kernel puts the packet's own destination there.
            header.segments.push(Ipv6Addr::UNSPECIFIED);
        }
        RouteSeg6IpTunnel::Seg6(header)
    }

    fn decode(encap: &[RouteLwTunnelEncap]) -> Option<Seg6> {
        let [RouteLwTunnelEncap::Seg6(RouteSeg6IpTunnel::Seg6(header))] = encap else { return None };
        let mut segments = header.segments.clone();
        let inline = match (header.mode, header.hmac) {
            (Seg6Mode::Encap, None) => false,
            (Seg6Mode::Inline, None) => segments.pop().is_some(),
            _ => return None,
        };
        Some(Seg6 { inline, segments })
    }
}

impl Seg6Local {
    fn encode(&self) -> Vec<RouteSeg6LocalTunnel> {
        use RouteSeg6LocalTunnel::{Nh4, Nh6, Table, VrfTable};
        let (action, argument) = match *self {
            Seg6Local::End => (Seg6LocalAction::End, None),
            Seg6Local::EndX(hop) => (Seg6LocalAction::EndX, Some(Nh6(hop))),
            Seg6Local::EndT(table) => (Seg6LocalAction::EndT, Some(Table(table))),
            Seg6Local::EndDx4(hop) => (Seg6LocalAction::EndDx4, Some(Nh4(hop))),
            Seg6Local::EndDx6(hop) => (Seg6LocalAction::EndDx6, Some(Nh6(hop))),
            Seg6Local::EndDt4(table) => (Seg6LocalAction::EndDt4, Some(VrfTable(table))),
            Seg6Local::EndDt6(Lookup::Table(table)) => (Seg6LocalAction::EndDt6, Some(Table(table))),
            Seg6Local::EndDt6(Lookup::Vrftable(table)) => (Seg6LocalAction::EndDt6, Some(VrfTable(table))),
            Seg6Local::EndDt46(table) => (Seg6LocalAction::EndDt46, Some(VrfTable(table))),
        };
        [RouteSeg6LocalTunnel::Action(action)].into_iter().chain(argument).collect()
    }

    fn decode(encap: &[RouteLwTunnelEncap]) -> Option<Seg6Local> {
        use RouteSeg6LocalTunnel::{Action, Nh4, Nh6, Table, VrfTable};
        let all = encap.iter().map(|encap| match encap {
            RouteLwTunnelEncap::Seg6Local(local) => Some(local),
            _ => None,
        });
        let all = all.collect::<Option<Vec<_>>>()?;
        let find = |is: fn(&RouteSeg6LocalTunnel) -> bool| all.iter().copied().find(|local| is(local));
        let action = find(|local| matches!(local, Action(_)));
        let argument = find(|local| matches!(local, Nh4(_) | Nh6(_) | Table(_) | VrfTable(_)));
        // Whatever else it says (counters aside) would be lost.
        let Some(Action(action)) = action else { return None };
        Some(match (action, argument) {
            (Seg6LocalAction::End, None) => Seg6Local::End,
            (Seg6LocalAction::EndX, Some(Nh6(hop))) => Seg6Local::EndX(*hop),
            (Seg6LocalAction::EndT, Some(Table(table))) => Seg6Local::EndT(*table),
            (Seg6LocalAction::EndDx4, Some(Nh4(hop))) => Seg6Local::EndDx4(*hop),
            (Seg6LocalAction::EndDx6, Some(Nh6(hop))) => Seg6Local::EndDx6(*hop),
            (Seg6LocalAction::EndDt4, Some(VrfTable(table))) => Seg6Local::EndDt4(*table),
            (Seg6LocalAction::EndDt6, Some(Table(table))) => Seg6Local::EndDt6(Lookup::Table(*table)),
            (Seg6LocalAction::EndDt6, Some(VrfTable(table))) => Seg6Local::EndDt6(Lookup::Vrftable(*table)),
            (Seg6LocalAction::EndDt46, Some(VrfTable(table))) => Seg6Local::EndDt46(*table),
            _ => return None,
        })
    }
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Encap::Seg6(seg6) => {
                let mode = if seg6.inline { "inline" } else { "encap" };
                let segments: Vec<String> = seg6.segments.iter().map(Ipv6Addr::to_string).collect();
                write!(f, "encap seg6 mode {mode} segs {}", segments.join(","))
            }
            Encap::Seg6Local(local) => write!(f, "encap seg6local action {local}"),
            Encap::Other(name) => write!(f, "encap {name}"),
        }
    }
}

impl fmt::Display for Seg6Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seg6Local::End => f.write_str("End"),
            Seg6Local::EndX(hop) => write!(f, "End.X nh6 {hop}"),
            Seg6Local::EndT(table) => write!(f, "End.T table {table}"),
            Seg6Local::EndDx4(hop) => write!(f, "End.DX4 nh4 {hop}"),
            Seg6Local::EndDx6(hop) => write!(f, "End.DX6 nh6 {hop}"),
            Seg6Local::EndDt4(table) => write!(f, "End.DT4 vrftable {table}"),
            Seg6Local::EndDt6(Lookup::Table(table)) => write!(f, "End.DT6 table {table}"),
            Seg6Local::EndDt6(Lookup::Vrftable(table)) => write!(f, "End.DT6 vrftable {table}"),
            Seg6Local::EndDt46(table) => write!(f, "End.DT46 vrftable {table}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let segments = vec!["fc00::1".parse().unwrap(), "fc00::2".parse().unwrap()];
        let hop = "fd00::1".parse().unwrap();
        let locals = [
            Seg6Local::End,
            Seg6Local::EndX(hop),
            Seg6Local::EndT(7),
            Seg6Local::EndDx4(Ipv4Addr::LOCALHOST),
            Seg6Local::EndDx6(hop),
            Seg6Local::EndDt4(7),
            Seg6Local::EndDt6(Lookup::Table(7)),
            Seg6Local::EndDt6(Lookup::Vrftable(7)),
            Seg6Local::EndDt46(7),
        ];
        let headers = [true, false].map(|inline| Encap::Seg6(Seg6 { inline, segments: segments.clone() }));
        for encap in locals.map(Encap::Seg6Local).into_iter().chain(headers) {
            assert_eq!(Encap::decode(&encap.encode()), Some(encap));
        }
    }
}
