//! vxlan: Ethernet over UDP (RFC 7348).

use std::{fmt, net::IpAddr};

use netlink_packet_route::link::{InfoData, InfoKind, InfoVxlan};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
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
    /// The namespace whose routes the outer packets take; the link itself may lie in another one. In an observed state
    /// absent where it lies outside of what was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlay: Option<Label>,
    /// The link of the underlay that the outer packets leave by, where it is not left to the routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<LinkRef>,
}

impl Vxlan {
    fn default_port() -> u16 {
        4789
    }

    fn remote(&self) -> Option<InfoVxlan> {
        self.remote.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Group(address),
            IpAddr::V6(address) => InfoVxlan::Group6(address),
        })
    }
}

impl Kind for Vxlan {
    fn name(&self) -> &'static str {
        "vxlan"
    }

    fn change(&self, found: &Vxlan) -> KindChange {
        let netns = |label: Option<&Label>| label.map_or_else(|| "elsewhere".to_owned(), Label::to_string);
        let fixed = KindChange::fixed("vni", &found.vni, &self.vni)
            .or_else(|| KindChange::fixed("port", &found.port, &self.port))
            .or_else(|| KindChange::moved("local", found.local.as_ref(), self.local.as_ref()))
            .or_else(|| KindChange::fixed("underlay", &netns(found.underlay.as_ref()), &netns(self.underlay.as_ref())))
            .or_else(|| KindChange::moved("dev", found.dev.as_ref(), self.dev.as_ref()));
        // "New group address type" of vxlan_nl2conf: the family stays; and no remote cannot be said.
        fixed.unwrap_or_else(|| KindChange::redirected(found.remote, self.remote))
    }

    /// Only the remote: the kernel refuses a change that so much as names the port.
    fn encode_change(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let data = self.remote().into_iter().collect();
        Encoded { kind: InfoKind::Vxlan, data: Some(InfoData::Vxlan(data)), below: None }
    }

    fn encode(&self, index: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let local = self.local.map(|address| match address {
            IpAddr::V4(address) => InfoVxlan::Local(address),
            IpAddr::V6(address) => InfoVxlan::Local6(address),
        });
        let dev = self.dev.as_ref().and_then(index).map(InfoVxlan::Link);
        let mut data = vec![InfoVxlan::Id(self.vni), InfoVxlan::Port(self.port), InfoVxlan::Learning(true)];
        data.extend([self.remote(), local, dev].into_iter().flatten());
        Encoded { kind: InfoKind::Vxlan, data: Some(InfoData::Vxlan(data)), below: None }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, around: &dyn Surroundings) -> Option<Vxlan> {
        let Some(InfoData::Vxlan(data)) = data else { return None };
        let underlay = around.netns_below();
        let mut vxlan = Vxlan { vni: 0, remote: None, local: None, port: Self::default_port(), underlay, dev: None };
        for attribute in data {
            match attribute {
                InfoVxlan::Id(vni) => vxlan.vni = *vni,
                InfoVxlan::Group(address) if !address.is_unspecified() => vxlan.remote = Some((*address).into()),
                InfoVxlan::Group6(address) if !address.is_unspecified() => vxlan.remote = Some((*address).into()),
                InfoVxlan::Local(address) if !address.is_unspecified() => vxlan.local = Some((*address).into()),
                InfoVxlan::Local6(address) if !address.is_unspecified() => vxlan.local = Some((*address).into()),
                InfoVxlan::Port(port) => vxlan.port = *port,
                InfoVxlan::Link(index) if *index != 0 => {
                    vxlan.dev = vxlan.underlay.as_ref().and_then(|underlay| around.in_netns(underlay, *index));
                }
                _ => {}
            }
        }
        Some(vxlan)
    }

    fn parent(&self) -> Option<&LinkRef> {
        self.dev.as_ref()
    }

    fn made_from(&self) -> Option<&Label> {
        self.underlay.as_ref()
    }
}

impl fmt::Display for Vxlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vxlan vni {}", self.vni)?;
        self.remote.map_or(Ok(()), |remote| write!(f, " remote {remote}"))?;
        self.local.map_or(Ok(()), |local| write!(f, " local {local}"))?;
        write!(f, " port {}", self.port)?;
        self.underlay.as_ref().map_or(Ok(()), |underlay| write!(f, " by {underlay}"))
    }
}
