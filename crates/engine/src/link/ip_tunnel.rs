//! The tunnels that put packets into IP packets without a port number: gre and its relatives, ipip, sit, ip6tnl. They end
//! in the namespace that they lie in.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netlink_packet_core::DefaultNla;
use netlink_packet_route::link::{GreIOFlags, InfoData, InfoGre, InfoGre6, InfoIpTunnel, InfoKind, Ip6TunnelFlags};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// A tunnel, like `ip link add NAME type FORM remote A local A [ttl T] [key K] [dev DEV]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpTunnel {
    /// What is in what.
    pub form: TunnelForm,
    /// The other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Source address of the outer packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// Hops that an outer packet may take; without it, as many as the inner packet, or the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u8>,
    /// Tells tunnels between the same two ends apart (gre and relatives).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<u32>,
    /// The link that the outer packets leave by, where it is not left to the routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<LinkRef>,
}

/// What is in what, named as `ip link add type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TunnelForm {
    /// IP in GRE in IPv4.
    Gre,
    /// Ethernet in GRE in IPv4.
    Gretap,
    /// IP in GRE in IPv6.
    Ip6gre,
    /// Ethernet in GRE in IPv6.
    Ip6gretap,
    /// IPv4 in IPv4.
    Ipip,
    /// IPv6 in IPv4.
    Sit,
    /// IPv4 and IPv6 in IPv6.
    Ip6tnl,
}

impl TunnelForm {
    /// All of them.
    pub const ALL: [TunnelForm; 7] = [
        TunnelForm::Gre,
        TunnelForm::Gretap,
        TunnelForm::Ip6gre,
        TunnelForm::Ip6gretap,
        TunnelForm::Ipip,
        TunnelForm::Sit,
        TunnelForm::Ip6tnl,
    ];

    /// As `ip link add type` has it.
    pub fn name(self) -> &'static str {
        match self {
            TunnelForm::Gre => "gre",
            TunnelForm::Gretap => "gretap",
            TunnelForm::Ip6gre => "ip6gre",
            TunnelForm::Ip6gretap => "ip6gretap",
            TunnelForm::Ipip => "ipip",
            TunnelForm::Sit => "sit",
            TunnelForm::Ip6tnl => "ip6tnl",
        }
    }

    /// Whether the outer packets are IPv6.
    pub fn over_v6(self) -> bool {
        matches!(self, TunnelForm::Ip6gre | TunnelForm::Ip6gretap | TunnelForm::Ip6tnl)
    }

    /// Whether the inner packets are Ethernet frames: then it has a MAC address and may be a port of a bridge.
    pub fn carries_ethernet(self) -> bool {
        matches!(self, TunnelForm::Gretap | TunnelForm::Ip6gretap)
    }

    /// Whether it has keys.
    pub fn is_gre(self) -> bool {
        !matches!(self, TunnelForm::Ipip | TunnelForm::Sit | TunnelForm::Ip6tnl)
    }

    fn kernel(self) -> InfoKind {
        match self {
            TunnelForm::Gre => InfoKind::GreTun,
            TunnelForm::Gretap => InfoKind::GreTap,
            TunnelForm::Ip6gre => InfoKind::GreTun6,
            TunnelForm::Ip6gretap => InfoKind::GreTap6,
            TunnelForm::Ipip => InfoKind::IpIp,
            TunnelForm::Sit => InfoKind::SitTun,
            TunnelForm::Ip6tnl => InfoKind::Ip6Tnl,
        }
    }
}

/// IFLA_GRE_FLAGS of linux/if_tunnel.h, for gre over IPv6.
const IFLA_GRE_FLAGS: u16 = 13;
/// IP6_TNL_F_IGN_ENCAP_LIMIT: without it every outer packet carries an option that forbids tunnels in tunnels.
const NO_LIMIT: u32 = 1;

impl IpTunnel {
    /// Bytes that it puts before a packet.
    pub fn overhead(&self) -> u32 {
        let ip = if self.form.over_v6() { 40 } else { 20 };
        let gre = if self.form.is_gre() { 4 } else { 0 };
        let key = if self.key.is_some() { 4 } else { 0 };
        ip + gre + key + if self.form.carries_ethernet() { 14 } else { 0 }
    }

