//! Dependencies between our crates point down only. This table is the design; a crate that is not in it is a finding.
//! Deliberately says nothing about crates of others: deny.toml does.

use crate::workspace::Package;

/// From the bottom up: each crate, and which of ours its code may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("wireloom-netns", &[]),
    ("wireloom-netlink", &["wireloom-netns"]),
    ("wireloom-capture", &["wireloom-netns", "wireloom-netlink"]),
    ("wireloom-nft", &["wireloom-netns", "wireloom-netlink"]),
    ("wireloom-engine", &["wireloom-netns", "wireloom-netlink", "wireloom-nft"]),
    ("wireloom-ledger", &["wireloom-netns", "wireloom-engine"]),
    ("wireloom-topology", &["wireloom-engine"]),
    // Its code knows no document; its tests draw some.
    ("wireloom-graph", &["wireloom-engine", "wireloom-topology"]),
    ("wireloom-run", &["wireloom-netns", "wireloom-netlink", "wireloom-engine"]),
    (
        "wireloom-cli",
        &[
            "wireloom-netns",
            "wireloom-netlink",
            "wireloom-nft",
            "wireloom-engine",
            "wireloom-ledger",
            "wireloom-topology",
            "wireloom-run",
            "wireloom-capture",
            "wireloom-graph",
        ],
    ),
    ("wireloom-testkit", &[]),
    // The generated files (schema, completions) and the benchmark's bare loop come from these.
    ("xtask", &["wireloom-netns", "wireloom-netlink", "wireloom-topology", "wireloom-cli"]),
];

/// Only tests see this one, and everyone's tests may.
const TESTKIT: &str = "wireloom-testkit";

/// Every arrow that the table does not have.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(check_one).collect()
}

/// The findings about one crate.
fn check_one(package: &Package) -> Vec<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!("{} is not in the table of xtask/src/tidy/arrows.rs", package.name)];
    };
    let wrong = package.siblings.iter().filter(|it| !(it.dev && it.name == TESTKIT || allowed.contains(&&*it.name)));
    wrong.map(|it| format!("{} must not depend on {}", package.name, it.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Sibling;

    fn findings(name: &str, sibling: &str, dev: bool) -> usize {
        let siblings = vec![Sibling { name: sibling.into(), dev }];
        check(&[Package { name: name.into(), siblings }]).len()
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(findings("wireloom-engine", "wireloom-netlink", false), 0);
        assert_eq!(findings("wireloom-netlink", "wireloom-engine", false), 1);
        assert_eq!(findings("wireloom-netlink", "wireloom-engine", true), 1);
        assert_eq!(findings("wireloom-new", "wireloom-engine", false), 1);
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        assert_eq!(findings("wireloom-netns", TESTKIT, true), 0);
        assert_eq!(findings("wireloom-cli", TESTKIT, false), 1);
    }

    #[test]
    fn the_table_itself_points_down() {
        let position = |name: &str| ALLOWED.iter().position(|(it, _)| *it == name);
        for (upper, lower) in ALLOWED.iter().flat_map(|(upper, all)| all.iter().map(move |lower| (upper, lower))) {
            assert!(position(lower) < position(upper), "{upper} may use {lower}, which is not below it");
        }
    }
}
