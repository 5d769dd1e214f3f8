//! What `encap` of a route says, in the words of `ip route`. Does not know the rest of the route.

use std::{net::Ipv6Addr, str::FromStr};

use wireloom_engine::{Encap, Lookup, Seg6, Seg6Local};

use crate::{read::nearest, wrong::Wrong};

const SEG6_HELP: &str = "write it like `encap seg6 mode encap segs fc00:2::,fc00:3::`; the mode is `encap` or `inline`";
const LOCAL_HELP: &str = "write it like `encap seg6local action End`, or with its argument: `End.X nh6 HOP`, `End.T table N`, \
     `End.DX4 nh4 HOP`, `End.DX6 nh6 HOP`, `End.DT4 vrftable N`, `End.DT6 table N` or `vrftable N`, `End.DT46 vrftable N`";
const ACTIONS: [&str; 8] = ["End", "End.X", "End.T", "End.DX4", "End.DX6", "End.DT4", "End.DT6", "End.DT46"];

/// Reads the words behind `encap`, up to the last that belongs to it.
pub(crate) fn encap<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Encap, Wrong> {
    match words.next() {
        Some("seg6") => seg6(words).map(Encap::Seg6),
        Some("seg6local") => seg6local(words).map(Encap::Seg6Local),
        Some(other) => {
            Err(Wrong::new(format!("`encap {other}` in a route is not taken"), nearest(other, &["seg6", "seg6local"])))
        }
        None => Err(Wrong::new("nothing behind `encap` in a route", SEG6_HELP)),
    }
}

fn seg6<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Seg6, Wrong> {
    let wrong = |what: &str| Wrong::new(format!("{what} behind `encap seg6`"), SEG6_HELP);
    let mut next = || words.next().unwrap_or("nothing");
    let inline = match (next(), next()) {
        ("mode", "encap") => false,
        ("mode", "inline") => true,
        (word, value) => return Err(wrong(&format!("`{word} {value}`"))),
    };
    let (word, list) = (next(), next());
    if word != "segs" {
        return Err(wrong(&format!("`{word} {list}`")));
    }
    let segments: Result<Vec<Ipv6Addr>, _> = list.split(',').map(Ipv6Addr::from_str).collect();
    segments.map(|segments| Seg6 { inline, segments }).map_err(|_| wrong(&format!("`segs {list}`")))
}

fn seg6local<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Seg6Local, Wrong> {
    let mut next = || words.next().unwrap_or("nothing");
    let (word, action) = (next(), next());
    if word != "action" {
        return Err(Wrong::new(format!("`{word} {action}` behind `encap seg6local`"), LOCAL_HELP));
    }
    if !ACTIONS.contains(&action) {
        return Err(Wrong::new(format!("`action {action}` behind `encap seg6local`"), nearest(action, &ACTIONS)));
    }
    if action == "End" {
        return Ok(Seg6Local::End);
    }
    let (word, value) = (next(), next());
    let local = match (action, word) {
        ("End.X", "nh6") => value.parse().map(Seg6Local::EndX).ok(),
        ("End.T", "table") => table(value).map(Seg6Local::EndT),
        ("End.DX4", "nh4") => value.parse().map(Seg6Local::EndDx4).ok(),
        ("End.DX6", "nh6") => value.parse().map(Seg6Local::EndDx6).ok(),
        ("End.DT4", "vrftable") => table(value).map(Seg6Local::EndDt4),
        ("End.DT6", "table") => table(value).map(|table| Seg6Local::EndDt6(Lookup::Table(table))),
        ("End.DT6", "vrftable") => table(value).map(|table| Seg6Local::EndDt6(Lookup::Vrftable(table))),
        ("End.DT46", "vrftable") => table(value).map(Seg6Local::EndDt46),
        _ => None,
    };
    local.ok_or_else(|| Wrong::new(format!("`{word} {value}` behind `action {action}`"), LOCAL_HELP))
}

fn table(text: &str) -> Option<u32> {
    match text {
        "main" => Some(254),
        "local" => Some(255),
        text => text.parse().ok().filter(|table| *table > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encapsulation_is_read_as_it_is_shown() {
        for text in [
            "encap seg6 mode encap segs fc00:2::,fc00:3::",
            "encap seg6 mode inline segs fc00:2::",
            "encap seg6local action End",
            "encap seg6local action End.X nh6 fd00::1",
            "encap seg6local action End.T table 7",
            "encap seg6local action End.DX4 nh4 10.0.0.1",
            "encap seg6local action End.DX6 nh6 ::",
            "encap seg6local action End.DT4 vrftable 7",
            "encap seg6local action End.DT6 table 7",
            "encap seg6local action End.DT6 vrftable 7",
            "encap seg6local action End.DT46 vrftable 7",
        ] {
            let mut words = text.split(' ').skip(1).chain(["dev"]);
            assert_eq!(encap(&mut words).unwrap_or_else(|wrong| panic!("{text}: {wrong}")).to_string(), text);
            assert_eq!(words.next(), Some("dev"), "{text}");
        }
    }

    #[test]
    fn what_ip_refuses_is_refused() {
        for bad in [
            "",
            "mpls 100",
            "seg6 segs fc00::1",
            "seg6 mode l2encap segs fc00::1",
            "seg6 mode encap segs 10.0.0.1",
            "seg6 mode encap",
            "seg6local End",
            "seg6local action End.DX2 oif eth0",
            "seg6local action End.DX4 nh6 fd00::1",
            "seg6local action End.DT4 table 7",
            "seg6local action End.DT6 table 0",
        ] {
            assert!(encap(&mut bad.split_whitespace()).is_err(), "{bad}");
        }
    }
}
