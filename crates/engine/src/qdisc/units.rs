//! Quantities as tc writes them, each in the largest unit that loses nothing.

use std::fmt;

/// Bits a second.
pub(super) struct Rate(pub(super) u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bit if bit > 0 && bit % 1_000_000_000 == 0 => write!(f, "{}gbit", bit / 1_000_000_000),
            bit if bit > 0 && bit % 1_000_000 == 0 => write!(f, "{}mbit", bit / 1_000_000),
            bit if bit > 0 && bit % 1000 == 0 => write!(f, "{}kbit", bit / 1000),
            bit => write!(f, "{bit}bit"),
        }
    }
}

/// Microseconds.
pub(super) struct Time(pub(super) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            us if us > 0 && us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us > 0 && us % 1000 == 0 => write!(f, "{}ms", us / 1000),
            us => write!(f, "{us}us"),
        }
    }
}

/// Millionths.
pub(super) struct Percent(pub(super) u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 10_000.0)
    }
}
