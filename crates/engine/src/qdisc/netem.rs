//! Impairment of a link: the options of netem, as documents mean them and as the kernel counts them.

use std::fmt;

use serde::{Deserialize, Serialize};
use wireloom_netlink::netem as emulator;

use super::units::{Percent, Rate, Time};

/// Options of netem. Chances are in millionths, so that they compare exactly: 1 % is 10,000.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Netem {
    /// Delay of every packet, microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_us: u64,
    /// Spread of the delay, microseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub jitter_us: u64,
    /// How much a delay depends on the one before.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_correlation: u32,
    /// How the delay is spread; all delays within the jitter are as likely without it.
    #[serde(skip_serializing_if = "is_default")]
    pub distribution: Option<Distribution>,
    /// Chance that a packet is lost.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: u32,
    /// How much a loss depends on the one before.
    #[serde(skip_serializing_if = "is_default")]
    pub loss_correlation: u32,
    /// Loss in bursts, instead of `loss`.
    #[serde(skip_serializing_if = "is_default")]
    pub loss_model: Option<LossModel>,
    /// Whether packets are marked instead of lost, where they can be.
    #[serde(skip_serializing_if = "is_default")]
    pub ecn: bool,
    /// Chance that a packet is doubled.
    #[serde(skip_serializing_if = "is_default")]
    pub duplicate: u32,
    /// How much a doubling depends on the one before.
    #[serde(skip_serializing_if = "is_default")]
    pub duplicate_correlation: u32,
    /// Chance that a bit of a packet is flipped.
    #[serde(skip_serializing_if = "is_default")]
    pub corrupt: u32,
    /// How much a flip depends on the one before.
    #[serde(skip_serializing_if = "is_default")]
    pub corrupt_correlation: u32,
    /// Chance that a packet is sent at once, past the delayed ones.
    #[serde(skip_serializing_if = "is_default")]
    pub reorder: u32,
    /// How much that depends on the packet before.
    #[serde(skip_serializing_if = "is_default")]
    pub reorder_correlation: u32,
    /// Which packets that may be: every one with this number; 0 and 1 are each.
    #[serde(skip_serializing_if = "is_default")]
    pub gap: u32,
    /// Rate in bits a second; 0 is no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub rate_bit: u64,
    /// Bytes by which a packet counts as longer for the rate, or shorter.
    #[serde(skip_serializing_if = "is_default")]
    pub packet_overhead: i32,
    /// Bytes of the cells that packets are cut into; 0 is none.
    #[serde(skip_serializing_if = "is_default")]
    pub cell_size: u32,
    /// Bytes by which a cell counts as longer, or shorter.
    #[serde(skip_serializing_if = "is_default")]
    pub cell_overhead: i32,
    /// Times at which packets are let go together.
    #[serde(skip_serializing_if = "is_default")]
    pub slot: Option<Slot>,
    /// Packets in the queue at most; 0 is the kernel's default of 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: u32,
}

/// How a delay is spread around its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Gauss's bell.
    Normal,
    /// Mostly a little early, and rarely very late.
    Pareto,
    /// A quarter of the first and three quarters of the second.
    Paretonormal,
}

/// Loss in bursts: states between which the link moves from packet to packet. Chances are in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LossModel {
    /// A good and a bad state (Gilbert and Elliott), like `loss gemodel 1% 10% 70% 0.1%`.
    Gemodel {
        /// From good to bad.
        p: u32,
        /// From bad to good.
        r: u32,
        /// Chance that a packet is lost in the bad state.
        bad: u32,
        /// The same in the good state.
        good: u32,
    },
    /// Four states, like `loss state 1% 10% 70% 0.1% 2%`: 1 good, 3 lost in a burst, 2 good within a burst, 4 lost alone.
    State {
        /// From 1 to 3.
        p13: u32,
        /// From 3 to 1.
        p31: u32,
        /// From 3 to 2.
        p32: u32,
        /// From 2 to 3.
        p23: u32,
        /// From 1 to 4.
        p14: u32,
    },
}

/// Packets wait for a slot and are let go together, like `slot 800us 10ms packets 5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// From one slot to the next at least, microseconds.
    pub least_us: u64,
    /// The same at most.
    pub most_us: u64,
    /// Packets in a slot at most; 0 is no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub packets: u32,
    /// Bytes in a slot at most; 0 is no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bytes: u32,
}

/// Millionths in a whole.
const WHOLE: f64 = 1_000_000.0;

fn fraction(millionths: u32) -> u32 {
    emulator::fraction(f64::from(millionths) / WHOLE)
}

