//! What can be written on the command line, as far as it is the same for all verbs. Every option has a twin in the
//! environment, but for those that destroy. Does not know what the verbs do.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use wireloom_engine::Owner;

use crate::verb::Verb;

/// Over the options that every verb has: its own come first.
const EVERYWHERE: &str = "Options of all verbs";

/// Declarative low-level networking: makes the kernel match a document.
#[derive(Debug, Parser)]
#[command(name = "wireloom", version, max_term_width = 110)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) general: General,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Args)]
pub(crate) struct General {
    /// How to write the answer
    #[arg(short, long, global = true, value_enum, default_value_t, env = "WIRELOOM_OUTPUT", hide_env_values = true)]
    #[arg(help_heading = EVERYWHERE)]
    pub(crate) output: Format,
    /// When to use colours; `auto` means on a terminal, and not with NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t, env = "WIRELOOM_COLOR", hide_env_values = true)]
    #[arg(help_heading = EVERYWHERE)]
    pub(crate) color: When,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; its shape is stable
    Json,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    #[default]
    Auto,
    /// Whatever there is
    Always,
    /// Not at all
    Never,
}

/// The documents of a verb that reads some.
#[derive(Debug, Args)]
pub(crate) struct Documents {
    /// Documents, merged in this order; `-` is stdin. Without any: wireloom.yaml, compose.yaml or docker-compose.yaml
    /// of this folder
    #[arg(value_name = "FILE", env = "WIRELOOM_FILE", hide_env_values = true)]
    pub(crate) files: Vec<PathBuf>,
}

/// The topology of a verb that also finds one that is up.
#[derive(Debug, Args)]
pub(crate) struct Topology {
    /// Documents, merged in this order, or the name of a topology that is up. Without any: wireloom.yaml, compose.yaml
    /// or docker-compose.yaml of this folder
    #[arg(value_name = "FILE|NAME", env = "WIRELOOM_FILE", hide_env_values = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The name of a topology that is up
    #[arg(short, long, value_name = "NAME", env = "WIRELOOM_TOPOLOGY", hide_env_values = true)]
    #[arg(conflicts_with = "files")]
    pub(crate) topology: Option<Owner>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_contradiction() {
        Options::command().debug_assert();
    }

    /// Those that must be meant: a variable that somebody has exported long ago must not take everything away.
    const WITHOUT_TWIN: [(&str, &str); 2] = [("down", "all"), ("audit", "fix")];

    #[test]
    fn every_option_has_a_twin_in_the_environment_and_a_help_text() {
        for verb in Options::command().get_subcommands() {
            let own = |arg: &&clap::Arg| !matches!(arg.get_id().as_str(), "help" | "version");
            for arg in verb.get_arguments().chain(Options::command().get_arguments()).filter(own) {
                let (verb, id) = (verb.get_name(), arg.get_id().as_str());
                assert!(arg.get_help().is_some(), "{id} of {verb}");
                let twin = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                match WITHOUT_TWIN.contains(&(verb, id)) {
                    true => assert!(twin.is_empty(), "--{id} of {verb}"),
                    false => assert!(arg.is_positional() || twin.starts_with("WIRELOOM_"), "--{id} of {verb}"),
                }
            }
        }
    }

    #[test]
    fn every_verb_shows_how_it_is_used() {
        for verb in Options::command().get_subcommands() {
            let examples = verb.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains(&format!("  wireloom {}", verb.get_name())), "{}", verb.get_name());
        }
    }
}
