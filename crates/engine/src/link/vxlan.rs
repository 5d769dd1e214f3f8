//! vxlan: Ethernet over UDP (RFC 7348).

use std::{fmt, net::IpAddr};

use netlink_packet_route::link::{InfoData, InfoKind, InfoVxlan};
use serde::{Deserialize, Serialize};

use super::{Encoded, KindChange, Surroundings};
use crate::{Label, LinkRef};

/// A tunnel, like `ip link add NAME type vxlan id VNI remote A [local A] dstport P [dev DEV]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vxlan {
    /// Network identifier, 24 bits.
    pub vni: u32,
    /// The other end, or a multicast group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Source address of the outer packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// UDP port; IANA's is 4789.
    #[serde(default = "Vxlan::default_port")]
    pub port: u16,
    /// The namespace whose routes the outer packets take. The link itself may lie in another one.
    pub underlay: Label,
    /// The link of the underlay that the outer packets leave by, where it is not left to the routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<LinkRef>,
}

impl Vxlan {
    fn default_port() -> u16 {
        4789
    }
}

impl Vxlan {
    pub(super) fn change(&self, found: &Vxlan) -> KindChange {
        let word = |address: Option<IpAddr>| address.map_or_else(|| "none".to_owned(), |a| a.to_string());
        let fixed = KindChange::fixed("vni", &found.vni, &self.vni)
            .or_else(|| KindChange::fixed("port", &found.port, &self.port))
            .or_else(|| KindChange::fixed("local", &word(found.local), &word(self.local)))
            .or_else(|| KindChange::fixed("underlay", &found.underlay, &self.underlay))
            .or_else(|| KindChange::moved("dev", found.dev.as_ref(), self.dev.as_ref()));
        let remote = match (found.remote, self.remote) {
            (found, wanted) if found == wanted => KindChange::Same,
            (Some(found), Some(wanted)) if found.is_ipv4() == wanted.is_ipv4() => KindChange::Set,
            // "New group address type" of vxlan_nl2conf: the family stays; and no remote cannot be said.
            (found, wanted) => KindChange::Replace(format!("remote {} -> {}", word(found), word(wanted))),
        };
        fixed.unwrap_or(remote)
    }

    fn remote(&self) -> Option<InfoVxlan> {
        self.remote.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Group(address),
            IpAddr::V6(address) => InfoVxlan::Group6(address),
        })
    }

    /// Only the remote: the kernel refuses a change that so much as names the port.
    pub(super) fn encode_change(&self) -> Encoded {
        let data = self.remote().into_iter().collect();
        Encoded { kind: InfoKind::Vxlan, data: Some(InfoData::Vxlan(data)), below: None }
    }

    pub(super) fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let local = self.local.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Local(address),
            IpAddr::V6(address) => InfoVxlan::Local6(address),
        });
        let dev = self.dev.as_ref().and_then(index).map(InfoVxlan::Link);
        let mut data = vec![InfoVxlan::Id(self.vni), InfoVxlan::Port(self.port), InfoVxlan::Learning(true)];
        data.extend([self.remote(), local, dev].into_iter().flatten());
        Encoded { kind: InfoKind::Vxlan, data: Some(InfoData::Vxlan(data)), below: None }
    }

    pub(super) fn decode(data: &[InfoVxlan], around: &dyn Surroundings) -> Option<Vxlan> {
        let underlay = around.netns_below().or_else(|| "elsewhere".parse::<Label>().ok())?;
        let mut vxlan = Vxlan { vni: 0, remote: None, local: None, port: Self::default_port(), underlay, dev: None };
        for attribute in data {
            match attribute {
                InfoVxlan::Id(vni) => vxlan.vni = *vni,
                InfoVxlan::Group(address) if !address.is_unspecified() => vxlan.remote = Some((*address).into()),
                InfoVxlan::Group6(address) if !address.is_unspecified() => vxlan.remote = Some((*address).into()),
                InfoVxlan::Local(address) if !address.is_unspecified() => vxlan.local = Some((*address).into()),
                InfoVxlan::Local6(address) if !address.is_unspecified() => vxlan.local = Some((*address).into()),
                InfoVxlan::Port(port) => vxlan.port = *port,
                InfoVxlan::Link(index) if *index != 0 => vxlan.dev = around.in_netns(&vxlan.underlay, *index),
                _ => {}
            }
        }
        Some(vxlan)
    }
}

impl fmt::Display for Vxlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vxlan vni {}", self.vni)?;
        self.remote.map_or(Ok(()), |remote| write!(f, " remote {remote}"))?;
        self.local.map_or(Ok(()), |local| write!(f, " local {local}"))?;
        write!(f, " port {} by {}", self.port, self.underlay)
    }
}
