//! geneve: Ethernet over UDP with room for options (RFC 8926). The kernel does not tell by which namespace the outer
//! packets of an existing one leave.

use std::{fmt, net::IpAddr};

use netlink_packet_route::link::{InfoData, InfoGeneve, InfoKind};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::{Label, LinkRef};

/// A tunnel, like `ip link add NAME type geneve id VNI remote A [dstport P] [ttl T]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geneve {
    /// Network identifier, 24 bits.
    pub vni: u32,
    /// The other end.
    pub remote: IpAddr,
    /// UDP port; IANA's is 6081.
    #[serde(default = "Geneve::default_port")]
    pub port: u16,
    /// Hops that an outer packet may take; without it, as many as the inner packet, or the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u8>,
    /// The namespace whose routes the outer packets take; the link itself may lie in another one. Never observed:
    /// geneve_link_ops has no get_link_net.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underlay: Option<Label>,
}

impl Geneve {
    fn default_port() -> u16 {
        6081
    }

    /// What may be changed later, too.
    fn changeable(&self) -> Vec<InfoGeneve> {
        let remote = match self.remote {
            IpAddr::V4(address) => InfoGeneve::Remote(address),
            IpAddr::V6(address) => InfoGeneve::Remote6(address),
        };
        vec![InfoGeneve::Id(self.vni), remote, InfoGeneve::Ttl(self.ttl.unwrap_or(0))]
    }
}

impl Kind for Geneve {
    fn name(&self) -> &'static str {
        "geneve"
    }

    /// It would come back with the routes of its own namespace.
    fn can_be_restored(&self) -> bool {
        self.underlay.is_some()
    }

    fn change(&self, found: &Geneve) -> KindChange {
        let fixed = KindChange::fixed("vni", &found.vni, &self.vni)
            .or_else(|| KindChange::fixed("port", &found.port, &self.port));
        fixed.unwrap_or_else(|| match KindChange::redirected(Some(found.remote), Some(self.remote)) {
            KindChange::Same if found.ttl != self.ttl => KindChange::Set,
            change => change,
        })
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        let data = self.changeable().into_iter().chain([InfoGeneve::Port(self.port)]).collect();
        Encoded { kind: InfoKind::Geneve, data: Some(InfoData::Geneve(data)), below: None }
    }

    /// The kernel refuses a change that so much as names the port.
    fn encode_change(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Geneve, data: Some(InfoData::Geneve(self.changeable())), below: None }
    }

    fn decode(_: &InfoKind, data: Option<&InfoData>, _: &dyn Surroundings) -> Option<Geneve> {
        let Some(InfoData::Geneve(data)) = data else { return None };
        let (mut vni, mut remote, mut port, mut ttl) = (0, None, Geneve::default_port(), None);
        for attribute in data {
            match attribute {
                InfoGeneve::Id(id) => vni = *id,
                InfoGeneve::Remote(address) => remote = Some(IpAddr::from(*address)),
                InfoGeneve::Remote6(address) => remote = Some(IpAddr::from(*address)),
                InfoGeneve::Port(number) => port = *number,
                InfoGeneve::Ttl(hops) => ttl = Some(*hops).filter(|hops| *hops != 0),
                _ => {}
            }
        }
        Some(Geneve { vni, remote: remote?, port, ttl, underlay: None })
    }

    fn made_from(&self) -> Option<&Label> {
        self.underlay.as_ref()
    }
}

impl fmt::Display for Geneve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "geneve vni {} remote {} port {}", self.vni, self.remote, self.port)?;
        self.ttl.map_or(Ok(()), |ttl| write!(f, " ttl {ttl}"))?;
        self.underlay.as_ref().map_or(Ok(()), |underlay| write!(f, " by {underlay}"))
    }
}
