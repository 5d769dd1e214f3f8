//! What a packet socket tells about one packet beside its bytes: when, how long, which way, and the VLAN tag that the
//! kernel has taken out. Does not know where packets go.

use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, LinkAddr, RecvMsg};

/// Of linux/if_packet.h.
pub(crate) const PACKET_AUXDATA: libc::c_int = 8;
/// The auxiliary data has a tag.
const TP_STATUS_VLAN_VALID: u32 = 1 << 4;
/// It says of which protocol.
const TP_STATUS_VLAN_TPID_VALID: u32 = 1 << 6;
/// Of a tag whose protocol is not told.
const ETH_P_8021Q: u16 = 0x8100;

/// A packet.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    /// When, since 1970.
    pub(crate) time: Duration,
    pub(crate) direction: Direction,
    /// How long it was; `bytes` may be less of it.
    pub(crate) length: usize,
    pub(crate) bytes: &'a [u8],
}

/// Which way, and to whom: what the flags of a pcapng block say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// In, to us.
    Host,
    /// In, to all.
    Broadcast,
    /// In, to some.
    Multicast,
    /// In, to somebody else.
    Other,
    /// Out.
    Outgoing,
}

impl Direction {
    /// `sll_pkttype` of `sockaddr_ll` (`PACKET_HOST` and so on).
    fn of(kind: u8) -> Direction {
        match kind {
            1 => Direction::Broadcast,
            2 => Direction::Multicast,
            3 => Direction::Other,
            4 => Direction::Outgoing,
            _ => Direction::Host,
        }
    }

    /// `epb_flags`: bits 0-1 the direction, bits 2-4 how it was received.
    pub(crate) fn flags(self) -> u32 {
        match self {
            Direction::Host => 1 << 2 | 1,
            Direction::Multicast => 2 << 2 | 1,
            Direction::Broadcast => 3 << 2 | 1,
            Direction::Other => 4 << 2 | 1,
            Direction::Outgoing => 2,
        }
    }
}

/// What came with the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) time: Duration,
    pub(crate) direction: Direction,
    /// The network protocol, of `sll_protocol`.
    pub(crate) protocol: u16,
    /// The tag as it stood in the frame: protocol, then priority and number.
    pub(crate) tag: Option<[u8; 4]>,
}

impl Meta {
    /// Of a message that was received.
    pub(crate) fn of(message: &RecvMsg<'_, '_, LinkAddr>) -> Meta {
        let (mut time, mut tag) = (Duration::ZERO, None);
        // Control messages that were cut off are those that nobody asked for.
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::ScmTimestampns(stamp) => time = stamp.into(),
                ControlMessageOwned::Unknown(other) if other.cmsg_header.cmsg_type == PACKET_AUXDATA => {
                    tag = vlan_tag(&other.data_bytes);
                }
                _ => {}
            }
        }
        let address = message.address.as_ref();
        let direction = Direction::of(address.map_or(0, LinkAddr::pkttype));
        Meta { time, direction, protocol: u16::from_be(address.map_or(0, LinkAddr::protocol)), tag }
    }
}

/// The tag in a `tpacket_auxdata`: status, two lengths and two offsets, then the tag and its protocol.
fn vlan_tag(aux: &[u8]) -> Option<[u8; 4]> {
    let status = u32::from_ne_bytes(aux.get(0..4)?.try_into().ok()?);
    let half = |at: usize| Some(u16::from_ne_bytes(aux.get(at..at + 2)?.try_into().ok()?));
    if status & TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let protocol = if status & TP_STATUS_VLAN_TPID_VALID == 0 { ETH_P_8021Q } else { half(18)? };
    let ([a, b], [c, d]) = (protocol.to_be_bytes(), half(16)?.to_be_bytes());
    Some([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aux(status: u32, tci: u16, tpid: u16) -> Vec<u8> {
        let mut bytes = status.to_ne_bytes().to_vec();
        bytes.extend([0; 12]);
        bytes.extend(tci.to_ne_bytes());
        bytes.extend(tpid.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_tag_is_there_only_when_the_kernel_says_so() {
        assert_eq!(vlan_tag(&aux(0, 100, 0x8100)), None);
        assert_eq!(vlan_tag(&aux(TP_STATUS_VLAN_VALID, 100, 0)), Some([0x81, 0, 0, 100]));
        let both = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
        assert_eq!(vlan_tag(&aux(both, 0x2064, 0x88a8)), Some([0x88, 0xa8, 0x20, 0x64]));
        assert_eq!(vlan_tag(&[1, 2]), None);
    }

    #[test]
    fn flags_say_which_way_and_to_whom() {
        assert_eq!(Direction::of(0).flags() & 3, 1);
        assert_eq!(Direction::of(4).flags(), 2);
        assert_eq!(Direction::of(1).flags() >> 2, 3);
    }
}
