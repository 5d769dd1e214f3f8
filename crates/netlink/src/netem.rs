//! The network emulator: delay, loss, duplication, corruption, reordering and rate. Encodes and decodes its options as tc
//! does. Does not know on which link it is; distributions are not here yet.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::tc::TcAttribute;

use crate::frame::{attributes, push_attribute, u32_at, u64_at};
use crate::psched::{TICK, capped, ticks};
use crate::tbf::raw_options;

/// The kind of this qdisc.
pub const KIND: &str = "netem";

const TCA_OPTIONS: u16 = 2;
const TCA_NETEM_CORR: u16 = 1;
const TCA_NETEM_REORDER: u16 = 3;
const TCA_NETEM_CORRUPT: u16 = 4;
const TCA_NETEM_RATE: u16 = 6;
const TCA_NETEM_RATE64: u16 = 8;
const TCA_NETEM_LATENCY64: u16 = 10;
const TCA_NETEM_JITTER64: u16 = 11;

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
    /// How likely a packet is lost.
    pub loss: u32,
    /// How much one loss depends on the last.
    pub loss_correlation: u32,
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
    /// How many packets may wait; more are dropped.
    pub limit: u32,
}

impl Default for Netem {
    /// Harms nothing; as many packets may wait as tc says when not told.
    fn default() -> Netem {
        Netem {
            delay_ns: 0,
            jitter_ns: 0,
            delay_correlation: 0,
            loss: 0,
            loss_correlation: 0,
            duplicate: 0,
            duplicate_correlation: 0,
            corrupt: 0,
            corrupt_correlation: 0,
            reorder: 0,
            reorder_correlation: 0,
            gap: 0,
            rate: 0,
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
    /// The options of a `RTM_NEWQDISC` message.
    pub fn encode(&self) -> TcAttribute {
        let mut options = Vec::with_capacity(128);
        for word in [ticks(self.delay_ns), self.limit, self.loss, self.gap(), self.duplicate, ticks(self.jitter_ns)] {
            options.extend(word.to_ne_bytes());
        }
        let correlations = [self.delay_correlation, self.loss_correlation, self.duplicate_correlation];
        push_words(&mut options, TCA_NETEM_CORR, &correlations);
        push_words(&mut options, TCA_NETEM_REORDER, &[self.reorder, self.reorder_correlation]);
        push_words(&mut options, TCA_NETEM_CORRUPT, &[self.corrupt, self.corrupt_correlation]);
        self.push_rate(&mut options);
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
        Netem { gap: self.gap(), ..self.clone() } == *observed
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
            TCA_NETEM_RATE if self.rate == 0 => self.rate = u64::from(u32_at(value, 0)?),
            TCA_NETEM_RATE64 => self.rate = u64_at(value, 0)?,
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

    /// `struct tc_netem_rate`: the rate, and overheads of packets and cells, which we do not have.
    fn push_rate(&self, options: &mut Vec<u8>) {
        if self.rate > u64::from(u32::MAX) {
            push_attribute(options, TCA_NETEM_RATE64, &self.rate.to_ne_bytes());
        }
        push_words(options, TCA_NETEM_RATE, &[capped(self.rate), 0, 0, 0]);
    }
}

/// Appends an attribute of several words, unless they are all zero.
fn push_words(options: &mut Vec<u8>, kind: u16, words: &[u32]) {
    if words.iter().any(|word| *word != 0) {
        let value: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        push_attribute(options, kind, &value);
    }
}

/// Appends a time in nanoseconds where ticks are too coarse or too few for it (Linux 4.15).
fn push_time(options: &mut Vec<u8>, kind: u16, nanoseconds: u64) {
    if u64::from(ticks(nanoseconds)) * TICK != nanoseconds {
        push_attribute(options, kind, &nanoseconds.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tc qdisc replace dev v0 root netem delay 10ms` (iproute2 6.1) sends as options.
    #[rustfmt::skip]
    const DELAY: [u8; 24] = [
        0x5a, 0x62, 0x02, 0x00, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    /// `netem delay 10ms 3ms 25% loss 1% duplicate 0.5% corrupt 0.1% reorder 25% 50% rate 1mbit limit 5000`.
    #[rustfmt::skip]
    const EVERYTHING: [u8; 84] = [
        0x5a, 0x62, 0x02, 0x00, 0x88, 0x13, 0x00, 0x00, 0x29, 0x5c, 0x8f, 0x02, 0x01, 0x00, 0x00, 0x00,
        0x14, 0xae, 0x47, 0x01, 0x1b, 0xb7, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x40,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x40,
        0x00, 0x00, 0x00, 0x80, 0x0c, 0x00, 0x04, 0x00, 0x37, 0x89, 0x41, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x14, 0x00, 0x06, 0x00, 0x48, 0xe8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00,
    ];

    /// `netem loss 0.3% 25%`.
    #[rustfmt::skip]
    const LOSS: [u8; 40] = [
        0x00, 0x00, 0x00, 0x00, 0xe8, 0x03, 0x00, 0x00, 0xa6, 0x9b, 0xc4, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00,
    ];

    /// `netem rate 40gbit delay 100s`.
    #[rustfmt::skip]
    const FAST: [u8; 56] = [
        0xa0, 0xdb, 0x21, 0x5d, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x08, 0x00, 0x00, 0xf2, 0x05, 0x2a,
        0x01, 0x00, 0x00, 0x00, 0x14, 0x00, 0x06, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    fn examples() -> [(Netem, &'static [u8]); 4] {
        let delay = Netem { delay_ns: 10_000_000, ..Netem::default() };
        let everything = Netem {
            jitter_ns: 3_000_000,
            delay_correlation: fraction(0.25),
            loss: fraction(0.01),
            duplicate: fraction(0.005),
            corrupt: fraction(0.001),
            reorder: fraction(0.25),
            reorder_correlation: fraction(0.5),
            gap: 1,
            rate: 125_000,
            limit: 5000,
            ..delay.clone()
        };
        let loss = Netem { loss: fraction(0.003), loss_correlation: fraction(0.25), ..Netem::default() };
        let fast = Netem { delay_ns: 100_000_000_000, rate: 5_000_000_000, ..Netem::default() };
        [(delay, &DELAY), (everything, &EVERYTHING), (loss, &LOSS), (fast, &FAST)]
    }

    #[test]
    fn the_bytes_are_those_of_tc() {
        for (netem, expected) in examples() {
            assert_eq!(raw_options(&[netem.encode()]).expect("options"), expected, "{netem:?}");
        }
    }

    #[test]
    fn the_bytes_of_tc_are_understood() {
        // A jitter of 3 ms is 46,875 ticks: nothing is lost.
        for (netem, bytes) in examples() {
            let attribute = TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, bytes.to_vec()));
            assert_eq!(Netem::decode(&[attribute]), Some(netem));
        }
    }

    #[test]
    fn times_that_ticks_cannot_hold_are_kept() {
        for nanoseconds in [1, 63, 65, 1_000_001, 300_000_000_000] {
            let netem = Netem { delay_ns: nanoseconds, jitter_ns: nanoseconds, ..Netem::default() };
            assert_eq!(Netem::decode(&[netem.encode()]), Some(netem));
        }
    }

    #[test]
    fn reordering_without_a_gap_gets_one() {
        let netem = Netem { reorder: 1, ..Netem::default() };
        let observed = Netem::decode(&[netem.encode()]).expect("options");
        assert_eq!(observed.gap, 1);
        assert!(netem.matches(&observed));
        assert!(!netem.matches(&Netem { gap: 2, ..observed }));
    }

    #[test]
    fn options_that_are_cut_off_are_nothing() {
        for length in 0..PARAMETERS {
            let attribute = TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, DELAY[..length].to_vec()));
            assert_eq!(Netem::decode(&[attribute]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_share_is_a_fraction_within_bounds() {
        let ends = [(0.0, 0), (1.0, u32::MAX), (2.0, u32::MAX), (-1.0, 0), (f64::NAN, 0)];
        for (share, expected) in ends {
            assert_eq!(fraction(share), expected, "{share}");
        }
        assert!((super::share(fraction(0.01)) - 0.01).abs() < 1e-9);
    }
}
