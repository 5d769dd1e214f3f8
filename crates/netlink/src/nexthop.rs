//! Nexthop objects (RTM_NEWNEXTHOP, Linux 5.3), which netlink-packet-route lacks. Does not know which routes use them.

use std::net::IpAddr;

use crate::frame::{attributes, push_attribute, u16_at, u32_at};
use crate::{Result, Socket};

const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;
const RTM_GETNEXTHOP: u16 = 106;

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;

/// The length of `struct nhmsg`: family, scope, protocol, a reserved byte, flags.
const HEADER: usize = 8;
const RTNH_F_ONLINK: u32 = 4;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Like `ip nexthop add id ID [via GATEWAY] dev DEV [onlink] protocol PROTOCOL`, `... blackhole`, `... group ID,WEIGHT/...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nexthop {
    /// Its number in the namespace.
    pub id: u32,
    /// Who has made it.
    pub protocol: u8,
    /// Where it leads.
    pub to: NexthopTo,
}

/// Where a nexthop leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NexthopTo {
    /// On by a link.
    Link {
        /// The gateway; none where the destination is on the link.
        gateway: Option<IpAddr>,
        /// Whether IPv6 routes use it; a gateway says so by itself.
        v6: bool,
        /// The number of the link.
        index: u32,
        /// Pretend that the gateway is on the link.
        onlink: bool,
    },
    /// Nowhere.
    Blackhole {
        /// Whether IPv6 routes use it.
        v6: bool,
    },
    /// To one of several nexthops, each with its share of the traffic, 1 to 256.
    Group(Vec<(u32, u16)>),
}

impl Nexthop {
    /// The payload of a RTM_NEWNEXTHOP message.
    fn encode(&self) -> Vec<u8> {
        let (v6, onlink) = match &self.to {
            NexthopTo::Link { gateway, v6, onlink, .. } => (Some(gateway.map_or(*v6, |g| g.is_ipv6())), *onlink),
            NexthopTo::Blackhole { v6 } => (Some(*v6), false),
            NexthopTo::Group(_) => (None, false),
        };
        let family = v6.map_or(0, |v6| if v6 { AF_INET6 } else { AF_INET });
        let mut bytes = vec![family, 0, self.protocol, 0];
        bytes.extend(if onlink { RTNH_F_ONLINK } else { 0 }.to_ne_bytes());
        push_attribute(&mut bytes, NHA_ID, &self.id.to_ne_bytes());
        match &self.to {
            NexthopTo::Link { gateway, index, .. } => {
                push_attribute(&mut bytes, NHA_OIF, &index.to_ne_bytes());
                match gateway {
                    Some(IpAddr::V4(gateway)) => push_attribute(&mut bytes, NHA_GATEWAY, &gateway.octets()),
                    Some(IpAddr::V6(gateway)) => push_attribute(&mut bytes, NHA_GATEWAY, &gateway.octets()),
                    None => {}
                }
            }
            NexthopTo::Blackhole { .. } => push_attribute(&mut bytes, NHA_BLACKHOLE, &[]),
            NexthopTo::Group(members) => {
                push_attribute(&mut bytes, NHA_GROUP, &members.iter().flat_map(member).collect::<Vec<_>>());
            }
        }
        bytes
    }

    /// Reads the payload of a RTM_NEWNEXTHOP message; nothing where it is cut off or makes no sense.
    fn decode(payload: &[u8]) -> Option<Nexthop> {
        let v6 = *payload.first()? == AF_INET6;
        let protocol = *payload.get(2)?;
        let onlink = u32_at(payload, 4)? & RTNH_F_ONLINK != 0;
        let find = |wanted| {
            let mut all = attributes(payload.get(HEADER..).unwrap_or_default());
            all.find_map(|(kind, value)| (kind == wanted).then_some(value))
        };
        let to = if let Some(members) = find(NHA_GROUP) {
            NexthopTo::Group(members.chunks_exact(8).filter_map(read_member).collect())
        } else if find(NHA_BLACKHOLE).is_some() {
            NexthopTo::Blackhole { v6 }
        } else {
            let gateway = find(NHA_GATEWAY).and_then(address);
            NexthopTo::Link { gateway, v6, index: u32_at(find(NHA_OIF)?, 0)?, onlink }
        };
        Some(Nexthop { id: u32_at(find(NHA_ID)?, 0)?, protocol, to })
    }
}

/// `struct nexthop_grp`: the number, the weight less one, and three bytes that stay zero.
fn member((id, weight): &(u32, u16)) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&id.to_ne_bytes());
    bytes[4] = u8::try_from(weight.saturating_sub(1)).unwrap_or(u8::MAX);
    bytes
}

fn read_member(bytes: &[u8]) -> Option<(u32, u16)> {
    // The second byte is the upper half of the weight, since Linux 6.12.
    Some((u32_at(bytes, 0)?, u16_at(bytes, 4)?.to_le().wrapping_add(1)))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(bytes).map(IpAddr::from).ok())
}

impl Socket {
    /// Makes a nexthop object; `flags` as for a [request](Socket::request).
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn add_nexthop(&mut self, nexthop: &Nexthop, flags: u16) -> Result<()> {
        self.request_raw(RTM_NEWNEXTHOP, &nexthop.encode(), flags)
    }

    /// Deletes one. Routes that use it go too.
    ///
    /// # Errors
    /// The kernel's refusal; `ENOENT` when there is none of that number.
    pub fn del_nexthop(&mut self, id: u32) -> Result<()> {
        let mut bytes = vec![0; HEADER];
        push_attribute(&mut bytes, NHA_ID, &id.to_ne_bytes());
        self.request_raw(RTM_DELNEXTHOP, &bytes, 0)
    }

    /// All of them, the members of groups included; not those of the tables of vxlan links.
    ///
    /// # Errors
    /// The dump was refused, or could not be read whole.
    pub fn nexthops(&mut self) -> Result<Vec<Nexthop>> {
        let all = self.dump_raw(RTM_GETNEXTHOP, &[0; HEADER], Nexthop::decode)?;
        Ok(all.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let link = |gateway: Option<&str>, v6, onlink| {
            let gateway = gateway.map(|text| text.parse().expect("an address"));
            NexthopTo::Link { gateway, v6, index: 7, onlink }
        };
        for to in [
            link(Some("10.0.0.1"), false, true),
            link(Some("fe80::1"), true, false),
            link(None, true, false),
            NexthopTo::Blackhole { v6: true },
            NexthopTo::Group(vec![(1, 1), (2, 256)]),
        ] {
            let nexthop = Nexthop { id: 4711, protocol: 87, to };
            let bytes = nexthop.encode();
            assert_eq!(Nexthop::decode(&bytes), Some(nexthop));
            (0..bytes.len()).for_each(|length| drop(Nexthop::decode(&bytes[..length])));
        }
    }
}
