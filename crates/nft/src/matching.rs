//! Rules, put together piece by piece in the words of the `nft` program.

use std::net::IpAddr;

use crate::expression::{self, Code, Compare, Expression, Register};
use crate::wire::{Reader, Writer};
use crate::{Name, remark};

const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_RULE_USERDATA: u16 = 7;

const NFT_META_MARK: u32 = 3;
const NFT_META_IIFNAME: u32 = 6;
const NFT_META_OIFNAME: u32 = 7;
const NFT_META_NFPROTO: u32 = 15;
const NFT_META_L4PROTO: u32 = 16;
const NFT_PAYLOAD_NETWORK_HEADER: u32 = 1;
const NFT_PAYLOAD_TRANSPORT_HEADER: u32 = 2;
const NFT_FIB_RESULT_ADDRTYPE: u32 = 3;
const NFTA_FIB_F_DADDR: u32 = 1 << 1;
const RTN_LOCAL: u32 = 2;
const NFT_CT_STATE: u32 = 0;
const NFT_CT_STATUS: u32 = 2;
/// IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h.
const IPS_DST_NAT: u32 = 1 << 5;
/// NF_CT_STATE_BIT of IP_CT_ESTABLISHED and of IP_CT_RELATED.
const ESTABLISHED_RELATED: u32 = 0b110;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
const DESTINATION_PORT: u32 = 2;

/// A rule: what all its expressions are met by gets its verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// What it looks at and does, in order.
    pub expressions: Vec<Expression>,
    /// What `nft` shows as its comment.
    pub remark: Option<String>,
}

impl Rule {
    /// A rule that all packets meet.
    pub fn new() -> Rule {
        Rule::default()
    }

    /// `comment "..."`
    #[must_use]
    pub fn remark(mut self, text: &str) -> Rule {
        self.remark = Some(text.to_owned());
        self
    }

    /// `iifname "NAME"`
    #[must_use]
    pub fn iifname(self, name: &str) -> Rule {
        self.meta(NFT_META_IIFNAME, Compare::Equal, &Name::padded(name))
    }

    /// `iifname != "NAME"`
    #[must_use]
    pub fn iifname_not(self, name: &str) -> Rule {
        self.meta(NFT_META_IIFNAME, Compare::Unequal, &Name::padded(name))
    }

    /// `oifname "NAME"`
    #[must_use]
    pub fn oifname(self, name: &str) -> Rule {
        self.meta(NFT_META_OIFNAME, Compare::Equal, &Name::padded(name))
    }

    /// `oifname != "NAME"`
    #[must_use]
    pub fn oifname_not(self, name: &str) -> Rule {
        self.meta(NFT_META_OIFNAME, Compare::Unequal, &Name::padded(name))
    }

    /// `meta nfproto ipv4`, `meta nfproto ipv6`: that of the address.
    #[must_use]
    pub fn family_of(self, address: IpAddr) -> Rule {
        self.meta(NFT_META_NFPROTO, Compare::Equal, &[protocol_of(address)])
    }

    /// `ip saddr NETWORK`, `ip6 saddr NETWORK`
    #[must_use]
    pub fn saddr(self, address: IpAddr, prefix: u8) -> Rule {
        let offset = if address.is_ipv4() { 12 } else { 8 };
        self.address(address, prefix, offset)
    }

    /// `ip daddr NETWORK`, `ip6 daddr NETWORK`
    #[must_use]
    pub fn daddr(self, address: IpAddr, prefix: u8) -> Rule {
        let offset = if address.is_ipv4() { 16 } else { 24 };
        self.address(address, prefix, offset)
    }

    /// `ip daddr != ADDRESS`, `ip6 daddr != ADDRESS`; the family is that of a match before.
    #[must_use]
    pub fn daddr_not(self, address: IpAddr) -> Rule {
        let (base, to, with) = (NFT_PAYLOAD_NETWORK_HEADER, Register::One, octets(address));
        let (offset, length) = if address.is_ipv4() { (16, 4) } else { (24, 16) };
        let load = Expression::Payload { base, offset, length, to };
        self.with(load).with(Expression::Compare { from: to, how: Compare::Unequal, with })
    }

    /// `meta l4proto PROTOCOL th dport PORT`
    #[must_use]
    pub fn dport(self, protocol: u8, port: u16) -> Rule {
        let (base, to) = (NFT_PAYLOAD_TRANSPORT_HEADER, Register::One);
        let load = Expression::Payload { base, offset: DESTINATION_PORT, length: 2, to };
        self.meta(NFT_META_L4PROTO, Compare::Equal, &[protocol]).with(load).equals(&port.to_be_bytes())
    }

    /// `fib daddr type local`
    #[must_use]
    pub fn to_this_host(self) -> Rule {
        let (result, flags, to) = (NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR, Register::One);
        self.with(Expression::Fib { result, flags, to }).equals(&RTN_LOCAL.to_ne_bytes())
    }

    /// `ct status dnat`
    #[must_use]
    pub fn redirected(self) -> Rule {
        self.flow_bits(NFT_CT_STATUS, IPS_DST_NAT)
    }

    /// `ct state established,related`
    #[must_use]
    pub fn answers(self) -> Rule {
        self.flow_bits(NFT_CT_STATE, ESTABLISHED_RELATED)
    }

