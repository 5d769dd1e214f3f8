//! The network emulator: delay, loss, duplication, corruption, reordering and rate. Encodes and decodes its options as tc
//! does. Does not know on which link it is.

mod distribution;
mod loss;
#[cfg(test)]
mod tests;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::tc::TcAttribute;

pub use self::{distribution::Distribution, loss::LossModel};
use crate::frame::{attributes, push_attribute, u32_at, u64_at};
use crate::kernel::NLA_F_NESTED;
use crate::psched::{TICK, capped, ticks};
use crate::tbf::raw_options;

/// The kind of this qdisc.
pub const KIND: &str = "netem";

const TCA_OPTIONS: u16 = 2;
const TCA_NETEM_CORR: u16 = 1;
const TCA_NETEM_DELAY_DIST: u16 = 2;
const TCA_NETEM_REORDER: u16 = 3;
const TCA_NETEM_CORRUPT: u16 = 4;
/// A set of attributes of its own.
const TCA_NETEM_LOSS: u16 = 5 | NLA_F_NESTED;
const TCA_NETEM_RATE: u16 = 6;
const TCA_NETEM_ECN: u16 = 7;
const TCA_NETEM_RATE64: u16 = 8;
const TCA_NETEM_LATENCY64: u16 = 10;
const TCA_NETEM_JITTER64: u16 = 11;
const TCA_NETEM_SLOT: u16 = 12;

/// The length of `struct tc_netem_qopt`, behind which the attributes begin.
const PARAMETERS: usize = 24;

/// Like `tc qdisc add dev DEV root netem …`. A probability or correlation is a fraction of 2^32, as in the kernel: see
/// [`fraction`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netem {
    /// How long every packet is held back, in nanoseconds.
    pub delay_ns: u64,
    /// By how much that varies, in nanoseconds.
    pub jitter_ns: u64,
    /// How much one packet's delay depends on the last one's.
    pub delay_correlation: u32,
    /// How it varies. The kernel does not tell: [`Netem::decode`] finds none.
    pub distribution: Option<Distribution>,
    /// How likely a packet is lost.
    pub loss: u32,
    /// How much one loss depends on the last.
    pub loss_correlation: u32,
    /// Loss by a model instead.
    pub loss_model: Option<LossModel>,
    /// Whether packets that would be lost are marked instead, where they can be (ECN).
    pub ecn: bool,
    /// How likely a packet is sent twice.
    pub duplicate: u32,
    /// How much one duplication depends on the last.
    pub duplicate_correlation: u32,
    /// How likely a bit of a packet is flipped.
    pub corrupt: u32,
    /// How much one corruption depends on the last.
    pub corrupt_correlation: u32,
    /// How likely a packet is sent at once while others are delayed.
    pub reorder: u32,
    /// How much one reordering depends on the last.
    pub reorder_correlation: u32,
    /// After how many packets one may be reordered; 0 without reordering.
    pub gap: u32,
    /// Bytes per second; 0 for no limit.
    pub rate: u64,
    /// Bytes by which a packet counts as longer, or shorter.
    pub packet_overhead: i32,
    /// Bytes of a cell that packets are cut into; 0 for none.
    pub cell_size: u32,
    /// Bytes by which a cell counts as longer, or shorter.
    pub cell_overhead: i32,
    /// Times at which packets are let go together.
    pub slot: Option<Slot>,
    /// How many packets may wait; more are dropped.
    pub limit: u32,
}

/// Like `slot MIN MAX packets PACKETS bytes BYTES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// From one slot to the next at least, in nanoseconds.
    pub least_ns: u64,
    /// The same at most.
    pub most_ns: u64,
    /// Packets in a slot at most; 0 for no limit.
    pub packets: u32,
    /// Bytes in a slot at most; 0 for no limit.
    pub bytes: u32,
}

impl Default for Netem {
    /// Harms nothing; as many packets may wait as tc says when not told.
    fn default() -> Netem {
        Netem {
            delay_ns: 0,
            jitter_ns: 0,
            delay_correlation: 0,
            distribution: None,
            loss: 0,
            loss_correlation: 0,
            loss_model: None,
            ecn: false,
            duplicate: 0,
            duplicate_correlation: 0,
            corrupt: 0,
            corrupt_correlation: 0,
            reorder: 0,
            reorder_correlation: 0,
            gap: 0,
            rate: 0,
            packet_overhead: 0,
            cell_size: 0,
            cell_overhead: 0,
            slot: None,
            limit: 1000,
        }
    }
}

/// A share between 0 and 1 as a fraction of 2^32, rounded as tc does it; 1 and more is the largest number there is.
pub fn fraction(share: f64) -> u32 {
    // A conversion from a float ends at the bounds of the integer.
    (share * f64::from(u32::MAX)).round_ties_even() as u32
}

/// The share that a fraction of 2^32 stands for.
pub fn share(fraction: u32) -> f64 {
    f64::from(fraction) / f64::from(u32::MAX)
}

impl Netem {
    /// The options of a `RTM_NEWQDISC` message that makes one.
    pub fn encode(&self) -> TcAttribute {
        self.options(false)
    }

    /// The same for a message that changes one. What such a message does not say stays as it was, so it says everything;
    /// only a distribution cannot be taken back.
    pub fn encode_change(&self) -> TcAttribute {
        self.options(true)
    }