/// Between 0 and a million, so that the conversion loses nothing but the fraction.
fn millionths(fraction: u32) -> u32 {
    (emulator::share(fraction) * WHOLE).round() as u32
}

impl Netem {
    /// Whether a token bucket can do all of it.
    pub(super) fn is_only_a_rate(&self) -> bool {
        self.rate_bit > 0 && *self == Netem { rate_bit: self.rate_bit, ..Netem::default() }
    }

    /// What of it needs netem, in the words of tc.
    pub(crate) fn options(&self) -> Vec<&'static str> {
        let options = [
            ("delay", self.delay_us > 0),
            ("loss", self.loss > 0 || self.loss_model.is_some()),
            ("duplicate", self.duplicate > 0),
            ("corrupt", self.corrupt > 0),
            ("reorder", self.reorder > 0),
            ("slot", self.slot.is_some()),
            ("limit", self.limit > 0),
            ("rate with overheads", self.packet_overhead != 0 || self.cell_size != 0 || self.cell_overhead != 0),
        ];
        options.into_iter().filter(|(_, given)| *given).map(|(word, _)| word).collect()
    }

    /// Whether a kernel that was given this one reports `found`: it rounds times and shares.
    pub(super) fn is_met_by(&self, found: &Netem) -> bool {
        let told = wireloom_netlink::Netem { distribution: None, ..found.to_kernel() };
        self.distribution == found.distribution && self.to_kernel().matches(&told)
    }

    pub(super) fn to_kernel(&self) -> wireloom_netlink::Netem {
        let defaults = wireloom_netlink::Netem::default();
        wireloom_netlink::Netem {
            delay_ns: self.delay_us * 1000,
            jitter_ns: self.jitter_us * 1000,
            delay_correlation: fraction(self.delay_correlation),
            distribution: self.distribution.map(Distribution::to_kernel),
            loss: fraction(self.loss),
            loss_correlation: fraction(self.loss_correlation),
            loss_model: self.loss_model.map(LossModel::to_kernel),
            ecn: self.ecn,
            duplicate: fraction(self.duplicate),
            duplicate_correlation: fraction(self.duplicate_correlation),
            corrupt: fraction(self.corrupt),
            corrupt_correlation: fraction(self.corrupt_correlation),
            reorder: fraction(self.reorder),
            reorder_correlation: fraction(self.reorder_correlation),
            gap: self.gap,
            rate: self.rate_bit / 8,
            packet_overhead: self.packet_overhead,
            cell_size: self.cell_size,
            cell_overhead: self.cell_overhead,
            slot: self.slot.map(Slot::to_kernel),
            limit: if self.limit == 0 { defaults.limit } else { self.limit },
        }
    }

    /// All but the distribution, which the kernel does not tell.
    pub(super) fn from_kernel(netem: &wireloom_netlink::Netem) -> Netem {
        let default_limit = wireloom_netlink::Netem::default().limit;
        Netem {
            // The kernel counts ticks of 64 ns where it has no 64-bit attribute.
            delay_us: (netem.delay_ns + 500) / 1000,
            jitter_us: (netem.jitter_ns + 500) / 1000,
            delay_correlation: millionths(netem.delay_correlation),
            distribution: None,
            loss: millionths(netem.loss),
            loss_correlation: millionths(netem.loss_correlation),
            loss_model: netem.loss_model.map(LossModel::from_kernel),
            ecn: netem.ecn,
            duplicate: millionths(netem.duplicate),
            duplicate_correlation: millionths(netem.duplicate_correlation),
            corrupt: millionths(netem.corrupt),
            corrupt_correlation: millionths(netem.corrupt_correlation),
            reorder: millionths(netem.reorder),
            reorder_correlation: millionths(netem.reorder_correlation),
            gap: netem.gap,
            rate_bit: netem.rate * 8,
            packet_overhead: netem.packet_overhead,
            cell_size: netem.cell_size,
            cell_overhead: netem.cell_overhead,
            slot: netem.slot.map(Slot::from_kernel),
            limit: if netem.limit == default_limit { 0 } else { netem.limit },
        }
    }
}

impl Distribution {
    fn to_kernel(self) -> emulator::Distribution {
        match self {
            Distribution::Normal => emulator::Distribution::Normal,
            Distribution::Pareto => emulator::Distribution::Pareto,
            Distribution::Paretonormal => emulator::Distribution::ParetoNormal,
        }
    }
}

