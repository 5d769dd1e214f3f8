//! `wireloom exec`: becomes a program in a node, like `ip netns exec` with the names of the topology.

use std::path::PathBuf;

use wireloom_engine::{Label, Owner, State};
use wireloom_ledger::Ledger;
use wireloom_run::Program;

use super::Ending;
use crate::{
    capability::{self, SYS_ADMIN},
    console::Console,
    document,
    failure::Failure,
    place,
    record::Record,
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
    /// The node
    node: Label,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let desired = desired(console, args)?;
    let Some(netns) = desired.namespaces.get(&args.node) else {
        let nodes = desired.namespaces.into_keys().collect();
        return Err(Failure::UnknownNode { node: args.node.to_string(), nodes });
    };
    capability::need(&[SYS_ADMIN])?;
    let opened = place::open(&netns.source).map_err(|cause| Failure::NodeGone {
        topology: desired.owner.clone(),
        node: args.node.clone(),
        cause,
    })?;
    let program = Program { netns: &opened, name: place::name(&netns.source), argv: &args.command };
    Err(Failure::Exec(wireloom_run::exec(program)))
}

/// The state that has the node.
fn desired(console: &Console, args: &Args) -> Result<State, Failure> {
    let owner = match (&args.topology, args.files.as_slice()) {
        (Some(owner), _) => owner.clone(),
        (None, []) => subject::with_node(&args.node)?,
        (None, files) => {
            let lowered = document::load(console, files)?;
            return Ok(match Record::read(&lowered.owner)?.latest() {
                Some(entry) => entry.desired.clone(),
                None => return Err(Failure::NotUp { name: lowered.owner, known: Ledger::list()? }),
            });
        }
    };
    subject::up(&owner).map(|(_, entry)| entry.desired)
}
