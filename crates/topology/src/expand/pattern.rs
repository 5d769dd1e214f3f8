//! Patterns: names with a range, like `spine[1-4]` or `h[01-12]:eth0`. Does not know what the name is of.

use std::str::FromStr;

use crate::{
    expand::{MOST, Numbers, Template},
    wrong::Wrong,
};

/// A name, or many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The text as it was written.
    text: String,
    before: String,
    ranges: Vec<Range>,
    after: String,
    has_variables: bool,
}

/// `3` or `1-4` or `01-12` (with zeros in front).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: u32,
    to: u32,
    width: usize,
}

impl Range {
    fn len(&self) -> usize {
        (self.to - self.from) as usize + 1
    }
}

impl Pattern {
    /// Whether it stands for many names.
    pub(crate) fn is_range(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// How many names it stands for.
    pub(crate) fn len(&self) -> usize {
        if self.ranges.is_empty() { 1 } else { self.ranges.iter().map(Range::len).sum() }
    }

    /// The number of the copy `at`, with its width; `None` where there is no range.
    fn at(&self, mut at: usize) -> Option<(u32, usize)> {
        for range in &self.ranges {
            if at < range.len() {
                return Some((range.from + u32::try_from(at).ok()?, range.width));
            }
            at -= range.len();
        }
        None
    }

    /// The number of the copy `at`; `None` where there is no range.
    pub(crate) fn number(&self, at: usize) -> Option<i64> {
        self.at(at).map(|(number, _)| i64::from(number))
    }

    /// The name of the copy `at`, its variables as they are written.
    pub(crate) fn plain(&self, at: usize) -> String {
        match self.at(at) {
            Some((number, width)) => format!("{}{number:0width$}{}", self.before, self.after),
            None => self.before.clone(),
        }
    }

    /// The name of the copy `at`, its variables replaced.
    pub(crate) fn name(&self, at: usize, numbers: &Numbers) -> Result<String, Wrong> {
        let name = self.plain(at);
        if !self.has_variables {
            return Ok(name);
        }
        Template::parse(&name).map_or(Ok(name), |template| template.fill(numbers))
    }

    /// All names with their numbers, for patterns that stand alone.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Result<String, Wrong>, Numbers)> {
        (0..self.len()).map(|at| {
            let numbers = Numbers::one(self.number(at), at);
            (self.name(at, &numbers), numbers)
        })
    }
}

impl FromStr for Pattern {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let has_variables = Template::parse(text).is_some();
        let text = text.to_owned();
        let whole = Pattern { before: text.clone(), ranges: Vec::new(), after: String::new(), has_variables, text };
        if let Some((_, behind)) = whole.text.split_once('[')
            && !behind.contains(']')
        {
            return Err(Wrong::new(format!("`[` in `{}` is not closed", whole.text), RANGE_HELP));
        }
        let Some((before, inside, after)) = range_of(&whole.text) else { return Ok(whole) };
        if range_of(after).is_some() {
            let message = format!("`{}` has two ranges, one is possible", whole.text);
            return Err(Wrong::new(message, "write one item for each number of one of them"));
        }
        let ranges = inside.split(',').map(|part| range(part, inside)).collect::<Result<Vec<_>, _>>()?;
        if ranges.iter().map(Range::len).sum::<usize>() > MOST {
            return Err(Wrong::new(
                format!("`[{inside}]` has more than {MOST} numbers"),
                format!("{MOST} are possible"),
            ));
        }
        Ok(Pattern { before: before.into(), after: after.into(), ranges, ..whole })
    }
}

/// What stands before, in and after the first `[...]` of digits, commas and dashes.
fn range_of(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('[')?;
    let (inside, after) = rest.split_once(']')?;
    inside.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'-').then_some((before, inside, after))
}

const RANGE_HELP: &str = "a range is written like [1-4], [1,3,7-9] or [01-12]";

fn range(part: &str, inside: &str) -> Result<Range, Wrong> {
    let (from, to) = part.split_once('-').unwrap_or((part, part));
    let help = RANGE_HELP;
    match (from.parse(), to.parse()) {
        (Ok(first), Ok(last)) if first <= last => {
            let width = if from.starts_with('0') && from.len() > 1 { from.len() } else { 0 };
            Ok(Range { from: first, to: last, width })
        }
        (Ok::<u32, _>(_), Ok::<u32, _>(_)) => Err(Wrong::new(format!("`[{inside}]` runs backwards"), help)),
        _ => Err(Wrong::new(format!("`[{inside}]` is not a range"), help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.parse::<Pattern>().unwrap().all().map(|(name, _)| name.unwrap()).collect()
    }

    #[test]
    fn ranges_expand_in_order() {
        assert_eq!(names("r1"), ["r1"]);
        assert_eq!(names("r[1-3]"), ["r1", "r2", "r3"]);
        assert_eq!(names("r[1,3,7-8]x"), ["r1x", "r3x", "r7x", "r8x"]);
        assert_eq!(names("h[08-11]"), ["h08", "h09", "h10", "h11"]);
        assert_eq!(names("s[1-2]:eth{n+4}"), ["s1:eth5", "s2:eth6"]);
        assert_eq!(names("[fd00::1]:80"), ["[fd00::1]:80"]);
    }

    #[test]
    fn wrong_ranges_are_refused() {
        for bad in ["r[3-1]", "r[]", "r[1-]", "r[1,,2]", "r[1-2]s[1-2]", "r[1-2:e", "r[0-4000000000]", "r[99999999999]"]
        {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