    fn options(&self, all: bool) -> TcAttribute {
        let mut options = Vec::with_capacity(if self.distribution.is_some() { 8600 } else { 256 });
        for word in [ticks(self.delay_ns), self.limit, self.loss, self.gap(), self.duplicate, ticks(self.jitter_ns)] {
            options.extend(word.to_ne_bytes());
        }
        let mut push = |kind: u16, value: &[u8]| {
            if all || value.iter().any(|byte| *byte != 0) {
                push_attribute(&mut options, kind, value);
            }
        };
        push(TCA_NETEM_CORR, &words(&[self.delay_correlation, self.loss_correlation, self.duplicate_correlation]));
        push(TCA_NETEM_REORDER, &words(&[self.reorder, self.reorder_correlation]));
        push(TCA_NETEM_CORRUPT, &words(&[self.corrupt, self.corrupt_correlation]));
        if self.rate > u64::from(u32::MAX) {
            push(TCA_NETEM_RATE64, &self.rate.to_ne_bytes());
        }
        push(TCA_NETEM_RATE, &self.rate_words());
        push(TCA_NETEM_ECN, &u32::from(self.ecn).to_ne_bytes());
        push(TCA_NETEM_SLOT, &self.slot.map_or([0; 40], Slot::encode));
        if let Some(model) = self.loss_model {
            push_attribute(&mut options, TCA_NETEM_LOSS, &model.encode());
        }
        if let Some(distribution) = self.distribution {
            let table: Vec<u8> = distribution.table().iter().flat_map(|entry| entry.to_ne_bytes()).collect();
            push_attribute(&mut options, TCA_NETEM_DELAY_DIST, &table);
        }
        push_time(&mut options, TCA_NETEM_LATENCY64, self.delay_ns);
        push_time(&mut options, TCA_NETEM_JITTER64, self.jitter_ns);
        TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, options))
    }

    /// Reads the options from the attributes of a qdisc of this kind; nothing when they are not there or cut off.
    pub fn decode(attributes_of_qdisc: &[TcAttribute]) -> Option<Netem> {
        let options = raw_options(attributes_of_qdisc)?;
        let word = |index: usize| u32_at(&options, 4 * index);
        let mut netem = Netem {
            delay_ns: u64::from(word(0)?) * TICK,
            limit: word(1)?,
            loss: word(2)?,
            gap: word(3)?,
            duplicate: word(4)?,
            jitter_ns: u64::from(word(5)?) * TICK,
            ..Netem::default()
        };
        for (kind, value) in attributes(options.get(PARAMETERS..)?) {
            netem.read_attribute(kind, value)?;
        }
        Some(netem)
    }

    /// Whether a kernel that was given `self` reports `observed`.
    pub fn matches(&self, observed: &Netem) -> bool {
        Netem { gap: self.gap(), distribution: None, ..self.clone() } == *observed
    }

    fn read_attribute(&mut self, kind: u16, value: &[u8]) -> Option<()> {
        match kind {
            TCA_NETEM_CORR => {
                self.delay_correlation = u32_at(value, 0)?;
                self.loss_correlation = u32_at(value, 4)?;
                self.duplicate_correlation = u32_at(value, 8)?;
            }
            TCA_NETEM_REORDER => (self.reorder, self.reorder_correlation) = (u32_at(value, 0)?, u32_at(value, 4)?),
            TCA_NETEM_CORRUPT => (self.corrupt, self.corrupt_correlation) = (u32_at(value, 0)?, u32_at(value, 4)?),
            // The 64-bit attribute comes first, and this one then holds no more than a mark.
            TCA_NETEM_RATE => {
                self.rate = self.rate.max(u64::from(u32_at(value, 0)?));
                self.packet_overhead = u32_at(value, 4)?.cast_signed();
                self.cell_size = u32_at(value, 8)?;
                self.cell_overhead = u32_at(value, 12)?.cast_signed();
            }
            TCA_NETEM_RATE64 => self.rate = u64_at(value, 0)?,
            TCA_NETEM_ECN => self.ecn = u32_at(value, 0)? != 0,
            TCA_NETEM_SLOT => self.slot = Slot::decode(value)?,
            _ if kind == TCA_NETEM_LOSS & !NLA_F_NESTED => self.loss_model = LossModel::decode(value),
            TCA_NETEM_LATENCY64 => self.delay_ns = u64_at(value, 0)?,
            TCA_NETEM_JITTER64 => self.jitter_ns = u64_at(value, 0)?,
            _ => {}
        }
        Some(())
    }

    /// Without a gap nothing would be reordered.
    fn gap(&self) -> u32 {
        if self.reorder != 0 { self.gap.max(1) } else { self.gap }
    }

    /// `struct tc_netem_rate`: the rate, and overheads of packets and cells.
    fn rate_words(&self) -> Vec<u8> {
        let [packet, cell] = [self.packet_overhead, self.cell_overhead].map(i32::cast_unsigned);
        words(&[capped(self.rate), packet, self.cell_size, cell])
    }
}

impl Slot {
    /// `struct tc_netem_slot`: times, numbers, and times of a distribution, which we do not have.
    fn encode(self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[0..8].copy_from_slice(&self.least_ns.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.most_ns.to_ne_bytes());
        bytes[16..20].copy_from_slice(&self.packets.to_ne_bytes());
        bytes[20..24].copy_from_slice(&self.bytes.to_ne_bytes());
        bytes
    }

    fn decode(value: &[u8]) -> Option<Option<Slot>> {
        let (least_ns, most_ns) = (u64_at(value, 0)?, u64_at(value, 8)?);
        let slot = Slot { least_ns, most_ns, packets: u32_at(value, 16)?, bytes: u32_at(value, 20)? };
        Some((least_ns != 0 || most_ns != 0).then_some(slot))
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Appends a time in nanoseconds where ticks are too coarse or too few for it (Linux 4.15).
fn push_time(options: &mut Vec<u8>, kind: u16, nanoseconds: u64) {
    if u64::from(ticks(nanoseconds)) * TICK != nanoseconds {
        push_attribute(options, kind, &nanoseconds.to_ne_bytes());
    }
}
