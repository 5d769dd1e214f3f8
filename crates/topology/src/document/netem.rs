//! Impairments, as tc's netem takes them: an option string or keys. Does not know which link they are for.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::Netem;

use crate::{
    document::{
        keys::keys,
        text::{Word, parse},
        units::{Percent, Rate, Time},
    },
    read::{Never, Shape, nearest},
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
        /// Spread of the delay.
        jitter: Word<Time>,
        /// How much a delay depends on the one before, like `25%`.
        correlation: Word<Percent>,
        /// Chance that a packet is lost, like `1%`.
        loss: Word<Percent>,
        /// Chance that a packet is doubled.
        duplicate: Word<Percent>,
        /// Chance that a bit of a packet is flipped.
        corrupt: Word<Percent>,
        /// Chance that a packet overtakes the delayed ones; needs `delay`.
        reorder: Word<Percent>,
        /// Rate, like `10mbit`.
        rate: Word<Rate>,
        /// Packets in the queue at most, 1000 without it.
        limit: u32,
    }
}

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
        let percent = |field: &crate::read::Field<Word<Percent>>| field.get().map_or(0, |p| p.0.0);
        Netem {
            delay_us: self.delay.get().map_or(0, |t| t.0.0),
            jitter_us: self.jitter.get().map_or(0, |t| t.0.0),
            delay_correlation: percent(&self.correlation),
            loss: percent(&self.loss),
            loss_correlation: 0,
            duplicate: percent(&self.duplicate),
            corrupt: percent(&self.corrupt),
            reorder: percent(&self.reorder),
            rate_bit: self.rate.get().map_or(0, |rate| rate.0.0),
            limit: self.limit.get().copied().unwrap_or(0),
        }
    }
}

fn check(netem: &Netem) -> Result<(), Wrong> {
    let without_delay = netem.delay_us == 0;
    if without_delay && netem.reorder > 0 {
        return Err(Wrong::new("`reorder` without `delay`", "packets overtake delayed ones: add `delay`, like 10ms"));
    }
    if without_delay && netem.jitter_us > 0 {
        return Err(Wrong::new("`jitter` without `delay`", "the jitter is around the delay: add `delay`, like 10ms"));
    }
    Ok(())
}

const OPTIONS: [&str; 7] = ["delay", "loss", "duplicate", "corrupt", "reorder", "rate", "limit"];

impl FromStr for Options {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "random").collect();
        let mut netem = Netem::default();
        let mut rest = words.as_slice();
        while let Some((option, behind)) = rest.split_first() {
            if !OPTIONS.contains(option) {
                return Err(Wrong::new(format!("unknown word `{option}` in netem options"), nearest(option, &OPTIONS)));
            }
            let end = behind.iter().position(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
            let (values, next) = behind.split_at(end.unwrap_or(behind.len()));
            set(&mut netem, option, values)?;
            rest = next;
        }
        check(&netem)?;
        Ok(Options(netem))
    }
}

fn set(netem: &mut Netem, option: &str, values: &[&str]) -> Result<(), Wrong> {
    let percent = |text: &&str| parse::<Percent>(text).map(|percent| percent.0);
    let time = |text: &&str| parse::<Time>(text).map(|time| time.0);
    match (option, values) {
        ("delay", [delay]) => netem.delay_us = time(delay)?,
        ("delay", [delay, jitter]) => (netem.delay_us, netem.jitter_us) = (time(delay)?, time(jitter)?),
        ("delay", [delay, jitter, correlation]) => {
            (netem.delay_us, netem.jitter_us) = (time(delay)?, time(jitter)?);
            netem.delay_correlation = percent(correlation)?;
        }
        ("loss", [loss]) => netem.loss = percent(loss)?,
        ("loss", [loss, correlation]) => (netem.loss, netem.loss_correlation) = (percent(loss)?, percent(correlation)?),
        ("duplicate", [chance]) => netem.duplicate = percent(chance)?,
        ("corrupt", [chance]) => netem.corrupt = percent(chance)?,
        ("reorder", [chance]) => netem.reorder = percent(chance)?,
        ("rate", [rate]) => netem.rate_bit = parse::<Rate>(rate)?.0,
        ("limit", [limit]) => {
            let help = "`limit` takes a number of packets";
            netem.limit = limit.parse().map_err(|_| Wrong::new(format!("`limit {limit}`"), help))?;
        }
        (option, values) => {
            let message = format!("`{option}` with {} values in netem options", values.len());
            return Err(Wrong::new(message, "write it like `delay 10ms 2ms 25% loss 1% rate 10mbit limit 1000`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_tc_are_read() {
        let netem =
            "delay 10ms 2ms 25% loss random 1% duplicate 0.5% rate 10mbit limit 50".parse::<Options>().unwrap().0;
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
    }

    #[test]
    fn others_are_refused() {
        for bad in ["delya 10ms", "delay", "delay 10", "loss 200%", "reorder 5%", "limit x", "delay 1ms 1ms 1% 1%"] {
            let read = bad.parse::<Options>();
            assert_eq!(read.is_ok(), bad == "delay 10", "{bad}");
        }
        assert!("delya 10ms".parse::<Options>().unwrap_err().help.starts_with("did you mean `delay`?"));
    }
}
