//! The file format: one section, a block for each interface, one for each packet, and counts at the end
//! (draft-ietf-opsawg-pcapng). Blocks are whole when they are written. Does not know where packets come from.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::packet::Packet;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
/// Tells readers in which byte order we write.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// Of options that all blocks have.
const COMMENT: u16 = 1;
/// Timestamps are in units of 10^-9 s.
const NANOSECONDS: u8 = 9;

/// How packets of an interface begin (LINKTYPE_…).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkType {
    /// With an Ethernet header.
    Ethernet = 1,
    /// With an IPv4 or IPv6 header.
    Ip = 101,
}

/// What is told of an interface.
#[derive(Debug)]
pub(crate) struct Interface<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) comment: &'a str,
    pub(crate) link_type: LinkType,
    pub(crate) snaplen: u32,
}

/// How many packets an interface had.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
    pub(crate) received: u64,
    pub(crate) dropped: u64,
}

/// Writes blocks.
pub(crate) struct Writer<W> {
    out: W,
    block: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a section.
    pub(crate) fn begin(out: W, program: &str) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, block: Vec::new() };
        writer.start(SECTION);
        writer.u32(BYTE_ORDER);
        writer.u16(1);
        writer.u16(0);
        // How long the section will be is not known.
        writer.u64(u64::MAX);
        writer.option(3, b"Linux");
        writer.option(4, program.as_bytes());
        writer.finish()?;
        Ok(writer)
    }

    /// Tells of the next interface; the first one is number 0.
    pub(crate) fn interface(&mut self, interface: &Interface<'_>) -> io::Result<()> {
        self.start(INTERFACE);
        self.u16(interface.link_type as u16);
        self.u16(0);
        self.u32(interface.snaplen);
        self.option(2, interface.name.as_bytes());
        self.option(3, interface.description.as_bytes());
        self.option(COMMENT, interface.comment.as_bytes());
        self.option(9, &[NANOSECONDS]);
        self.finish()
    }

    /// Writes a packet of an interface.
    pub(crate) fn packet(&mut self, interface: u32, packet: &Packet<'_>) -> io::Result<()> {
        self.start(PACKET);
        self.u32(interface);
        self.time(packet.time);
        self.u32(small(packet.bytes.len()));
        self.u32(small(packet.length));
        self.block.extend_from_slice(packet.bytes);
        self.pad();
        self.option(2, &packet.direction.flags().to_ne_bytes());
        self.finish()
    }

    /// Tells the counts of an interface.
    pub(crate) fn statistics(&mut self, interface: u32, counts: &Counts) -> io::Result<()> {
        self.start(STATISTICS);
        self.u32(interface);
        self.time(counts.end);
        for (code, time) in [(2, counts.begin), (3, counts.end)] {
            let [high, low] = halves(time);
            self.option(code, &[high.to_ne_bytes(), low.to_ne_bytes()].concat());
        }
        self.option(4, &counts.received.to_ne_bytes());
        self.option(7, &counts.dropped.to_ne_bytes());
        self.finish()
    }

    /// What was written gets to who reads.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn start(&mut self, kind: u32) {
        self.block.clear();
        self.u32(kind);
        // The length, known at the end.
        self.u32(0);
    }

    /// Ends the options, fills in the length and hands the block on in one piece.
    fn finish(&mut self) -> io::Result<()> {
        self.u32(0);
        let length = small(self.block.len() + 4);
        self.u32(length);
        self.block[4..8].copy_from_slice(&length.to_ne_bytes());
        self.out.write_all(&self.block)
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.u16(code);
        // A length is 16 bits; nothing that we tell is longer.
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.u16(value.len() as u16);
        self.block.extend_from_slice(value);
        self.pad();
    }

    fn time(&mut self, time: Duration) {
        halves(time).into_iter().for_each(|half| self.u32(half));
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn u16(&mut self, value: u16) {
        self.block.extend_from_slice(&value.to_ne_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.block.extend_from_slice(&value.to_ne_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.block.extend_from_slice(&value.to_ne_bytes());
    }
}

/// Nanoseconds since 1970, the high half first. They fit until the year 2554.
fn halves(time: Duration) -> [u32; 2] {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    [(nanoseconds >> 32) as u32, nanoseconds as u32]
}

/// Lengths of packets and blocks: far below 4 GiB.
fn small(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Direction;

    fn word(bytes: &[u8], at: usize) -> u32 {
        u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn every_block_is_whole_and_says_its_length_twice() {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, "wireloom").unwrap();
        let told = Interface { name: "r1:e", description: "d", comment: "", link_type: LinkType::Ethernet, snaplen: 9 };
        writer.interface(&told).unwrap();
        let (time, direction) = (Duration::new(1, 5), Direction::Outgoing);
        writer.packet(0, &Packet { time, direction, length: 7, bytes: &[1, 2, 3] }).unwrap();
        let counts = Counts { begin: time, end: time, received: 1, dropped: 0 };
        writer.statistics(0, &counts).unwrap();
        let (mut at, mut kinds) = (0, Vec::new());
        while at < out.len() {
            let length = word(&out, at + 4) as usize;
            assert_eq!((length % 4, word(&out, at + length - 4) as usize), (0, length));
            kinds.push(word(&out, at));
            at += length;
        }
        assert_eq!(kinds, [SECTION, INTERFACE, PACKET, STATISTICS]);
    }

    #[test]
    fn a_packet_has_its_time_lengths_and_flags() {
        let mut writer = Writer { out: Vec::new(), block: Vec::new() };
        let (time, direction) = (Duration::new(5, 7), Direction::Outgoing);
        writer.packet(3, &Packet { time, direction, length: 90, bytes: &[9; 6] }).unwrap();
        let words: Vec<_> = (0..writer.out.len() / 4).map(|n| word(&writer.out, n * 4)).collect();
        let nanoseconds = 5_000_000_007u64;
        assert_eq!(words[2..7], [3, (nanoseconds >> 32) as u32, nanoseconds as u32, 6, 90]);
        assert_eq!(words[7], 0x0909_0909);
        assert_eq!(words[10], 2);
    }
}
