//! Devices and peers as attributes (linux/wireguard.h). Does no I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use ipnet::IpNet;

use super::{Device, Peer, PublicKey, SecretKey};
use crate::frame::{attributes, push_attribute, u16_at, u32_at};
use crate::kernel::NLA_F_NESTED as NESTED;

const WGDEVICE_A_IFNAME: u16 = 2;
const WGDEVICE_A_PRIVATE_KEY: u16 = 3;
const WGDEVICE_A_PUBLIC_KEY: u16 = 4;
const WGDEVICE_A_FLAGS: u16 = 5;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_FWMARK: u16 = 7;
const WGDEVICE_A_PEERS: u16 = 8;
const WGDEVICE_F_REPLACE_PEERS: u32 = 1;

const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_PRESHARED_KEY: u16 = 2;
const WGPEER_A_FLAGS: u16 = 3;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5;
const WGPEER_A_ALLOWEDIPS: u16 = 9;
const WGPEER_F_REPLACE_ALLOWEDIPS: u32 = 2;

const WGALLOWEDIP_A_FAMILY: u16 = 1;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;

/// The request for a device.
pub(super) fn ask(ifname: &str) -> Vec<u8> {
    let mut message = Vec::new();
    push_attribute(&mut message, WGDEVICE_A_IFNAME, &[ifname.as_bytes(), b"\0"].concat());
    message
}

/// Bytes of peers in a message at most: an attribute's length has 16 bits.
const MOST: usize = 32 << 10;
/// Networks of a peer in a message at most, each of 36 bytes or less.
const MOST_NETWORKS: usize = 500;

/// The requests, in their order, to make a device like this; its public key is the kernel's to make.
pub(super) fn set(ifname: &str, device: &Device) -> Vec<Vec<u8>> {
    let mut message = ask(ifname);
    if let Some(SecretKey(key)) = &device.private_key {
        push_attribute(&mut message, WGDEVICE_A_PRIVATE_KEY, key);
    }
    push_attribute(&mut message, WGDEVICE_A_FLAGS, &WGDEVICE_F_REPLACE_PEERS.to_ne_bytes());
    push_attribute(&mut message, WGDEVICE_A_LISTEN_PORT, &device.listen_port.to_ne_bytes());
    push_attribute(&mut message, WGDEVICE_A_FWMARK, &device.fwmark.to_ne_bytes());
    let (mut messages, mut peers) = (vec![message], Vec::new());
    for piece in device.peers.iter().flat_map(pieces) {
        if peers.len() + piece.len() > MOST {
            push_attribute(messages.last_mut().expect("there is a first"), WGDEVICE_A_PEERS | NESTED, &peers);
            messages.push(ask(ifname));
            peers.clear();
        }
        push_attribute(&mut peers, NESTED, &piece);
    }
    push_attribute(messages.last_mut().expect("there is a first"), WGDEVICE_A_PEERS | NESTED, &peers);
    messages
}

/// A peer, and what of its networks does not fit beside it.
fn pieces(peer: &Peer) -> Vec<Vec<u8>> {
    let allowed: Vec<IpNet> = peer.allowed.iter().copied().collect();
    let (first, rest) = allowed.split_at(allowed.len().min(MOST_NETWORKS));
    let mut bytes = Vec::new();
    push_attribute(&mut bytes, WGPEER_A_PUBLIC_KEY, &peer.public_key.0);
    if let Some(SecretKey(key)) = &peer.preshared_key {
        push_attribute(&mut bytes, WGPEER_A_PRESHARED_KEY, key);
    }
    push_attribute(&mut bytes, WGPEER_A_FLAGS, &WGPEER_F_REPLACE_ALLOWEDIPS.to_ne_bytes());
    if let Some(endpoint) = peer.endpoint {
        push_attribute(&mut bytes, WGPEER_A_ENDPOINT, &encode_endpoint(endpoint));
    }
    push_attribute(&mut bytes, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &peer.keepalive.to_ne_bytes());
    push_networks(&mut bytes, first);
    let more = rest.chunks(MOST_NETWORKS).map(|networks| {
        let mut bytes = Vec::new();
        push_attribute(&mut bytes, WGPEER_A_PUBLIC_KEY, &peer.public_key.0);
        push_networks(&mut bytes, networks);
        bytes
    });
    std::iter::once(bytes).chain(more).collect()
}

fn push_networks(bytes: &mut Vec<u8>, networks: &[IpNet]) {
    let mut allowed = Vec::new();
    for net in networks {
        push_attribute(&mut allowed, NESTED, &encode_net(*net));
    }
    push_attribute(bytes, WGPEER_A_ALLOWEDIPS | NESTED, &allowed);
}

/// `struct sockaddr_in` or `struct sockaddr_in6`.
fn encode_endpoint(endpoint: SocketAddr) -> Vec<u8> {
    let port = endpoint.port().to_be_bytes();
    match endpoint {
        SocketAddr::V4(v4) => [&family(libc::AF_INET)[..], &port, &v4.ip().octets(), &[0; 8]].concat(),
        SocketAddr::V6(v6) => {
            let (flow, scope) = (v6.flowinfo().to_be_bytes(), v6.scope_id().to_ne_bytes());
            [&family(libc::AF_INET6)[..], &port, &flow, &v6.ip().octets(), &scope].concat()
        }
    }
}

