//! A link as far as people watch one: name, up, carrier, size, address; and its counters.

use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage, Stats64};

/// How a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// What it is called.
    pub name: String,
    /// Administratively up.
    pub up: bool,
    /// Somebody is at the other end.
    pub carrier: bool,
    /// Largest packet.
    pub mtu: u32,
    /// Link-layer address, written as `ip` does.
    pub mac: String,
    /// The number of the bridge, bond or vrf that it is a port of.
    pub controller: Option<u32>,
}

/// What went through a link since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Received, and sent.
    pub ways: [Way; 2],
}

/// One way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Packets dropped.
    pub dropped: u64,
    /// Bad packets.
    pub errors: u64,
}

impl LinkState {
    /// Of a message; nothing without a name.
    pub(super) fn of(message: &LinkMessage) -> Option<LinkState> {
        let (mut name, mut mtu, mut mac, mut controller) = (None, 0, String::new(), None);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = Some(text.clone()),
                LinkAttribute::Mtu(bytes) => mtu = *bytes,
                LinkAttribute::Address(bytes) => {
                    mac = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
                }
                LinkAttribute::Controller(index) if *index > 0 => controller = Some(*index),
                _ => {}
            }
        }
        let flags = message.header.flags;
        let (up, carrier) = (flags.contains(LinkFlags::Up), flags.contains(LinkFlags::LowerUp));
        Some(LinkState { name: name?, up, carrier, mtu, mac, controller })
    }

    /// What differs, by name.
    pub fn differences(&self, before: &LinkState) -> Vec<&'static str> {
        let all = [
            ("name", self.name != before.name),
            ("up", self.up != before.up),
            ("carrier", self.carrier != before.carrier),
            ("mtu", self.mtu != before.mtu),
            ("mac", self.mac != before.mac),
            ("controller", self.controller != before.controller),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

impl Counters {
    pub(super) fn of(message: &LinkMessage) -> Option<Counters> {
        message.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::Stats64(stats) => Some(Counters::from(stats)),
            _ => None,
        })
    }
}

impl From<&Stats64> for Counters {
    fn from(stats: &Stats64) -> Counters {
        let way = |packets, bytes, dropped, errors| Way { packets, bytes, dropped, errors };
        Counters {
            ways: [
                way(stats.rx_packets, stats.rx_bytes, stats.rx_dropped, stats.rx_errors),
                way(stats.tx_packets, stats.tx_bytes, stats.tx_dropped, stats.tx_errors),
            ],
        }
    }
}
