//! Counting: libtest's own totals, and the skips that tests wrote down themselves.
//! Deliberately does not judge; which skips are fine is said elsewhere.

use std::ops::AddAssign;

/// How some tests went.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that ran and held.
    pub(crate) passed: usize,
    /// Tests that ran and did not, and test programs that died.
    pub(crate) failed: usize,
    /// Tests that did not run.
    pub(crate) skips: Vec<Skip>,
}

/// A test that did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    /// What was missing; `ignored:NAME` for a test that is marked `#[ignore]`.
    pub(crate) feature: String,
    /// Which test.
    pub(crate) test: String,
}

impl Tally {
    /// For what should have been a number of tests and was an accident.
    pub(crate) fn one_failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    /// Adds up all `test result:` lines of libtest's output, takes the skips (`FEATURE<TAB>TEST` a line) out of those
    /// that passed, and counts one failure for a program that failed without saying so.
    pub(crate) fn of(output: &str, skips: &str, succeeded: bool) -> Self {
        let mut tally = Self::default();
        let results: Vec<_> = output.lines().filter_map(|line| line.split_once("test result: ")).collect();
        for (_, counts) in &results {
            tally.passed += count(counts, "passed");
            tally.failed += count(counts, "failed");
        }
        tally.skips = skips.lines().filter_map(Skip::from_line).collect();
        tally.passed = tally.passed.saturating_sub(tally.skips.len());
        tally.skips.extend(output.lines().filter_map(Skip::from_ignored));
        if (results.is_empty() || !succeeded) && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skips.extend(other.skips);
    }
}

impl Skip {
    /// A line of the file that WIRELOOM_SKIPS names.
    fn from_line(line: &str) -> Option<Self> {
        let (feature, test) = line.split_once('\t')?;
        Some(Self { feature: feature.to_owned(), test: test.to_owned() })
    }

    /// `test NAME ... ignored`, with or without a reason.
    fn from_ignored(line: &str) -> Option<Self> {
        let (test, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
        rest.starts_with("ignored").then(|| Self { feature: format!("ignored:{test}"), test: test.to_owned() })
    }
}

/// The number in front of a word: `13 passed; 0 failed`.
fn count(counts: &str, word: &str) -> usize {
    let words: Vec<_> = counts.split([' ', ';']).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "test a ... ok\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";

    #[test]
    fn totals_of_several_programs_add_up() {
        let red = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::of(&format!("{OK}{red}"), "", false), Tally { passed: 4, failed: 2, skips: Vec::new() });
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let tally = Tally::of(OK, "vlan\tlink::tests::vlan_carries\n", true);
        assert_eq!((tally.passed, tally.failed), (2, 0));
        assert_eq!(tally.skips, [Skip { feature: "vlan".into(), test: "link::tests::vlan_carries".into() }]);
    }

    #[test]
    fn an_ignored_test_is_a_skip_by_name() {
        let tally = Tally::of(&format!("test slow ... ignored, on demand\n{OK}"), "", true);
        assert_eq!(tally.skips, [Skip { feature: "ignored:slow".into(), test: "slow".into() }]);
        assert_eq!(tally.passed, 3);
    }

    #[test]
    fn a_program_that_dies_or_says_nothing_is_a_failure() {
        assert_eq!(Tally::of("running 3 tests\n", "", false), Tally::one_failure());
        assert_eq!(Tally::of("", "", true), Tally::one_failure());
        assert_eq!(Tally::of(OK, "", false).failed, 1);
    }
}
