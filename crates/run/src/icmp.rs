//! ICMP and ICMPv6 as bytes: an echo request, and what can come back for it. Does no I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the payload of a request is: enough to know our own among those of other programs.
pub(crate) const PAYLOAD: usize = 56;

/// An echo request that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) to: IpAddr,
    pub(crate) ident: u16,
    pub(crate) sequence: u16,
    pub(crate) payload: [u8; PAYLOAD],
}

/// What came back for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Echo,
    /// Somebody cannot deliver it, and says why.
    Unreachable(&'static str),
}

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const UNREACHABLE_V6: u8 = 1;
const TOO_BIG_V6: u8 = 2;
const TIME_EXCEEDED_V6: u8 = 3;
const ECHO_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
/// IPPROTO_ICMP and IPPROTO_ICMPV6.
const PROTOCOL: u8 = 1;
const PROTOCOL_V6: u8 = 58;
const HEADER: usize = 8;
const HEADER_IPV6: usize = 40;

impl Echo {
    /// What a raw socket is given to send. For IPv6 the kernel fills in the checksum, which has the addresses in it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = if self.to.is_ipv4() { ECHO } else { ECHO_V6 };
        let mut packet = vec![kind, 0, 0, 0];
        packet.extend(self.ident.to_be_bytes());
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.payload);
        if self.to.is_ipv4() {
            let sum = checksum(&packet);
            packet[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        packet
    }

    /// Reads what a raw socket has received: `None` when it is not about this request.
    pub(crate) fn decode(&self, packet: &[u8]) -> Option<Reply> {
        // An IPv4 socket gives the IP header too, an IPv6 socket does not.
        let message = if self.to.is_ipv4() { packet.get(header_length(packet)?..)? } else { packet };
        let (header, rest) = message.split_at_checked(HEADER)?;
        let reply = match (self.to.is_ipv4(), header[0], header[1]) {
            (true, ECHO_REPLY, _) | (false, ECHO_REPLY_V6, _) => {
                return (self.is_named_by(header) && rest == self.payload).then_some(Reply::Echo);
            }
            (true, UNREACHABLE, code) => unreachable(code),
            (false, UNREACHABLE_V6, code) => unreachable_v6(code),
            (true, TIME_EXCEEDED, _) | (false, TIME_EXCEEDED_V6, _) => "the packet went round in a loop",
            (false, TOO_BIG_V6, _) => "the packet is too big for a link on the way",
            _ => return None,
        };
        self.is_quoted_by(rest).then_some(Reply::Unreachable(reply))
    }

    fn is_named_by(&self, header: &[u8]) -> bool {
        header[4..6] == self.ident.to_be_bytes() && header[6..8] == self.sequence.to_be_bytes()
    }

    /// Whether the packet that an error quotes is this request: IP header, then at least 8 bytes of ours.
    fn is_quoted_by(&self, quoted: &[u8]) -> bool {
        let quote = || match self.to {
            IpAddr::V4(to) => {
                let destination: [u8; 4] = quoted.get(16..20)?.try_into().ok()?;
                let ours = quoted.get(9) == Some(&PROTOCOL) && Ipv4Addr::from(destination) == to;
                quoted.get(header_length(quoted)?..)?.first_chunk::<HEADER>().filter(|h| ours && h[0] == ECHO)
            }
            IpAddr::V6(to) => {
                let destination: [u8; 16] = quoted.get(24..40)?.try_into().ok()?;
                let ours = quoted.get(6) == Some(&PROTOCOL_V6) && Ipv6Addr::from(destination) == to;
                quoted.get(HEADER_IPV6..)?.first_chunk::<HEADER>().filter(|h| ours && h[0] == ECHO_V6)
            }
        };
        quote().is_some_and(|header| self.is_named_by(header))
    }
}

fn header_length(packet: &[u8]) -> Option<usize> {
    packet.first().map(|first| usize::from(first & 0x0f) * 4)
}

/// Of RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let words = packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

/// The codes of RFC 792 and RFC 1812.
fn unreachable(code: u8) -> &'static str {
    match code {
        0 | 6 | 11 => "no route leads there",
        1 | 7 | 12 => "the host does not answer neighbour discovery",
        2 => "the host does not take ICMP",
        3 => "the port is closed",
        4 => "the packet is too big for a link on the way",
        9 | 10 | 13 => "forbidden there",
        _ => "unreachable",
    }
}