    fn v4(address: Option<IpAddr>) -> Ipv4Addr {
        match address {
            Some(IpAddr::V4(address)) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn v6(address: Option<IpAddr>) -> Ipv6Addr {
        match address {
            Some(IpAddr::V6(address)) => address,
            _ => Ipv6Addr::UNSPECIFIED,
        }
    }

    fn gre(&self, dev: Option<u32>) -> Vec<InfoGre> {
        let (local, remote) = (IpTunnel::v4(self.local), IpTunnel::v4(self.remote));
        let mut data = vec![InfoGre::Local(local), InfoGre::Remote(remote), InfoGre::Ttl(self.ttl.unwrap_or(0))];
        data.extend(dev.map(InfoGre::Link));
        if let Some(key) = self.key {
            let flags = [InfoGre::IFlags(GreIOFlags::Key), InfoGre::OFlags(GreIOFlags::Key)];
            data.extend(flags.into_iter().chain([InfoGre::IKey(key), InfoGre::OKey(key)]));
        }
        data
    }

    fn gre6(&self, dev: Option<u32>) -> Vec<InfoGre6> {
        let (local, remote) = (IpTunnel::v6(self.local), IpTunnel::v6(self.remote));
        let mut data = vec![InfoGre6::Local(local), InfoGre6::Remote(remote), InfoGre6::Ttl(self.ttl.unwrap_or(0))];
        data.push(InfoGre6::Other(DefaultNla::new(IFLA_GRE_FLAGS, NO_LIMIT.to_ne_bytes().to_vec())));
        data.extend(dev.map(InfoGre6::Link));
        if let Some(key) = self.key {
            let flags = [InfoGre6::IFlags(GreIOFlags::Key), InfoGre6::OFlags(GreIOFlags::Key)];
            data.extend(flags.into_iter().chain([InfoGre6::IKey(key), InfoGre6::OKey(key)]));
        }
        data
    }

    fn plain(&self, dev: Option<u32>) -> Vec<InfoIpTunnel> {
        let v6 = self.form.over_v6();
        let any = if v6 { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { IpAddr::from(Ipv4Addr::UNSPECIFIED) };
        let (local, remote) = (self.local.unwrap_or(any), self.remote.unwrap_or(any));
        let ttl = InfoIpTunnel::Ttl(self.ttl.unwrap_or(0));
        let mut data = vec![InfoIpTunnel::Local(local), InfoIpTunnel::Remote(remote), ttl];
        data.extend(v6.then(|| InfoIpTunnel::Ipv6Flags(Ip6TunnelFlags::from_bits_retain(NO_LIMIT))));
        data.extend(dev.map(InfoIpTunnel::Link));
        data
    }
}

/// One attribute of an observed tunnel, whichever form it has.
enum Told {
    Local(IpAddr),
    Remote(IpAddr),
    Ttl(u8),
    Dev(u32),
    HasKey(bool),
    Key(u32),
}

fn told_by_gre(attribute: &InfoGre) -> Option<Told> {
    Some(match attribute {
        InfoGre::Local(address) => Told::Local((*address).into()),
        InfoGre::Remote(address) => Told::Remote((*address).into()),
        InfoGre::Ttl(hops) => Told::Ttl(*hops),
        InfoGre::Link(index) => Told::Dev(*index),
        InfoGre::IFlags(flags) => Told::HasKey(flags.contains(GreIOFlags::Key)),
        InfoGre::IKey(key) => Told::Key(*key),
        _ => return None,
    })
}

fn told_by_gre6(attribute: &InfoGre6) -> Option<Told> {
    Some(match attribute {
        InfoGre6::Local(address) => Told::Local((*address).into()),
        InfoGre6::Remote(address) => Told::Remote((*address).into()),
        InfoGre6::Ttl(hops) => Told::Ttl(*hops),
        InfoGre6::Link(index) => Told::Dev(*index),
        InfoGre6::IFlags(flags) => Told::HasKey(flags.contains(GreIOFlags::Key)),
        InfoGre6::IKey(key) => Told::Key(*key),
        _ => return None,
    })
}

fn told_by_plain(attribute: &InfoIpTunnel) -> Option<Told> {
    Some(match attribute {
        InfoIpTunnel::Local(address) => Told::Local(*address),
        InfoIpTunnel::Remote(address) => Told::Remote(*address),
        InfoIpTunnel::Ttl(hops) => Told::Ttl(*hops),
        InfoIpTunnel::Link(index) => Told::Dev(*index),
        _ => return None,
    })
}

impl Kind for IpTunnel {
    fn name(&self) -> &'static str {
        self.form.name()
    }

    fn has_mac(&self) -> bool {
        self.form.carries_ethernet()
    }

    fn change(&self, found: &IpTunnel) -> KindChange {
        let fixed = KindChange::fixed("type", &found.form, &self.form)
            .or_else(|| KindChange::moved("local", found.local.as_ref(), self.local.as_ref()))
            .or_else(|| KindChange::moved("key", found.key.as_ref(), self.key.as_ref()))
            .or_else(|| KindChange::moved("dev", found.dev.as_ref(), self.dev.as_ref()));
        fixed.unwrap_or_else(|| match KindChange::redirected(found.remote, self.remote) {
            KindChange::Same if found.ttl != self.ttl => KindChange::Set,
            change => change,
        })
    }

    fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let dev = self.dev.as_ref().and_then(index);
        let data = match self.form {
            TunnelForm::Gre => InfoData::GreTun(self.gre(dev)),
            TunnelForm::Gretap => InfoData::GreTap(self.gre(dev)),
            TunnelForm::Ip6gre => InfoData::GreTun6(self.gre6(dev)),
            TunnelForm::Ip6gretap => InfoData::GreTap6(self.gre6(dev)),
            TunnelForm::Ipip | TunnelForm::Sit | TunnelForm::Ip6tnl => InfoData::IpTunnel(self.plain(dev)),
        };
        Encoded { kind: self.form.kernel(), data: Some(data), below: None }
    }

    fn decode(kind: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<IpTunnel> {
        let form = TunnelForm::ALL.into_iter().find(|form| form.kernel() == *kind)?;
        let all: Vec<Told> = match data? {
            InfoData::GreTun(data) | InfoData::GreTap(data) => data.iter().filter_map(told_by_gre).collect(),
            InfoData::GreTun6(data) | InfoData::GreTap6(data) => data.iter().filter_map(told_by_gre6).collect(),
            InfoData::IpTunnel(data) => data.iter().filter_map(told_by_plain).collect(),
            _ => return None,
        };
        let mut tunnel = IpTunnel { form, remote: None, local: None, ttl: None, key: None, dev: None };
        for told in &all {
            match told {
                Told::Local(address) => tunnel.local = Some(*address).filter(|address| !address.is_unspecified()),
                Told::Remote(address) => tunnel.remote = Some(*address).filter(|address| !address.is_unspecified()),
                Told::Ttl(hops) => tunnel.ttl = Some(*hops).filter(|hops| *hops != 0),
                Told::Dev(index) if *index != 0 => {
                    tunnel.dev = around.netns_below().and_then(|netns| around.in_netns(&netns, *index));
                }
                Told::Key(key) if all.iter().any(|told| matches!(told, Told::HasKey(true))) => tunnel.key = Some(*key),
                Told::Dev(_) | Told::Key(_) | Told::HasKey(_) => {}
            }
        }
        Some(tunnel)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.dev.as_ref()
    }
}

impl fmt::Display for TunnelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for IpTunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.form)?;
        self.remote.map_or(Ok(()), |remote| write!(f, " remote {remote}"))?;
        self.local.map_or(Ok(()), |local| write!(f, " local {local}"))?;
        self.ttl.map_or(Ok(()), |ttl| write!(f, " ttl {ttl}"))?;
        self.key.map_or(Ok(()), |key| write!(f, " key {key}"))?;
        self.dev.as_ref().map_or(Ok(()), |dev| write!(f, " dev {dev}"))
    }
}