fn encode_net(net: IpNet) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (kind, octets) = match net.network() {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    push_attribute(&mut bytes, WGALLOWEDIP_A_FAMILY, &family(kind));
    push_attribute(&mut bytes, WGALLOWEDIP_A_IPADDR, &octets);
    push_attribute(&mut bytes, WGALLOWEDIP_A_CIDR_MASK, &[net.prefix_len()]);
    bytes
}

fn family(family: i32) -> [u8; 2] {
    u16::try_from(family).expect("families are small").to_ne_bytes()
}

/// One message of the answer: a device, or, where it has many peers, a part of it.
pub(crate) fn read(message: &[u8]) -> Option<Device> {
    let mut device = Device::default();
    for (kind, value) in attributes(message) {
        match kind {
            WGDEVICE_A_PRIVATE_KEY => device.private_key = some_key(value).map(SecretKey),
            WGDEVICE_A_PUBLIC_KEY => device.public_key = some_key(value).map(PublicKey),
            WGDEVICE_A_LISTEN_PORT => device.listen_port = u16_at(value, 0)?,
            WGDEVICE_A_FWMARK => device.fwmark = u32_at(value, 0)?,
            WGDEVICE_A_PEERS => {
                let peers = attributes(value).map(|(_, peer)| read_peer(peer));
                device.peers = peers.collect::<Option<_>>()?;
            }
            _ => {}
        }
    }
    Some(device)
}

/// A key of zeros is none.
fn some_key(value: &[u8]) -> Option<[u8; 32]> {
    <[u8; 32]>::try_from(value).ok().filter(|key| *key != [0; 32])
}

fn read_peer(bytes: &[u8]) -> Option<Peer> {
    let find = |wanted| attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let public_key = PublicKey(find(WGPEER_A_PUBLIC_KEY)?.try_into().ok()?);
    let allowed = attributes(find(WGPEER_A_ALLOWEDIPS).unwrap_or_default());
    Some(Peer {
        public_key,
        preshared_key: find(WGPEER_A_PRESHARED_KEY).and_then(some_key).map(SecretKey),
        endpoint: find(WGPEER_A_ENDPOINT).and_then(read_endpoint),
        keepalive: find(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL).and_then(|value| u16_at(value, 0)).unwrap_or_default(),
        allowed: allowed.map(|(_, net)| read_net(net)).collect::<Option<_>>()?,
    })
}

fn read_endpoint(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    match i32::from(u16_at(bytes, 0)?) {
        libc::AF_INET => Some((Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?), port).into()),
        libc::AF_INET6 => {
            let address = Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?);
            Some(SocketAddrV6::new(address, port, 0, u32_at(bytes, 24)?).into())
        }
        _ => None,
    }
}

fn read_net(bytes: &[u8]) -> Option<IpNet> {
    let find = |wanted| attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let address = find(WGALLOWEDIP_A_IPADDR)?;
    let address = match address.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
    };
    IpNet::new(address, *find(WGALLOWEDIP_A_CIDR_MASK)?.first()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let key = SecretKey::generate().expect("random numbers");
        let peer = |endpoint: &str, allowed: &[&str]| Peer {
            public_key: PublicKey(key.0),
            preshared_key: None,
            endpoint: Some(endpoint.parse().expect("an endpoint")),
            keepalive: 25,
            allowed: allowed.iter().map(|net| net.parse().expect("a network")).collect(),
        };
        let device = Device {
            private_key: Some(key.clone()),
            public_key: None,
            listen_port: 51_820,
            fwmark: 7,
            peers: vec![peer("192.0.2.1:1", &["10.0.0.0/8", "fd00::/64"]), peer("[fe80::1%3]:2", &[])],
        };
        let [message] = set("wg0", &device).try_into().expect("one message");
        assert_eq!(read(&message), Some(device));
    }

    #[test]
    fn many_peers_and_networks_take_several_messages() {
        let networks = |from: u32, many: u32| (from..from + many).map(|n| IpNet::from(IpAddr::from(Ipv4Addr::from(n))));
        let peer = |number: u32, many: u32| Peer {
            public_key: PublicKey([number as u8; 32]),
            preshared_key: None,
            endpoint: None,
            keepalive: 0,
            allowed: networks(number << 16, many).collect(),
        };
        let peers: Vec<Peer> = (1..200).map(|number| peer(number, 1)).chain([peer(200, 5000)]).collect();
        let device = Device { peers: peers.clone(), ..Device::default() };
        let messages = set("wg0", &device);
        assert!(messages.len() > 5 && messages.iter().all(|message| message.len() < 64 << 10));
        let read = messages.iter().map(|message| read(message).expect("whole"));
        assert_eq!(read.reduce(crate::wireguard::join).expect("some").peers, peers);
    }

    #[test]
    fn answers_that_are_cut_off_are_none_or_less() {
        let device = Device { peers: vec![], listen_port: 5, ..Device::default() };
        let [whole] = set("wg0", &device).try_into().expect("one message");
        for length in 0..whole.len() {
            drop(read(&whole[..length]));
        }
    }
}
