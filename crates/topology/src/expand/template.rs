//! Templates: text with variables like `{a}`, `{n+100}` and `{b:x}`. Does not know where numbers come from.

use std::fmt::Write;

use crate::wrong::Wrong;

/// The numbers of one copy of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// `{n}`: the number in the name of a node, a bridge, or the node of a one-ended link.
    pub(crate) n: Option<i64>,
    /// `{a}`: the number of the first end.
    pub(crate) a: Option<i64>,
    /// `{b}`: the number of the second end.
    pub(crate) b: Option<i64>,
    /// `{i}`: the running number of the copy, from 0.
    pub(crate) i: Option<i64>,
}

impl Numbers {
    /// The numbers of copy `i` of something with one number.
    pub(crate) fn one(number: Option<i64>, i: usize) -> Numbers {
        Numbers { n: number, a: number, b: None, i: number.and(i64::try_from(i).ok()) }
    }

    /// The numbers of copy `i` of something with two ends.
    pub(crate) fn two(a: Option<i64>, b: Option<i64>, i: usize) -> Numbers {
        let n = a.or(b).filter(|_| a.is_none() || b.is_none());
        Numbers { n, a, b, i: a.or(b).and(i64::try_from(i).ok()) }
    }

    fn of(&self, variable: char) -> Option<i64> {
        match variable {
            'n' => self.n,
            'a' => self.a,
            'b' => self.b,
            _ => self.i,
        }
    }
}

/// Text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable {
        name: char,
        plus: i64,
        hexadecimal: bool,
    },
    /// A word in braces that is no variable; commands may have their own.
    Unknown(String),
}

impl Template {
    /// The template in `text`; `None` where it has no variable.
    pub(crate) fn parse(text: &str) -> Option<Template> {
        let mut pieces = Vec::new();
        let (mut rest, mut plain) = (text, String::new());
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').map(|at| open + at);
            match close.and_then(|close| Some((close, variable(&rest[open + 1..close])?))) {
                Some((close, variable)) => {
                    plain.push_str(&rest[..open]);
                    pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
                    pieces.push(variable);
                    rest = &rest[close + 1..];
                }
                None => {
                    plain.push_str(&rest[..=open]);
                    rest = &rest[open + 1..];
                }
            }
        }
        plain.push_str(rest);
        if pieces.is_empty() {
            return None;
        }
        pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
        Some(Template { text: text.to_owned(), pieces })
    }

    /// The text as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text with the variables replaced.
    pub(crate) fn fill(&self, numbers: &Numbers) -> Result<String, Wrong> {
        self.filled(numbers, false)
    }

    /// The same for a shell: braces that are none of ours are its own.
    pub(crate) fn fill_command(&self, numbers: &Numbers) -> Result<String, Wrong> {
        self.filled(numbers, true)
    }

    fn filled(&self, numbers: &Numbers, keep: bool) -> Result<String, Wrong> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Unknown(word) if keep => _ = write!(text, "{{{word}}}"),
                Piece::Unknown(word) => return Err(unknown(word, numbers)),
                Piece::Variable { name, plus, hexadecimal } => {
                    let number = numbers.of(*name).ok_or_else(|| without_range(*name, numbers))?;
                    let number = number.saturating_add(*plus);
                    _ = if *hexadecimal { write!(text, "{number:x}") } else { write!(text, "{number}") };
                }
            }
        }
        Ok(text)
    }
}

fn known(numbers: &Numbers) -> String {
    let known: Vec<String> = "nabi".chars().filter(|c| numbers.of(*c).is_some()).map(String::from).collect();
    known.join(", ")
}

fn unknown(word: &str, numbers: &Numbers) -> Wrong {
    let help = match known(numbers) {
        known if known.is_empty() => NO_RANGE.to_owned(),
        known => format!("known here: {known}"),
    };
    Wrong::new(format!("unknown variable `{{{word}}}`"), help)
}

const NO_RANGE: &str = "variables need a range like `r[1-4]` in the name of the node or in an end of the link";

fn without_range(name: char, numbers: &Numbers) -> Wrong {
    let help = match known(numbers) {
        known if known.is_empty() => NO_RANGE.to_owned(),
        known => format!("known here: {known}"),
    };
    Wrong::new(format!("`{{{name}}}` has no number here"), help)
}

/// `n`, `a+1`, `b-1`, `i:x`.
fn variable(text: &str) -> Option<Piece> {
    let (text, hexadecimal) = text.strip_suffix(":x").map_or((text, false), |text| (text, true));
    let word = text.split(['+', '-', ':']).next().unwrap_or_default();
    if word.len() != 1 || !"nabi".contains(word) {
        let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        return (is_word && word == text).then(|| Piece::Unknown(text.to_owned()));
    }
    let mut characters = text.chars();
    let name = characters.next()?;
    let plus = match characters.as_str() {
        "" => 0,
        sum if sum.starts_with(['+', '-']) && sum[1..].bytes().all(|b| b.is_ascii_digit()) => sum.parse().ok()?,
        _ => return None,
    };
    Some(Piece::Variable { name, plus, hexadecimal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let numbers = Numbers::two(Some(3), Some(11), 7);
        for (text, filled) in [
            ("10.{a}.{b}.1/24", "10.3.11.1/24"),
            ("fd00:{a+100}:{b:x}::{b-11}", "fd00:103:b::0"),
            ("{i}{i}", "77"),
            ("awk '{print}' {{a}", "awk '{print}' {3"),
        ] {
            assert_eq!(Template::parse(text).unwrap().fill_command(&numbers).unwrap(), filled, "{text}");
        }
    }

    #[test]
    fn other_braces_are_plain_text() {
        for text in ["", "{}", "{X}", "{a", "{a+}b{", "{a*2}", "${A}", "{n n}"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_variable_needs_a_number() {
        let wrong = Template::parse("eth{b}").unwrap().fill(&Numbers::one(Some(1), 0)).unwrap_err();
        assert_eq!(wrong.message, "`{b}` has no number here");
        assert_eq!(wrong.help, "known here: n, a, i");
        let wrong = Template::parse("eth{z}").unwrap().fill(&Numbers::two(Some(1), Some(2), 0)).unwrap_err();
        assert_eq!((&*wrong.message, &*wrong.help), ("unknown variable `{z}`", "known here: a, b, i"));
    }
}