impl LossModel {
    fn to_kernel(self) -> emulator::LossModel {
        match self {
            LossModel::Gemodel { p, r, bad, good } => emulator::LossModel::Gemodel {
                p: fraction(p),
                r: fraction(r),
                h: u32::MAX - fraction(bad),
                lost_in_good: fraction(good),
            },
            LossModel::State { p13, p31, p32, p23, p14 } => {
                let [p13, p31, p32, p23, p14] = [p13, p31, p32, p23, p14].map(fraction);
                emulator::LossModel::State { p13, p31, p32, p23, p14 }
            }
        }
    }

    fn from_kernel(model: emulator::LossModel) -> LossModel {
        match model {
            emulator::LossModel::Gemodel { p, r, h, lost_in_good } => LossModel::Gemodel {
                p: millionths(p),
                r: millionths(r),
                bad: millionths(u32::MAX - h),
                good: millionths(lost_in_good),
            },
            emulator::LossModel::State { p13, p31, p32, p23, p14 } => {
                let [p13, p31, p32, p23, p14] = [p13, p31, p32, p23, p14].map(millionths);
                LossModel::State { p13, p31, p32, p23, p14 }
            }
        }
    }
}

impl Slot {
    fn to_kernel(self) -> emulator::Slot {
        let Slot { least_us, most_us, packets, bytes } = self;
        emulator::Slot { least_ns: least_us * 1000, most_ns: most_us * 1000, packets, bytes }
    }

    fn from_kernel(slot: emulator::Slot) -> Slot {
        let emulator::Slot { least_ns, most_ns, packets, bytes } = slot;
        Slot { least_us: least_ns / 1000, most_us: most_ns / 1000, packets, bytes }
    }
}

/// The words behind `netem`, as tc and documents take them, each with a space before it.
impl fmt::Display for Netem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.delay_us > 0 || self.jitter_us > 0 {
            write!(f, " delay {}", Time(self.delay_us))?;
        }
        if self.jitter_us > 0 {
            write!(f, " {}", Time(self.jitter_us))?;
        }
        if self.delay_correlation > 0 {
            write!(f, " {}", Percent(self.delay_correlation))?;
        }
        if let Some(distribution) = self.distribution {
            write!(f, " distribution {}", distribution.to_kernel().name())?;
        }
        chance(f, "loss", self.loss, self.loss_correlation)?;
        if let Some(model) = self.loss_model {
            write!(f, " loss {model}")?;
        }
        f.write_str(if self.ecn { " ecn" } else { "" })?;
        chance(f, "duplicate", self.duplicate, self.duplicate_correlation)?;
        chance(f, "corrupt", self.corrupt, self.corrupt_correlation)?;
        chance(f, "reorder", self.reorder, self.reorder_correlation)?;
        // One is what reordering without a gap gets.
        number(f, "gap", if self.gap == 1 { 0 } else { self.gap })?;
        self.write_rate(f)?;
        if let Some(slot) = self.slot {
            write!(f, " slot {} {}", Time(slot.least_us), Time(slot.most_us))?;
            number(f, "packets", slot.packets)?;
            number(f, "bytes", slot.bytes)?;
        }
        number(f, "limit", self.limit)
    }
}

impl Netem {
    fn write_rate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rate_bit == 0 {
            return Ok(());
        }
        write!(f, " rate {}", Rate(self.rate_bit))?;
        match (self.packet_overhead, self.cell_size, self.cell_overhead) {
            (0, 0, 0) => Ok(()),
            (packet, 0, 0) => write!(f, " {packet}"),
            (packet, size, 0) => write!(f, " {packet} {size}"),
            (packet, size, cell) => write!(f, " {packet} {size} {cell}"),
        }
    }
}

impl fmt::Display for LossModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, chances) = match *self {
            LossModel::Gemodel { p, r, bad, good } => ("gemodel", vec![p, r, bad, good]),
            LossModel::State { p13, p31, p32, p23, p14 } => ("state", vec![p13, p31, p32, p23, p14]),
        };
        f.write_str(name)?;
        chances.into_iter().try_for_each(|chance| write!(f, " {}", Percent(chance)))
    }
}

fn chance(f: &mut fmt::Formatter<'_>, word: &str, chance: u32, correlation: u32) -> fmt::Result {
    match (chance, correlation) {
        (0, _) => Ok(()),
        (chance, 0) => write!(f, " {word} {}", Percent(chance)),
        (chance, correlation) => write!(f, " {word} {} {}", Percent(chance), Percent(correlation)),
    }
}

fn number(f: &mut fmt::Formatter<'_>, word: &str, number: u32) -> fmt::Result {
    if number > 0 { write!(f, " {word} {number}") } else { Ok(()) }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