/// The codes of RFC 4443.
fn unreachable_v6(code: u8) -> &'static str {
    match code {
        0 => "no route leads there",
        1 | 5 => "forbidden there",
        3 => "the host does not answer neighbour discovery",
        4 => "the port is closed",
        6 => "a route rejects it",
        _ => "unreachable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(to: &str) -> Echo {
        Echo { to: to.parse().unwrap(), ident: 0x1234, sequence: 7, payload: [0xab; PAYLOAD] }
    }

    /// An IPv4 header as long as they are, with what is read of it.
    fn ipv4(to: [u8; 4]) -> Vec<u8> {
        let mut header = vec![0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1];
        header.extend(to);
        header
    }

    /// An echo reply to `echo`, as it comes from the socket.
    fn answer(echo: &Echo) -> Vec<u8> {
        let (mut packet, kind) = match echo.to {
            IpAddr::V4(_) => (ipv4([192, 0, 2, 1]), ECHO_REPLY),
            IpAddr::V6(_) => (Vec::new(), ECHO_REPLY_V6),
        };
        let at = packet.len();
        packet.extend(echo.encode());
        packet[at] = kind;
        packet
    }

    /// An error that quotes `echo`, whole or only its first 8 bytes.
    fn error(echo: &Echo, kind: u8, code: u8, quoted: usize) -> Vec<u8> {
        let (mut packet, inner) = match echo.to {
            IpAddr::V4(to) => (ipv4([192, 0, 2, 1]), ipv4(to.octets())),
            IpAddr::V6(to) => {
                let mut header = vec![0x60, 0, 0, 0, 0, 64, PROTOCOL_V6, 64];
                header.extend([0x20; 16]);
                header.extend(to.octets());
                (Vec::new(), header)
            }
        };
        packet.extend([kind, code, 0, 0, 0, 0, 0, 0]);
        packet.extend(inner);
        packet.extend(&echo.encode()[..quoted]);
        packet
    }

    #[test]
    fn a_request_is_as_ping_sends_it() {
        let echo = Echo { payload: [0; PAYLOAD], ..echo("192.0.2.9") };
        assert_eq!(echo.encode()[..8], [8, 0, 0xe5, 0xc4, 0x12, 0x34, 0, 7]);
        assert_eq!(checksum(&echo.encode()), 0, "the sum over everything is 0 when it is right");
        assert_eq!(super::tests::echo("2001:db8::9").encode()[..8], [128, 0, 0, 0, 0x12, 0x34, 0, 7]);
    }

    #[test]
    fn only_the_answer_to_this_very_request_counts() {
        for to in ["192.0.2.9", "2001:db8::9"] {
            let echo = echo(to);
            assert_eq!(echo.decode(&answer(&echo)), Some(Reply::Echo));
            for other in [
                Echo { ident: 1, ..echo.clone() },
                Echo { sequence: 8, ..echo.clone() },
                Echo { payload: [0; PAYLOAD], ..echo.clone() },
            ] {
                assert_eq!(echo.decode(&answer(&other)), None);
            }
        }
    }

    #[test]
    fn an_error_counts_when_it_quotes_this_request() {
        for (to, other, kind, code) in [("192.0.2.9", "192.0.2.8", 3, 1), ("2001:db8::9", "2001:db8::8", 1, 3)] {
            let echo = echo(to);
            let expected = Some(Reply::Unreachable("the host does not answer neighbour discovery"));
            for quoted in [HEADER, HEADER + PAYLOAD] {
                assert_eq!(echo.decode(&error(&echo, kind, code, quoted)), expected);
            }
            let elsewhere = Echo { to: other.parse().unwrap(), ..echo.clone() };
            assert_eq!(echo.decode(&error(&elsewhere, kind, code, HEADER)), None);
            let earlier = Echo { sequence: 6, ..echo.clone() };
            assert_eq!(echo.decode(&error(&earlier, kind, code, HEADER)), None);
        }
    }

    #[test]
    fn nothing_that_is_cut_short_is_read_beyond_its_end() {
        for to in ["192.0.2.9", "2001:db8::9"] {
            let echo = echo(to);
            for packet in [answer(&echo), error(&echo, if echo.to.is_ipv4() { 3 } else { 1 }, 1, HEADER)] {
                for length in 0..packet.len() {
                    assert_eq!(echo.decode(&packet[..length]), None, "{length}");
                }
            }
        }
    }
}
