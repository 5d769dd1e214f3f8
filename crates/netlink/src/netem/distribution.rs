//! The shapes that a delay can vary in: tables of quantiles, which the kernel draws from at random. Does not know the
//! delay.

use std::sync::OnceLock;

/// How many quantiles a table has; the kernel takes up to 16,384.
const ENTRIES: usize = 4096;

/// One standard deviation in a table (NETEM_DIST_SCALE).
const SCALE: f64 = 8192.0;

/// How a delay varies around its middle. Without one, all delays within the jitter are as likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Distribution {
    /// Gauss's bell.
    Normal,
    /// Pareto's, with the exponent 3: mostly a little early, and rarely very late.
    Pareto,
    /// A quarter of the first and three quarters of the second.
    ParetoNormal,
}

impl Distribution {
    /// Every one.
    pub const ALL: [Distribution; 3] = [Distribution::Normal, Distribution::Pareto, Distribution::ParetoNormal];

    /// What tc calls it.
    pub fn name(self) -> &'static str {
        match self {
            Distribution::Normal => "normal",
            Distribution::Pareto => "pareto",
            Distribution::ParetoNormal => "paretonormal",
        }
    }

    /// Its table: deviations from the middle, each as likely, the smallest first.
    pub fn table(self) -> &'static [i16] {
        static TABLES: [OnceLock<Vec<i16>>; 3] = [const { OnceLock::new() }; 3];
        TABLES[self as usize].get_or_init(|| scaled(&self.quantiles()))
    }

    fn quantiles(self) -> Vec<f64> {
        match self {
            Distribution::Normal => normal(),
            Distribution::Pareto => pareto(),
            Distribution::ParetoNormal => {
                normal().into_iter().zip(pareto()).map(|(normal, pareto)| 0.25 * normal + 0.75 * pareto).collect()
            }
        }
    }
}

/// The middle of each of the equal parts that 0 to 1 is cut into.
fn probabilities() -> impl Iterator<Item = f64> {
    (0..ENTRIES).map(|entry| (entry as f64 + 0.5) / ENTRIES as f64)
}

/// Standard normal quantiles, one after the other: each is found from the one before by Newton's method.
fn normal() -> Vec<f64> {
    // Where the first one lies, roughly: the rest of the way is Newton's.
    let mut x = -3.5;
    let mut next = |probability: f64| {
        for _ in 0..8 {
            x -= (cumulative(x) - probability) / density(x);
        }
        x
    };
    probabilities().map(&mut next).collect()
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// The cumulative normal distribution: 1/2 + density(x) * (x + x^3/3 + x^5/(3*5) + ...).
fn cumulative(x: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (x, 0.0, 1.0);
    while sum + term != sum {
        sum += term;
        odd += 2.0;
        term *= x * x / odd;
    }
    0.5 + density(x) * sum
}

/// Quantiles of Pareto's distribution with the exponent 3: (1 - p)^(-1/3), which has a mean of 3/2 and a variance of 3/4.
fn pareto() -> Vec<f64> {
    probabilities().map(|probability| ((1.0 - probability).powf(-1.0 / 3.0) - 1.5) / 0.75_f64.sqrt()).collect()
}

/// Moved to a mean of 0, stretched to a deviation of 1, and written as the kernel counts: what is further away than four
/// deviations, which it has no room for, counts as four.
fn scaled(quantiles: &[f64]) -> Vec<i16> {
    let count = quantiles.len() as f64;
    let mean = quantiles.iter().sum::<f64>() / count;
    let variance = quantiles.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    // A conversion from a float ends at the bounds of the integer.
    quantiles.iter().map(|x| ((x - mean) / variance.sqrt() * SCALE).round() as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(distribution: Distribution, probability: f64) -> f64 {
        f64::from(distribution.table()[(probability * ENTRIES as f64) as usize]) / SCALE
    }

    /// From any table of the normal distribution.
    #[test]
    fn the_bell_has_its_quantiles() {
        for (probability, quantile) in [(0.5, 0.0), (0.8413, 1.0), (0.9772, 2.0), (0.9987, 3.0), (0.025, -1.96)] {
            let found = at(Distribution::Normal, probability);
            assert!((found - quantile).abs() < 0.02, "{probability}: {found}, not {quantile}");
        }
        let table = Distribution::Normal.table();
        assert!(table.iter().zip(table.iter().rev()).all(|(a, b)| (a + b).abs() <= 1), "both sides are the same");
    }

    /// The median of Pareto's is the cube root of 2.
    #[test]
    fn pareto_is_early_often_and_late_rarely() {
        let median = at(Distribution::Pareto, 0.5);
        assert!((median - (2.0_f64.cbrt() - 1.5) / 0.75_f64.sqrt()).abs() < 0.02, "{median}");
        let early = Distribution::Pareto.table().iter().filter(|x| **x < 0).count();
        assert!(early > ENTRIES * 65 / 100, "{early}");
        assert_eq!(Distribution::Pareto.table().last(), Some(&i16::MAX), "the last is cut off");
    }

    #[test]
    fn every_table_rises_around_nothing_with_one_deviation() {
        for distribution in Distribution::ALL {
            let table = distribution.table();
            assert_eq!(table.len(), ENTRIES);
            assert!(table.is_sorted(), "{distribution:?}");
            let mean = table.iter().map(|x| f64::from(*x)).sum::<f64>() / ENTRIES as f64 / SCALE;
            let square = table.iter().map(|x| (f64::from(*x) / SCALE).powi(2)).sum::<f64>() / ENTRIES as f64;
            assert!(mean.abs() < 0.03 && (0.75..1.02).contains(&square.sqrt()), "{distribution:?}: {mean} {square}");
        }
    }
}
