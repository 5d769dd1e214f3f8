//! Impairments, as tc's netem takes them: an option string or keys. Does not know which link they are for.

mod words;

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::{Distribution, Netem};

use self::words::{Chance, Loss, Shaped, SlotWords};
use crate::{
    document::{
        keys::keys,
        text::Word,
        units::{Percent, Time, Whole},
    },
    read::{Field, Never, Shape},
    wrong::Wrong,
};

/// Options of netem: a text like `delay 10ms 2ms loss 1%`, or keys.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct NetemSpec(pub(crate) Shape<Word<Options>, Never, NetemKeys>);

keys! {
    /// Options of netem.
    pub(crate) struct NetemKeys {
        /// Delay of every packet, like `10ms`.
        delay: Word<Time>,
        /// Spread of the delay; needs `delay`.
        jitter: Word<Time>,
        /// How much a delay depends on the one before, like `25%`; needs `jitter`.
        correlation: Word<Percent>,
        /// How the delay is spread: `uniform`, `normal`, `pareto` or `paretonormal`; needs `jitter`.
        distribution: Word<Spread>,
        /// Chance that a packet is lost, like `1%`, or `1% 25%` with how much that depends on the packet before. In bursts:
        /// `gemodel 1% 10% 70% 0.1%` or `state 1% 10%`.
        loss: Word<Loss>,
        /// Whether packets are marked instead of lost, where they can be; needs `loss`.
        ecn: bool,
        /// Chance that a packet is doubled, like `1%` or `1% 25%`.
        duplicate: Word<Chance>,
        /// Chance that a bit of a packet is flipped, like `1%` or `1% 25%`.
        corrupt: Word<Chance>,
        /// Chance that a packet overtakes the delayed ones, like `25%` or `25% 50%`; needs `delay`.
        reorder: Word<Chance>,
        /// Only every packet with this number may overtake; needs `reorder`.
        gap: Whole<1, 1_000_000>,
        /// Rate, like `10mbit`, or `10mbit 20 48 5`: bytes that a packet counts as longer, bytes of a cell, and bytes that
        /// a cell counts as longer.
        rate: Word<Shaped>,
        /// Packets wait and are let go together, like `800us 10ms packets 5 bytes 64k`.
        slot: Word<SlotWords>,
        /// Packets in the queue at most, 1000 without it.
        limit: Whole<1, 1_000_000_000>,
    }
}

/// How a delay is spread; nothing is evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread(pub(crate) Option<Distribution>);

/// What tc takes behind `netem`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options(pub(crate) Netem);

impl NetemSpec {
    /// Whether a key is wrong, which has been noted.
    pub(crate) fn has_bad(&self) -> bool {
        matches!(&self.0, Shape::Mapping(keys) if keys.has_bad())
    }

    /// The engine's options.
    pub(crate) fn netem(&self) -> Result<Netem, Wrong> {
        let netem = match &self.0 {
            Shape::Scalar(Word(Options(netem))) => netem.clone(),
            Shape::List(never) => match *never {},
            Shape::Mapping(keys) => keys.netem(),
        };
        check(&netem).map(|()| netem)
    }
}

impl NetemKeys {
    fn netem(&self) -> Netem {
        let time = |field: &Field<Word<Time>>| field.get().map_or(0, |time| time.0.0);
        let mut netem = Netem {
            delay_us: time(&self.delay),
            jitter_us: time(&self.jitter),
            delay_correlation: self.correlation.get().map_or(0, |share| share.0.0),
            distribution: self.distribution.get().and_then(|spread| spread.0.0),
            ecn: self.ecn.get().copied().unwrap_or(false),
            gap: self.gap.get().map_or(0, |gap| gap.0),
            slot: self.slot.get().map(|slot| slot.0.0),
            limit: self.limit.get().map_or(0, |limit| limit.0),
            ..Netem::default()
        };
        let chance = |field: &Field<Word<Chance>>| field.get().map_or((0, 0), |Word(Chance(pair))| *pair);
        (netem.duplicate, netem.duplicate_correlation) = chance(&self.duplicate);
        (netem.corrupt, netem.corrupt_correlation) = chance(&self.corrupt);
        (netem.reorder, netem.reorder_correlation) = chance(&self.reorder);
        if let Some(Word(loss)) = self.loss.get() {
            loss.put_into(&mut netem);
        }
        if let Some(Word(rate)) = self.rate.get() {
            rate.put_into(&mut netem);
        }
        netem
    }
}

impl FromStr for Options {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let netem = words::read(text)?;
        check(&netem)?;
        Ok(Options(netem))
    }
}