    /// `meta mark & BITS == BITS`
    #[must_use]
    pub fn marked(self, bits: u32) -> Rule {
        let (key, at) = (NFT_META_MARK, Register::One);
        let rule = self.with(Expression::Meta { key, to: at });
        let (mask, xor) = (bits.to_ne_bytes().to_vec(), vec![0; 4]);
        rule.with(Expression::Bitwise { at, mask, xor }).equals(&bits.to_ne_bytes())
    }

    /// `meta mark set meta mark | BITS`
    #[must_use]
    pub fn mark(self, bits: u32) -> Rule {
        let (key, at) = (NFT_META_MARK, Register::One);
        let rule = self.with(Expression::Meta { key, to: at });
        let (mask, xor) = ((!bits).to_ne_bytes().to_vec(), bits.to_ne_bytes().to_vec());
        rule.with(Expression::Bitwise { at, mask, xor }).with(Expression::MetaSet { key, from: at })
    }

    /// `counter`
    #[must_use]
    pub fn counter(self) -> Rule {
        self.with(Expression::Counter)
    }

    /// `dnat to ADDRESS`, `dnat to ADDRESS:PORT`
    #[must_use]
    pub fn dnat(self, address: IpAddr, port: Option<u16>) -> Rule {
        self.nat(true, address, port)
    }

    /// `snat to ADDRESS`
    #[must_use]
    pub fn snat(self, address: IpAddr) -> Rule {
        self.nat(false, address, None)
    }

    /// `masquerade`
    #[must_use]
    pub fn masquerade(self) -> Rule {
        self.with(Expression::Masquerade)
    }

    /// `accept`
    #[must_use]
    pub fn accept(self) -> Rule {
        self.with(Expression::Verdict(Code::Accept))
    }

    /// `drop`
    #[must_use]
    pub fn drop(self) -> Rule {
        self.with(Expression::Verdict(Code::Drop))
    }

    /// Anything else.
    #[must_use]
    pub fn with(mut self, expression: Expression) -> Rule {
        self.expressions.push(expression);
        self
    }

    fn nat(self, destination: bool, address: IpAddr, port: Option<u16>) -> Rule {
        let value = |to, value: Vec<u8>| Expression::Immediate { to, value };
        let mut rule = self.with(value(Register::One, octets(address)));
        if let Some(port) = port {
            rule = rule.with(value(Register::Two, port.to_be_bytes().to_vec()));
        }
        rule.with(Expression::Nat { destination, family: protocol_of(address), port: port.is_some() })
    }

    fn meta(self, key: u32, how: Compare, with: &[u8]) -> Rule {
        let (to, with) = (Register::One, with.to_vec());
        self.with(Expression::Meta { key, to }).with(Expression::Compare { from: to, how, with })
    }

    fn equals(self, with: &[u8]) -> Rule {
        self.with(Expression::Compare { from: Register::One, how: Compare::Equal, with: with.to_vec() })
    }

    fn flow_bits(self, key: u32, bits: u32) -> Rule {
        let at = Register::One;
        let rule = self.with(Expression::Ct { key, to: at });
        let rule = rule.with(Expression::Bitwise { at, mask: bits.to_ne_bytes().to_vec(), xor: vec![0; 4] });
        rule.with(Expression::Compare { from: at, how: Compare::Unequal, with: vec![0; 4] })
    }

    /// The bytes at that place of the header, as far as the prefix goes.
    fn address(self, address: IpAddr, prefix: u8, offset: u32) -> Rule {
        let octets = octets(address);
        let length = u32::try_from(octets.len()).expect("4 or 16 bytes");
        let (base, at) = (NFT_PAYLOAD_NETWORK_HEADER, Register::One);
        let load = Expression::Payload { base, offset, length, to: at };
        let rule = self.family_of(address).with(load);
        if usize::from(prefix) >= 8 * octets.len() {
            return rule.equals(&octets);
        }
        let mask = mask(octets.len(), prefix);
        let network: Vec<u8> = octets.iter().zip(&mask).map(|(octet, mask)| octet & mask).collect();
        rule.with(Expression::Bitwise { at, mask, xor: vec![0; octets.len()] }).equals(&network)
    }

    pub(crate) fn write(&self, writer: Writer) -> Writer {
        let writer = writer.nest(NFTA_RULE_EXPRESSIONS, expression::write_all(&self.expressions));
        writer.optional(self.remark.as_deref(), |w, text| w.bytes(NFTA_RULE_USERDATA, &remark::encode(text)))
    }

    pub(crate) fn read(rule: Reader<'_>) -> Rule {
        Rule {
            expressions: rule.nest(NFTA_RULE_EXPRESSIONS).map(expression::read_all).unwrap_or_default(),
            remark: rule.bytes(NFTA_RULE_USERDATA).and_then(remark::decode),
        }
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn protocol_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { NFPROTO_IPV4 } else { NFPROTO_IPV6 }
}

fn mask(length: usize, prefix: u8) -> Vec<u8> {
    let bits = |at: usize| usize::from(prefix).saturating_sub(8 * at).min(8);
    (0..length).map(|at| !(0xff_u16 >> bits(at)) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_follow_the_prefix() {
        assert_eq!(mask(4, 0), [0, 0, 0, 0]);
        assert_eq!(mask(4, 9), [255, 128, 0, 0]);
        assert_eq!(mask(4, 31), [255, 255, 255, 254]);
        assert_eq!(mask(16, 64)[6..10], [255, 255, 0, 0]);
    }
}
