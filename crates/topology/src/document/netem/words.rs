//! The words of netem's options, in the order and with the defaults of tc. Does not know which of them mean nothing
//! without others.

use std::str::FromStr;

use wireloom_engine::{Distribution, LossModel, Netem, Slot};

use super::Spread;
use crate::{
    document::{
        text::parse,
        units::{Bytes, Percent, Rate, Time},
    },
    read::nearest,
    wrong::Wrong,
};

const OPTIONS: [&str; 11] =
    ["delay", "distribution", "loss", "ecn", "duplicate", "corrupt", "reorder", "gap", "rate", "slot", "limit"];

/// Other names that tc has for options.
const ALIASES: [(&str, &str); 3] = [("latency", "delay"), ("drop", "loss"), ("dup", "duplicate")];

const MILLION: u32 = 1_000_000;

/// Options in any order, each once.
pub(super) fn read(text: &str) -> Result<Netem, Wrong> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (mut netem, mut given, mut rest) = (Netem::default(), Vec::new(), words.as_slice());
    while let Some((word, behind)) = rest.split_first() {
        let option = ALIASES.iter().find(|(alias, _)| alias == word).map_or(*word, |(_, option)| option);
        if !OPTIONS.contains(&option) {
            return Err(Wrong::new(format!("unknown word `{word}` in netem options"), nearest(word, &OPTIONS)));
        }
        if given.contains(&option) {
            return Err(Wrong::new(format!("`{option}` stands twice in netem options"), "keep one of them"));
        }
        given.push(option);
        let end = match option {
            "distribution" => behind.len().min(1),
            _ => behind.iter().position(|word| starts_option(word)).unwrap_or(behind.len()),
        };
        let (values, next) = behind.split_at(end);
        set(&mut netem, option, values)?;
        rest = next;
    }
    Ok(netem)
}

/// Whether it is the next option, and not a word that belongs to the one before.
fn starts_option(word: &str) -> bool {
    const PARTS: [&str; 5] = ["random", "gemodel", "state", "packets", "bytes"];
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !PARTS.contains(&word)
}

fn set(netem: &mut Netem, option: &str, values: &[&str]) -> Result<(), Wrong> {
    let text = || values.join(" ");
    match (option, values) {
        ("delay", [delay, rest @ ..]) if rest.len() < 3 => {
            netem.delay_us = parse::<Time>(delay)?.0;
            if let [jitter, rest @ ..] = rest {
                netem.jitter_us = parse::<Time>(jitter)?.0;
                netem.delay_correlation = optional(rest.first(), 0)?;
            }
        }
        ("distribution", [name]) => netem.distribution = parse::<Spread>(name)?.0,
        ("loss", [_, ..]) => parse::<Loss>(&text())?.put_into(netem),
        ("ecn", []) => netem.ecn = true,
        ("duplicate", [_, ..]) => (netem.duplicate, netem.duplicate_correlation) = parse::<Chance>(&text())?.0,
        ("corrupt", [_, ..]) => (netem.corrupt, netem.corrupt_correlation) = parse::<Chance>(&text())?.0,
        ("reorder", [_, ..]) => (netem.reorder, netem.reorder_correlation) = parse::<Chance>(&text())?.0,
        ("gap", [gap]) => netem.gap = number("gap", gap)?,
        ("rate", [_, ..]) => parse::<Shaped>(&text())?.put_into(netem),
        ("slot", [_, ..]) => netem.slot = Some(parse::<SlotWords>(&text())?.0),
        ("limit", [limit]) => netem.limit = number("limit", limit)?,
        (option, values) => {
            let message = format!("`{option}` with {} values in netem options", values.len());
            return Err(Wrong::new(message, "write it like `delay 10ms 2ms 25% loss 1% rate 10mbit limit 1000`"));
        }
    }
    Ok(())
}

fn number(option: &str, text: &str) -> Result<u32, Wrong> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Wrong::new(format!("`{option} {text}`"), format!("`{option}` takes a number of packets")))
}

fn percent(text: &str) -> Result<u32, Wrong> {
    parse::<Percent>(text).map(|percent| percent.0)
}

fn optional(text: Option<&&str>, default: u32) -> Result<u32, Wrong> {
    text.map_or(Ok(default), |text| percent(text))
}

/// A chance, and how much it depends on the packet before: `1%`, `1% 25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chance(pub(crate) (u32, u32));

impl FromStr for Chance {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            [chance] => Ok(Chance((percent(chance)?, 0))),
            [chance, correlation] => Ok(Chance((percent(chance)?, percent(correlation)?))),
            _ => Err(Wrong::new(
                format!("{text:?} is no chance"),
                "write a percentage like 1%, and perhaps a second one: how much it depends on the packet before",
            )),
        }
    }
}