/// What means nothing without something else.
fn check(netem: &Netem) -> Result<(), Wrong> {
    let jitter = netem.jitter_us > 0;
    let lossless = netem.loss == 0 && netem.loss_model.is_none();
    let wrong = [
        (netem.reorder > 0 && netem.delay_us == 0, "reorder", "delay", "packets overtake delayed ones", "delay 10ms"),
        (jitter && netem.delay_us == 0, "jitter", "delay", "the jitter is around the delay", "delay 10ms"),
        (
            netem.delay_correlation > 0 && !jitter,
            "correlation",
            "jitter",
            "a delay that is fixed does not vary",
            "jitter 2ms",
        ),
        (
            netem.distribution.is_some() && !jitter,
            "distribution",
            "jitter",
            "a delay that is fixed is not spread",
            "jitter 2ms",
        ),
        (netem.gap > 0 && netem.reorder == 0, "gap", "reorder", "it says which packets may overtake", "reorder 25%"),
        (netem.ecn && lossless, "ecn", "loss", "it marks what would be lost", "loss 1%"),
    ];
    match wrong.into_iter().find(|(is_wrong, ..)| *is_wrong) {
        Some((_, option, other, why, example)) => Err(Wrong::new(
            format!("`{option}` without `{other}`"),
            format!("{why}: add `{other}`, like in `{example}`"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use wireloom_engine::{LossModel, Slot};

    use super::*;

    fn of(text: &str) -> Netem {
        text.parse::<Options>().unwrap_or_else(|wrong| panic!("{text}: {wrong}")).0
    }

    #[test]
    fn the_options_of_tc_are_read() {
        let netem = of("delay 10ms 2ms 25% loss random 1% duplicate 0.5% rate 10mbit limit 50");
        let expected = Netem {
            delay_us: 10_000,
            jitter_us: 2000,
            delay_correlation: 250_000,
            loss: 10_000,
            duplicate: 5000,
            rate_bit: 10_000_000,
            limit: 50,
            ..Netem::default()
        };
        assert_eq!(netem, expected);
        let netem = of("latency 40ms 5ms distribution normal drop 0.3% 25% ecn corrupt 1% 2% reorder 25% 50% gap 5");
        let expected = Netem {
            delay_us: 40_000,
            jitter_us: 5000,
            distribution: Some(Distribution::Normal),
            loss: 3000,
            loss_correlation: 250_000,
            ecn: true,
            corrupt: 10_000,
            corrupt_correlation: 20_000,
            reorder: 250_000,
            reorder_correlation: 500_000,
            gap: 5,
            ..Netem::default()
        };
        assert_eq!(netem, expected);
        assert_eq!(of("delay 1ms 1ms distribution uniform").distribution, None);
    }

    /// The defaults are those that tc (iproute2 6.1) sends.
    #[test]
    fn loss_in_bursts_has_the_defaults_of_tc() {
        let model = |text: &str| of(text).loss_model.unwrap();
        let gemodel = |p, r, bad, good| LossModel::Gemodel { p, r, bad, good };
        assert_eq!(model("loss gemodel 1%"), gemodel(10_000, 990_000, 1_000_000, 0));
        assert_eq!(model("loss gemodel 1% 10% 70% 0.1%"), gemodel(10_000, 100_000, 700_000, 1000));
        let state = |p13, p31, p32, p23, p14| LossModel::State { p13, p31, p32, p23, p14 };
        assert_eq!(model("loss state 1%"), state(10_000, 990_000, 0, 1_000_000, 0));
        assert_eq!(model("loss state 1% 10% 70% 0.1% 2%"), state(10_000, 100_000, 700_000, 1000, 20_000));
    }

    #[test]
    fn rates_have_overheads_and_slots_have_bounds() {
        let netem = of("rate 1mbit -14 100 5 slot 800us 10ms packets 5 bytes 64k");
        assert_eq!((netem.packet_overhead, netem.cell_size, netem.cell_overhead), (-14, 100, 5));
        assert_eq!(netem.slot, Some(Slot { least_us: 800, most_us: 10_000, packets: 5, bytes: 65_536 }));
        assert_eq!(of("slot 10ms").slot, Some(Slot { least_us: 10_000, most_us: 10_000, packets: 0, bytes: 0 }));
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in [
            "delay 10ms 2ms 25% distribution pareto loss 1% 25% duplicate 0.5% 3% corrupt 0.1% 2% reorder 25% 50% gap 5",
            "delay 300us loss gemodel 1% 10% 70% 0.1% ecn rate 1500kbit 20 48 -5 slot 800us 10ms packets 5 bytes 65536",
            "loss state 1% 10% 70% 0.1% 2% rate 8bit -4 limit 7",
        ] {
            assert_eq!(of(text).to_string().trim_start(), text);
        }
    }

    #[test]
    fn others_are_refused() {
        for bad in [
            "delya 10ms",
            "delay",
            "loss 200%",
            "reorder 5%",
            "limit x",
            "delay 1ms 1ms 1% 1%",
            "loss gemodel",
            "loss",
            "loss state 1% 1% 1% 1% 1% 1%",
            "delay 1ms 2ms distribution bell",
            "delay 1ms distribution normal",
            "gap 5",
            "ecn",
            "rate 1mbit x",
            "slot 10ms 5ms",
            "delay 1ms delay 2ms",
            "jitter 5ms",
            "slot",
            "delay 0ms 25%",
            "limit 0",
        ] {
            assert!(bad.parse::<Options>().is_err(), "{bad}");
        }
        assert!("delay 10".parse::<Options>().is_ok(), "microseconds");
        assert!("delya 10ms".parse::<Options>().unwrap_err().help.starts_with("did you mean `delay`?"));
    }
}
