//! wireguard: an encrypted tunnel for IP. A request for links cannot say more than the kind: keys and peers are set in a step
//! of their own, once all links are there, and a peer in the same document is named by its link, whose key the kernel has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
};

use ipnet::IpNet;
use netlink_packet_route::link::{InfoData, InfoKind};
use serde::{Deserialize, Serialize};
use wireloom_netlink::wireguard::{Device, Peer, PublicKey, SecretKey};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip link add NAME type wireguard` and `wg set NAME [listen-port P] [private-key FILE] [fwmark M] peer ...`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wireguard {
    /// Its private key. Absent in a desired state: the one that it has, or a new one where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretKey>,
    /// Observed: what the kernel makes of the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// UDP port that it listens at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Mark of the outer packets, for rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fwmark: Option<u32>,
    /// Whom it talks to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<WireguardPeer>,
}

/// Like `wg set NAME peer KEY [preshared-key FILE] [endpoint A:P] [persistent-keepalive S] [allowed-ips N,...]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireguardPeer {
    /// Who it is.
    pub key: PeerKey,
    /// A further secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preshared_key: Option<SecretKey>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<SocketAddr>,
    /// Seconds between packets that keep the way open; 0 is off.
    #[serde(default)]
    pub keepalive_s: u16,
    /// Networks that are its.
    #[serde(default)]
    pub allowed: BTreeSet<IpNet>,
}

/// The key of a peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerKey {
    /// This one.
    Public(PublicKey),
    /// Whatever that link of the same state has.
    Of(LinkRef),
}

impl Wireguard {
    /// With the keys of links in place of the links, as far as they are known.
    pub(crate) fn resolved(&self, key_of: &dyn Fn(&LinkRef) -> Option<PublicKey>) -> Wireguard {
        let mut resolved = self.clone();
        for peer in &mut resolved.peers {
            if let PeerKey::Of(link) = &peer.key
                && let Some(key) = key_of(link)
            {
                peer.key = PeerKey::Public(key);
            }
        }
        resolved
    }

    /// What the kernel is to be told, when all keys are known.
    pub(crate) fn device(&self) -> Device {
        let peer = |peer: &WireguardPeer| match peer.key {
            PeerKey::Of(_) => None,
            PeerKey::Public(public_key) => Some(Peer {
                public_key,
                preshared_key: peer.preshared_key.clone(),
                endpoint: peer.endpoint,
                keepalive: peer.keepalive_s,
                allowed: peer.allowed.clone(),
            }),
        };
        Device {
            private_key: self.private_key.clone(),
            public_key: None,
            listen_port: self.port.unwrap_or(0),
            fwmark: self.fwmark.unwrap_or(0),
            peers: self.peers.iter().filter_map(peer).collect(),
        }
    }

    /// What the kernel has told.
    pub(crate) fn observed(device: Device) -> Wireguard {
        let peer = |peer: Peer| WireguardPeer {
            key: PeerKey::Public(peer.public_key),
            preshared_key: peer.preshared_key,
            endpoint: peer.endpoint,
            keepalive_s: peer.keepalive,
            allowed: peer.allowed,
        };
        Wireguard {
            private_key: device.private_key,
            public_key: device.public_key,
            port: Some(device.listen_port),
            fwmark: Some(device.fwmark),
            peers: device.peers.into_iter().map(peer).collect(),
        }
    }

    fn is_met_by(&self, found: &Wireguard) -> bool {
        fn fits<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let by_key =
            |peers: &'_ [WireguardPeer]| peers.iter().map(|p| (p.key.clone(), p.clone())).collect::<BTreeMap<_, _>>();
        let (wanted, there) = (by_key(&self.peers), by_key(&found.peers));
        // Without an endpoint of ours, the one that the peer was last seen at stays.
        let same = |wanted: &WireguardPeer, found: &WireguardPeer| {
            fits(&wanted.endpoint, &found.endpoint)
                && WireguardPeer { endpoint: found.endpoint, ..wanted.clone() } == *found
        };
        let peers = wanted.len() == there.len()
            && wanted.iter().all(|(key, peer)| there.get(key).is_some_and(|found| same(peer, found)));
        let key = found.private_key.is_some() && fits(&self.private_key, &found.private_key);
        peers && key && fits(&self.port, &found.port) && fits(&self.fwmark, &found.fwmark)
    }
}

impl Kind for Wireguard {
    fn name(&self) -> &'static str {
        "wireguard"
    }

    fn has_mac(&self) -> bool {
        false
    }

    fn since(&self) -> Option<&'static str> {
        Some("Linux 5.6")
    }

    fn change(&self, found: &Wireguard) -> KindChange {
        if self.is_met_by(found) { KindChange::Same } else { KindChange::Set }
    }

    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Wireguard, data: None, below: None }
    }

    /// Only that it is one: the rest is not told by links.
    fn decode(kind: &InfoKind, _: Option<&InfoData>, _: &dyn Surroundings) -> Option<Wireguard> {
        (*kind == InfoKind::Wireguard).then(Wireguard::default)
    }

    fn is_configured_later(&self) -> bool {
        true
    }
}

impl fmt::Display for Wireguard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wireguard")?;
        self.port.map_or(Ok(()), |port| write!(f, " port {port}"))?;
        for peer in &self.peers {
            match &peer.key {
                PeerKey::Public(key) => write!(f, " peer {:.8}…", key.to_string())?,
                PeerKey::Of(link) => write!(f, " peer {link}")?,
            }
        }
        Ok(())
    }
}
