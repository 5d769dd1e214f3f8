//! What was measured, and what it amounts to. Deliberately knows neither how it was measured nor how it is shown.

use std::time::Duration;

use super::machine::Machine;

/// A quantity in every repetition, in order, so that quantities of the same repetition can be compared.
#[derive(Debug, Default, Clone)]
pub(super) struct Series(pub(super) Vec<Duration>);

/// One length of chain.
#[derive(Debug, Default)]
pub(super) struct ChainResults {
    pub(super) links: usize,
    pub(super) bare: Series,
    pub(super) bare_links: Series,
    /// `ip -batch`; left out for the long chain.
    pub(super) batch: Series,
    /// What wireloom says that its phases `links` and `addresses` took.
    pub(super) links_and_addresses: Series,
    pub(super) only_links: Series,
    /// Whole processes.
    pub(super) up: Series,
    pub(super) again: Series,
    pub(super) down: Series,
    /// The most memory that `up` had resident, in bytes; measured for the long chain.
    pub(super) resident: Option<u64>,
}

/// Everything.
pub(super) struct Results {
    pub(super) machine: Machine,
    pub(super) repetitions: usize,
    pub(super) chain: ChainResults,
    pub(super) long: Option<ChainResults>,
    pub(super) one_link: Series,
    /// From `ip link del` until `watch` has the link back.
    pub(super) mended: Series,
    /// Bytes of the released binary.
    pub(super) binary: Option<u64>,
    /// From a clean clone to the triangle.
    pub(super) fresh: Option<Duration>,
}

impl Series {
    pub(super) fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The one in the middle, in milliseconds.
    pub(super) fn ms(&self) -> f64 {
        median(self.0.iter().map(|took| took.as_secs_f64() * 1000.0).collect())
    }

    /// How many times `other` this takes: the median of the ratios within the repetitions.
    pub(super) fn over(&self, other: &Series) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect())
    }
}

/// NaN of nothing.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => all[odd / 2],
        even => (all[even / 2 - 1] + all[even / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(ms: &[u64]) -> Series {
        Series(ms.iter().copied().map(Duration::from_millis).collect())
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn ratios_are_taken_within_a_repetition() {
        // The second repetition ran on a busy machine: its ratio is as good as the others.
        let ratio = series(&[20, 200, 22]).over(&series(&[10, 100, 10]));
        assert!((ratio - 2.0).abs() < 1e-9, "{ratio}");
    }
}