/// By chance, or by a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Chance(Chance),
    Model(LossModel),
}

impl Loss {
    pub(super) fn put_into(self, netem: &mut Netem) {
        match self {
            Loss::Chance(Chance(pair)) => (netem.loss, netem.loss_correlation) = pair,
            Loss::Model(model) => netem.loss_model = Some(model),
        }
    }
}

impl FromStr for Loss {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["random", rest @ ..] => parse(&rest.join(" ")).map(Loss::Chance),
            ["gemodel", p, rest @ ..] if rest.len() < 4 => {
                let p = percent(p)?;
                let r = optional(rest.first(), MILLION - p)?;
                let (bad, good) = (optional(rest.get(1), MILLION)?, optional(rest.get(2), 0)?);
                Ok(Loss::Model(LossModel::Gemodel { p, r, bad, good }))
            }
            ["state", p13, rest @ ..] if rest.len() < 5 => {
                let p13 = percent(p13)?;
                let (p31, p32) = (optional(rest.first(), MILLION - p13)?, optional(rest.get(1), 0)?);
                let (p23, p14) = (optional(rest.get(2), MILLION)?, optional(rest.get(3), 0)?);
                Ok(Loss::Model(LossModel::State { p13, p31, p32, p23, p14 }))
            }
            [model @ ("gemodel" | "state"), rest @ ..] => Err(Wrong::new(
                format!("`loss {model}` with {} values", rest.len()),
                "write `gemodel P R 1-H 1-K` or `state P13 P31 P32 P23 P14`, where all but the first may be left out",
            )),
            _ => parse(text).map(Loss::Chance),
        }
    }
}

/// A rate with overheads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shaped {
    rate_bit: u64,
    packet_overhead: i32,
    cell_size: u32,
    cell_overhead: i32,
}

impl Shaped {
    pub(super) fn put_into(self, netem: &mut Netem) {
        netem.rate_bit = self.rate_bit;
        netem.packet_overhead = self.packet_overhead;
        (netem.cell_size, netem.cell_overhead) = (self.cell_size, self.cell_overhead);
    }
}

impl FromStr for Shaped {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (rate, rest) = words.split_first().map_or(("", &[][..]), |(rate, rest)| (*rate, rest));
        let wrong = || {
            let help = "write RATE, and perhaps behind it bytes that a packet counts as longer, bytes of a cell, and bytes \
                        that a cell counts as longer";
            Wrong::new(format!("`{}` behind a rate", rest.join(" ")), help)
        };
        let bytes = |place: usize| rest.get(place).map_or(Ok(0), |text| text.parse::<i32>().map_err(|_| wrong()));
        if rest.len() > 3 {
            return Err(wrong());
        }
        Ok(Shaped {
            rate_bit: parse::<Rate>(rate)?.0,
            packet_overhead: bytes(0)?,
            cell_size: u32::try_from(bytes(1)?).map_err(|_| wrong())?,
            cell_overhead: bytes(2)?,
        })
    }
}

/// When packets are let go together: `MIN [MAX] [packets N] [bytes N]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotWords(pub(crate) Slot);

impl FromStr for SlotWords {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::new(format!("{text:?} is no slot"), "write it like `800us 10ms packets 5 bytes 64k`");
        let words: Vec<&str> = text.split_whitespace().collect();
        let times = words.iter().take_while(|word| !["packets", "bytes"].contains(word)).count();
        let (times, mut bounds) = words.split_at(times);
        let (least, most) = match times {
            [only] => (only, only),
            [least, most] => (least, most),
            _ => return Err(wrong()),
        };
        let (least_us, most_us) = (parse::<Time>(least)?.0, parse::<Time>(most)?.0);
        let mut slot = Slot { least_us, most_us, packets: 0, bytes: 0 };
        while let [word, value, rest @ ..] = bounds {
            match *word {
                "packets" => slot.packets = value.parse().map_err(|_| wrong())?,
                _ => slot.bytes = parse::<Bytes>(value)?.0,
            }
            bounds = rest;
        }
        if !bounds.is_empty() || most_us == 0 {
            return Err(wrong());
        }
        if least_us > most_us {
            return Err(Wrong::new(format!("the slot {text:?} ends before it begins"), "write the shorter time first"));
        }
        Ok(SlotWords(slot))
    }
}

impl FromStr for Spread {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "uniform" => Ok(Spread(None)),
            "normal" => Ok(Spread(Some(Distribution::Normal))),
            "pareto" => Ok(Spread(Some(Distribution::Pareto))),
            "paretonormal" => Ok(Spread(Some(Distribution::Paretonormal))),
            _ => {
                let known = ["uniform", "normal", "pareto", "paretonormal"];
                Err(Wrong::new(format!("unknown distribution `{text}`"), nearest(text, &known)))
            }
        }
    }
}
