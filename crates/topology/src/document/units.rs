//! Quantities: whole numbers in a range, and times, rates and percentages with units as tc writes them. Does not know
//! what they measure.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

use crate::wrong::Wrong;

/// A whole number in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const LEAST: u32, const MOST: u32>(pub(crate) u32);

/// Bytes of the largest packet.
pub(crate) type MtuNumber = Whole<68, 65_535>;

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor::<LEAST, MOST>)
    }
}

struct WholeVisitor<const LEAST: u32, const MOST: u32>;

impl<const LEAST: u32, const MOST: u32> Visitor<'_> for WholeVisitor<LEAST, MOST> {
    type Value = Whole<LEAST, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {LEAST} to {MOST}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        let fitting = u32::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
        fitting.map(Whole).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let expected = format!("expected a whole number from {LEAST} to {MOST}, found");
        Err(match text.parse::<u32>() {
            Ok(_) => E::custom(Wrong::new(
                format!("{expected} the quoted text {text:?}"),
                format!("write {text} without quotes"),
            )),
            Err(_) => E::custom(format!("{expected} {text:?}")),
        })
    }
}

impl<const LEAST: u32, const MOST: u32> JsonSchema for Whole<LEAST, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": LEAST, "maximum": MOST},
            {"type": "string", "pattern": "[$]"}
        ]})
    }
}

/// A time in microseconds, written `10ms`, `2s`, `300us`; a bare number is microseconds, as for tc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) u64);

/// How long to wait, in milliseconds, written `2s`, `500ms`; a bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) u32);

/// A rate in bits a second, written `10mbit`, `1.5gbit`, `200kbps` (bytes); a bare number is bits a second, as for tc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

/// A chance in millionths, written `1%` or `0.25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) u32);

/// A number of bytes, written `1500`, `64k`, `1mb`: as tc does, a kilobyte is 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u32);

const SIZES: [(&str, f64); 6] =
    [("", 1.0), ("b", 1.0), ("k", 1024.0), ("kb", 1024.0), ("m", 1_048_576.0), ("mb", 1_048_576.0)];

const TIMES: &[(&str, f64)] = &[("s", 1e6), ("sec", 1e6), ("secs", 1e6), ("ms", 1e3), ("msec", 1e3), ("msecs", 1e3)];
const SHORT_TIMES: &[(&str, f64)] = &[("us", 1.0), ("usec", 1.0), ("usecs", 1.0)];

const RATES: &[(&str, f64)] = &[
    ("bit", 1.0),
    ("kbit", 1e3),
    ("mbit", 1e6),
    ("gbit", 1e9),
    ("tbit", 1e12),
    ("kibit", 1024.0),
    ("mibit", 1_048_576.0),
    ("gibit", 1_073_741_824.0),
    ("bps", 8.0),
    ("kbps", 8e3),
    ("mbps", 8e6),
    ("gbps", 8e9),
    ("tbps", 8e12),
];

impl FromStr for Time {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        microseconds(text, 1.0).map(Time)
    }
}

impl FromStr for Timeout {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let milliseconds = u32::try_from(microseconds(text, 1e6)? / 1000).ok().filter(|ms| *ms > 0);
        milliseconds.map(Timeout).ok_or_else(|| {
            Wrong::new(format!("{text:?} is no time to wait"), "write a time from 1ms on, like 500ms or 2s")
        })
    }
}

fn microseconds(text: &str, bare: f64) -> Result<u64, Wrong> {
    let units = TIMES.iter().chain(SHORT_TIMES).copied().chain([("", bare)]);
    let value = quantity(text, units).map(|(value, scale)| value * scale);
    value
        .filter(|us| *us <= 4e12)
        .map(rounded)
        .ok_or_else(|| Wrong::new(format!("{text:?} is not a time"), "a time is written like 10ms, 1.5s or 300us"))
}

impl FromStr for Rate {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let value = quantity(&text.to_ascii_lowercase(), RATES.iter().copied().chain([("", 1.0)]));
        let wrong =
            |what| Wrong::new(format!("{text:?} is {what}"), "a rate is written like 10mbit, 1.5gbit or 800kbit");
        let bits = value.map(|(value, scale)| value * scale).ok_or_else(|| wrong("not a rate"))?;
        // The kernel counts whole bytes a second.
        match rounded(bits) / 8 * 8 {
            0 => Err(wrong("a rate under 8 bits a second")),
            _ if bits > 8e15 => Err(wrong("not a possible rate")),
            bits => Ok(Rate(bits)),
        }
    }
}

impl FromStr for Bytes {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let bytes =
            quantity(&text.to_ascii_lowercase(), SIZES.into_iter()).map(|(value, scale)| rounded(value * scale));
        let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok());
        bytes.map(Bytes).ok_or_else(|| {
            Wrong::new(format!("{text:?} is no number of bytes"), "bytes are written like 1500, 64k or 1mb")
        })
    }
}

impl FromStr for Percent {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let value = quantity(text, [("%", 1.0), ("", 1.0)].into_iter()).map(|(value, _)| value);
        match value {
            Some(value) if value <= 100.0 => {
                Ok(Percent(u32::try_from(rounded(value * 1e4)).expect("at most a million")))
            }
            Some(_) => Err(Wrong::new(format!("{text:?} is more than all"), "write a percentage from 0% to 100%")),
            None => {
                Err(Wrong::new(format!("{text:?} is not a percentage"), "a percentage is written like 1% or 0.25%"))
            }
        }
    }
}

/// The number in front, and the scale of the unit behind it.
fn quantity(text: &str, mut units: impl Iterator<Item = (&'static str, f64)>) -> Option<(f64, f64)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale = units.find(|(name, _)| *name == unit.trim_start()).map(|(_, scale)| scale)?;
    Some((number.parse().ok()?, scale))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "callers bound the value; casts saturate")]
fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_tc_reads_them() {
        assert_eq!("10ms".parse(), Ok(Time(10_000)));
        assert_eq!("1.5s".parse(), Ok(Time(1_500_000)));
        assert_eq!("250".parse(), Ok(Time(250)));
        assert_eq!("2".parse(), Ok(Timeout(2000)));
        assert_eq!("10mbit".parse(), Ok(Rate(10_000_000)));
        assert_eq!("10Mbps".parse(), Ok(Rate(80_000_000)));
        assert_eq!("0.25%".parse(), Ok(Percent(2500)));
        assert_eq!("100".parse(), Ok(Percent(1_000_000)));
    }

    #[test]
    fn others_are_refused() {
        assert!("10m".parse::<Time>().is_err());
        assert!("-1ms".parse::<Time>().is_err());
        assert!("0s".parse::<Timeout>().is_err());
        assert!("".parse::<Rate>().is_err());
        assert!("7bit".parse::<Rate>().is_err());
        assert!("1e99gbit".parse::<Rate>().is_err());
        assert!("999999999tbit".parse::<Rate>().is_err());
        assert!("101%".parse::<Percent>().is_err());
        assert!("1.2.3%".parse::<Percent>().is_err());
    }
}
