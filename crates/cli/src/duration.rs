//! Times on the command line: `10s`, `500ms`, `2m`, `1h`, and a bare number of seconds. Does not know what they are for.

use std::time::Duration;

/// A number and its unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("unknown unit {unit:?}; 500ms, 10s, 2m and 1h are right")),
    };
    let number: f64 =
        number.parse().map_err(|_| "a number with a unit is expected, such as 10s or 500ms".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        for (text, ms) in [("10", 10_000), ("0.5s", 500), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for wrong in ["", "s", "10 s", "-1s", "1d", "1e400s"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
