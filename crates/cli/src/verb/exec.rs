//! `wireloom exec`: becomes a program in a node, like `ip netns exec` with the names of the topology.

use std::path::PathBuf;

use wireloom_engine::Owner;
use wireloom_run::Program;

use super::Ending;
use crate::{
    capability::{self, SYS_ADMIN},
    console::Console,
    descriptors,
    failure::Failure,
    place,
    room::Within,
    subject,
};

/// Options of `exec`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A document of the topology; several are merged
    #[arg(short, long = "file", value_name = "FILE", env = "WIRELOOM_FILE", hide_env_values = true)]
    files: Vec<PathBuf>,
    /// The name of the topology. Needed when several that are up have a node of that name
    #[arg(short, long, value_name = "NAME", env = "WIRELOOM_TOPOLOGY", hide_env_values = true)]
    #[arg(conflicts_with = "files")]
    topology: Option<Owner>,
    /// The node, or the name of its namespace
    node: String,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    become_it(console, args).map_err(|cause| Failure::NotBecome(Box::new(cause)))
}

fn become_it(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let (desired, node) = subject::of_node(console, &args.files, args.topology.as_ref(), &args.node)?;
    let source = &desired.namespaces[&node].source;
    capability::need(&[SYS_ADMIN])?;
    let opened = source.open().map_err(|cause| Failure::NodeGone {
        topology: desired.owner.clone(),
        node: node.clone(),
        cause,
    })?;
    let (record, entry) = subject::up(&desired.owner)?;
    let within = Within::of(&record.ledger, &desired, &entry.attached.insides, &node)?;
    let program = Program { netns: &opened, name: place::name(source), argv: &args.command, inside: within.inside() };
    descriptors::lower();
    Err(Failure::Exec(wireloom_run::exec(program)))
}
