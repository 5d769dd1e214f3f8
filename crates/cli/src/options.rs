//! What can be written on the command line, as far as it is the same for all verbs. Every option has a twin in the
//! environment. Does not know what the verbs do.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use wireloom_engine::Owner;

use crate::verb::Verb;

/// Declarative low-level networking: makes the kernel match a document.
#[derive(Debug, Parser)]
#[command(name = "wireloom", version, disable_help_subcommand = true, max_term_width = 110)]
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
    pub(crate) output: Format,
    /// When to use colours; `auto` means on a terminal, and not with NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t, env = "WIRELOOM_COLOR", hide_env_values = true)]
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

    #[test]
    fn every_option_has_a_twin_in_the_environment_and_a_help_text() {
        fn look(command: &clap::Command) {
            let own = |arg: &&clap::Arg| !matches!(arg.get_id().as_str(), "help" | "version");
            for arg in command.get_arguments().filter(own) {
                assert!(arg.get_help().is_some(), "{} of {}", arg.get_id(), command.get_name());
                if arg.is_positional() {
                    continue;
                }
                let twin = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert!(twin.starts_with("WIRELOOM_"), "--{} of {}", arg.get_id(), command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Options::command());
    }
}
