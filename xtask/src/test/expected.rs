//! Which skips are fine: those that xtask/expected-skips.txt lists, by tier and feature. Any other is a failure.
//! Deliberately does not mind an expected skip that did not happen: a richer kernel runs more.

use super::{Skip, Tally, Tier};
use crate::talk::complain;

/// `TIER FEATURE` a line, `#` starts a comment.
const LIST: &str = include_str!("../../expected-skips.txt");

/// The tally with every unexpected skip counted as a failure, and said.
pub(crate) fn judged(tier: Tier, tally: Tally) -> Tally {
    let (tally, red) = judge(LIST, tier.name(), tally);
    for Skip { feature, test } in red {
        complain!("{}: {test} skipped for want of {feature}, which expected-skips.txt does not list", tier.name());
    }
    tally
}

/// [`judged`] by a given list, with the unexpected ones.
fn judge(list: &str, tier: &str, mut tally: Tally) -> (Tally, Vec<Skip>) {
    let (fine, red): (Vec<_>, Vec<_>) = tally.skips.into_iter().partition(|skip| is_expected(list, tier, skip));
    tally.failed += red.len();
    tally.skips = fine;
    (tally, red)
}

/// Whether a line of the list names the skip's tier and feature.
fn is_expected(list: &str, tier: &str, skip: &Skip) -> bool {
    let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|line| line == [tier, &skip.feature])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listed_skip_of_the_same_tier_is_fine() {
        let skip = |feature: &str| Skip { feature: feature.into(), test: "t".into() };
        let tally = Tally { passed: 5, failed: 0, skips: vec![skip("vlan"), skip("netem")] };
        let (judged, red) = judge("# kernel\nnetns vlan # guest has it\nguest netem\n", "netns", tally);
        assert_eq!(judged, Tally { passed: 5, failed: 1, skips: vec![skip("vlan")] });
        assert_eq!(red, [skip("netem")]);
    }
}
