//! Numbers and lists in sentences. Does not know what is counted.

use std::{fmt::Display, time::Duration};

pub(crate) use wireloom_graph::natural;

/// `1 link`, `3 links`, `2 addresses`, `3 switches`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let ending = match what {
        _ if number == 1 => "",
        what if what.ends_with('s') || what.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

/// `a, b, c`; `none` of nothing.
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// `0.4 ms`, `12 ms`, `3.1 s`.
pub(crate) fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        ..1000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// `5 s`, `3 min`, `2 h`, `4 days`.
pub(crate) fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The nearest of some names, if it is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(name, known);
    known.into_iter().min_by_key(distance).filter(|known| distance(known) <= 2.min(known.len() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_nouns() {
        let said = [(1, "link"), (0, "link"), (2, "address"), (1, "address")].map(|(n, what)| count(n, what));
        assert_eq!(said, ["1 link", "0 links", "2 addresses", "1 address"]);
    }

    #[test]
    fn names_are_sorted_as_people_count() {
        let mut names = ["n10", "n2", "a", "n1", "n2b", "n02", "10", "9", "n"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["9", "10", "a", "n", "n1", "n02", "n2", "n2b", "n10"]);
    }

    #[test]
    fn times_have_a_fitting_unit() {
        assert_eq!([400, 12_300, 3_140_000].map(|us| time(Duration::from_micros(us))), ["0.4 ms", "12 ms", "3.1 s"]);
    }

    #[test]
    fn a_name_is_near_within_two_slips() {
        assert_eq!(nearest("tirangle", ["lab", "triangle"]), Some("triangle"));
        assert_eq!(nearest("x", ["triangle"]), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
