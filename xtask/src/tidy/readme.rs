//! What README tells people to type exists: xtask's verbs, wireloom's verbs, and the files that are named; and .ci/run
//! calls nothing that README does not. Deliberately reads only code blocks: prose may speak of what is to come.

use clap::CommandFactory;

use super::Source;
use crate::Args;

/// The findings about README.md and .ci/run.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let Some(readme) = sources.iter().find(|it| it.path == "README.md") else {
        return vec!["README.md is missing".to_owned()];
    };
    let commands = commands(&readme.text);
    let unknown = commands.iter().flat_map(|command| missing(command, sources));
    let unknown = unknown.map(|what| format!("README.md names {what}, which does not exist"));
    unknown.chain(ci_only(sources, &commands)).collect()
}

/// The lines of fenced code blocks, without prompts and comments.
fn commands(readme: &str) -> Vec<String> {
    let blocks = readme.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    let lines = lines.map(|line| line.trim_start_matches("$ ").trim_start_matches("# "));
    lines
        .map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned())
        .filter(|it| !it.is_empty())
        .collect()
}

/// What one command line names that is not there.
fn missing(command: &str, sources: &[Source]) -> Vec<String> {
    let words: Vec<_> = command.split_whitespace().collect();
    let files = words.iter().filter(|word| word.starts_with("examples/"));
    let absent = files.filter(|word| !sources.iter().any(|it| it.path == **word)).map(|word| (*word).to_owned());
    absent.chain(unknown_verb(&words, sources)).collect()
}

/// The verb of a command of ours, unless it exists: wireloom has one file per verb.
fn unknown_verb(words: &[&str], sources: &[Source]) -> Option<String> {
    if let ["cargo", "xtask", verb, ..] = words {
        let known = Args::command().get_subcommands().any(|it| it.get_name() == *verb);
        return (!known).then(|| format!("cargo xtask {verb}"));
    }
    let after = |word: &str| words.iter().position(|it| *it == word).and_then(|at| words.get(at + 1));
    let own_binary = words.first().is_some_and(|word| *word == "wireloom" || word.ends_with("/wireloom"));
    let cargo_run = words.starts_with(&["cargo", "run"]);
    let verb = if own_binary { words.get(1) } else { after("--").filter(|_| cargo_run) };
    let verb = verb.filter(|verb| verb.chars().all(|it| it.is_ascii_lowercase()))?;
    let is_file = |it: &Source| it.path.starts_with("crates/cli/src/") && it.path.ends_with(&format!("/{verb}.rs"));
    (!sources.iter().any(is_file)).then(|| format!("wireloom {verb}"))
}

/// Commands of .ci/run that README does not have.
fn ci_only(sources: &[Source], readme: &[String]) -> Vec<String> {
    let Some(ci) = sources.iter().find(|it| it.path == ".ci/run") else {
        return vec![".ci/run is missing".to_owned()];
    };
    let commands = ci.text.lines().map(|line| line.trim_start_matches("exec ")).filter(|it| it.starts_with("cargo "));
    let unknown = commands.filter(|line| !readme.iter().any(|command| command == line));
    unknown.map(|line| format!(".ci/run calls `{line}`, which README.md does not")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(block: &str) -> Vec<String> {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let readme = source("README.md", &format!("Prose: `cargo xtask nosuch`.\n```sh\n{block}\n```\n"));
        let ci = source(".ci/run", "#!/bin/bash\nset -eu\nexec cargo xtask test\n");
        check(&[readme, ci, source("crates/cli/src/up.rs", ""), source("examples/a.yaml", "")])
    }

    #[test]
    fn what_exists_is_no_finding() {
        let block =
            "cargo xtask test  # all tiers\ncargo run --release -- up examples/a.yaml\nsudo reboot\nwireloom up";
        assert_eq!(findings(block), [""; 0]);
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let block = "cargo xtask test\ncargo xtask fly\n$ wireloom fly examples/b.yaml\ncargo run -- land";
        let wrong = ["cargo xtask fly", "examples/b.yaml", "wireloom fly", "wireloom land"];
        assert_eq!(findings(block), wrong.map(|it| format!("README.md names {it}, which does not exist")));
    }

    #[test]
    fn ci_does_what_readme_says() {
        assert_eq!(findings("cargo xtask ci"), [".ci/run calls `cargo xtask test`, which README.md does not"]);
    }
}
