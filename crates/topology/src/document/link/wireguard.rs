//! wireguard: an encrypted tunnel that ends in a node. Its keys come from files beside the document, or are made up by `up`
//! and known to nobody; peers of the same document are named by their interfaces.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;
use wireloom_engine::{LinkKind, LinkRef, PeerKey, PublicKey, SecretKey, Wireguard, WireguardPeer};

use super::Kind;
use crate::{
    beside,
    document::{address::Subnet, keys::keys, text::Text, units::Whole},
    lower::{Builder, Copied, Mtu},
    read::{Field, OneOrMany, Spanned},
    source::Span,
    wrong::Wrong,
};

/// `type: wireguard`
pub(super) static KIND: Kind = Kind { name: "wireguard", keys: &["port", "private-key", "fwmark", "peers"], lower };

keys! {
    /// A peer of a wireguard: `peer` of the same document, or the `public-key` of one elsewhere.
    pub(crate) struct PeerSpec {
        /// The other end, `NODE:INTERFACE`, where that is a wireguard of this document.
        peer: Text<String>,
        /// The public key of a peer elsewhere, as `wg pubkey` prints it.
        public_key: Text<PublicKey>,
        /// A file with a further secret that both ends share, as `wg genpsk` prints it.
        preshared_key: Text<String>,
        /// Where the peer is, `ADDRESS` or `ADDRESS:PORT`; without it, the peer has to come.
        endpoint: Text<Endpoint>,
        /// Seconds between packets that keep the way open, 0 to 65535.
        keepalive: Whole<0, 65_535>,
        /// Networks that are the peer's; without it, its addresses in this document.
        allowed_ips: OneOrMany<Text<Subnet>>,
    }
}

/// What wireguard listens at by custom, where the document does not say.
pub(crate) const PORT: u16 = 51_820;

/// An address with a port, or with 0: that of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint(SocketAddr);

impl FromStr for Endpoint {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let endpoint = text.parse().ok().or(address.ok().map(|address| SocketAddr::new(address, 0)));
        let help = "write an address with or without a port, like 192.0.2.2:51820 or [2001:db8::2]:51820";
        endpoint.map(Endpoint).ok_or_else(|| Wrong::new(format!("`{text}` is no endpoint"), help))
    }
}

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let spec = link.spec;
    let at = link.at(builder)?;
    let fwmark = match spec.fwmark.is_absent() {
        true => Some(None),
        false => link.number(builder, &spec.fwmark, "fwmark", 1..=u32::MAX).map(Some),
    };
    let private_key = secret(builder, link, &spec.private_key);
    let mut peers = Vec::new();
    for Spanned { value, span } in spec.peers.get().into_iter().flatten() {
        peers.push(peer(builder, link, &at, value, *span));
    }
    let wireguard = Wireguard {
        private_key: private_key?.map(SecretKey::clamped),
        public_key: None,
        port: Some(spec.port.get().map_or(PORT, |port| u16::try_from(port.0).expect("the range was checked"))),
        fwmark: fwmark?,
        peers: peers.into_iter().collect::<Option<_>>()?,
    };
    builder.single(link, at, LinkKind::Wireguard(Box::new(wireguard)), Mtu::Underlay, false)
}

fn peer(builder: &mut Builder, link: &Copied<'_>, at: &LinkRef, spec: &PeerSpec, span: Span) -> Option<WireguardPeer> {
    let name = builder.filled(&spec.peer, &link.numbers);
    let public_key = builder.filled(&spec.public_key, &link.numbers);
    let preshared_key = secret(builder, link, &spec.preshared_key);
    let endpoint = builder.filled(&spec.endpoint, &link.numbers);
    let networks = spec.allowed_ips.get().into_iter().flatten().map(|text| (text.span, &text.value));
    let networks = builder.filled_all(networks, &link.numbers);
    let key = match (name?, public_key?) {
        (Some(name), None) => PeerKey::Of(other_end(builder, at, &name, spec.peer.span().unwrap_or(span))?),
        (None, Some(key)) => PeerKey::Public(key),
        (Some(_), Some(_)) => {
            builder.wrong(span, "a peer with both `peer` and `public-key`", "keep one of them");
            return None;
        }
        (None, None) => {
            let help = "add `peer: NODE:INTERFACE` of this document, or `public-key: KEY`";
            builder.wrong(span, "a peer without a key", help);
            return None;
        }
    };
    let allowed: BTreeSet<IpNet> = networks?.into_iter().map(|net| net.value.0).collect();
    if allowed.is_empty() && matches!(key, PeerKey::Public(_)) {
        builder.wrong(span, "a peer without `allowed-ips`", "name the networks that are its, like 10.0.0.2/32");
        return None;
    }
    let keepalive_s = spec.keepalive.get().map_or(0, |s| u16::try_from(s.0).expect("the range was checked"));
    Some(WireguardPeer { key, preshared_key: preshared_key?, endpoint: endpoint?.map(|e| e.0), keepalive_s, allowed })
}

fn other_end(builder: &mut Builder, at: &LinkRef, name: &str, span: Span) -> Option<LinkRef> {
    let other = name.split_once(':').and_then(|(node, ifname)| Some((node, ifname.parse().ok()?)));
    let Some((node, ifname)) = other else {
        builder.wrong(span, format!("peer `{name}` names no interface"), "write NODE:INTERFACE, like b:wg0");
        return None;
    };
    let other = LinkRef { netns: builder.node(node, span)?, ifname };
    if other == *at {
        builder.wrong(span, format!("{at} is its own peer"), "name the interface at the other end");
        return None;
    }
    Some(other)
}

/// The key in a file beside the document; nothing where none is named.
fn secret(builder: &mut Builder, link: &Copied<'_>, file: &Field<Text<String>>) -> Option<Option<SecretKey>> {
    let Some(name) = builder.filled(file, &link.numbers)? else { return Some(None) };
    let span = file.span().unwrap_or(link.span);
    let document = builder.sources.name(span.file).to_owned();
    let text = builder.noted(span, beside::read(&document, &name))?;
    let key = text.parse().map_err(|_| {
        let help = "write one with `wg genkey > FILE` or `wg genpsk > FILE`, or leave the key out";
        Wrong::new(format!("`{name}` holds no key of wireguard: 32 bytes in base64"), help)
    });
    builder.noted(span, key).map(Some)
}
