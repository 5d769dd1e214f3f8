//! Two invariants of ARCHITECTURE.md: the engine's plan does no I/O and sees no clock, and the engine reads no file but
//! those of /proc/sys. Looks at the names that the code uses; deliberately does not resolve them.

use super::Source;

/// The engine's decisions.
const PLAN: &str = "crates/engine/src/plan/";

/// What a decision may not ask.
const OUTSIDE: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::time",
    "std::thread",
    "std::process",
    "std::net::Tcp",
    "wireloom_netlink",
    "wireloom_netns::Netns",
];

/// The engine.
const ENGINE: &str = "crates/engine/src/";

/// Settings are files, and a stale name is one too.
const FILES: [&str; 2] = ["crates/engine/src/sysctl.rs", "crates/engine/src/apply/namespace.rs"];

/// One finding for each use.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let plan = sources.iter().filter(|source| source.path.starts_with(PLAN));
    let impure = plan.flat_map(|source| uses(source, &OUTSIDE, "plan() does no I/O and sees no clock"));
    let engine =
        sources.iter().filter(|source| source.path.starts_with(ENGINE) && !FILES.contains(&source.path.as_str()));
    let files =
        engine.flat_map(|source| uses(source, &["std::fs", "fs::", "File::"], "the engine reads no file of its own"));
    impure.chain(files).collect()
}

fn uses<'a>(source: &'a Source, names: &'a [&str], rule: &'a str) -> impl Iterator<Item = String> + 'a {
    let code = source.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(move |(number, line)| {
        let used = names.iter().filter(move |name| line.contains(**name));
        used.map(move |name| format!("{}:{}: `{name}`: {rule}", source.path, number + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_clock_in_the_plan_is_found_and_a_comment_is_not() {
        let sources = [
            source("crates/engine/src/plan/link.rs", "// std::time\nuse std::time::Instant;\n"),
            source("crates/engine/src/converge.rs", "use std::time::Instant;\n"),
        ];
        assert_eq!(check(&sources).len(), 1);
    }

    #[test]
    fn a_file_in_the_engine_is_found_but_not_where_settings_are() {
        let text = "let text = fs::read_to_string(path);\n";
        let sources = [source("crates/engine/src/observe/mod.rs", text), source("crates/engine/src/sysctl.rs", text)];
        assert_eq!(check(&sources).len(), 1);
    }
}
