//! Which topology a verb is about: one in documents, or one that is up. Does not look at the kernel.

use std::{path::PathBuf, slice};

use wireloom_engine::{Label, Owner, State};
use wireloom_ledger::Ledger;
use wireloom_topology::Check;

use crate::{
    attached::Entry,
    capability::{self, Capability},
    console::Console,
    document,
    failure::Failure,
    options::Topology,
    place,
    record::Record,
};

/// What a verb is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// What these documents say.
    Documents(Vec<PathBuf>),
    /// What is up under this name.
    Topology(Owner),
}

impl Subject {
    /// What the user means.
    pub(crate) fn of(args: &Topology) -> Result<Subject, Failure> {
        if let Some(owner) = &args.topology {
            return Ok(Subject::Topology(owner.clone()));
        }
        match as_name(&args.files) {
            Some(owner) => Ok(Subject::Topology(owner)),
            None => document::find(&args.files).map(Subject::Documents),
        }
    }
}

/// Several arguments of which none is a file, and each could be a topology's name.
pub(crate) fn as_names(files: &[PathBuf]) -> Option<Vec<Owner>> {
    match files {
        [] | [_] => None,
        several => several.iter().map(|file| as_name(slice::from_ref(file))).collect(),
    }
}

/// A single argument that is no file, and could be a topology's name.
fn as_name(files: &[PathBuf]) -> Option<Owner> {
    match files {
        [only] if !document::exists(only) => only.to_str()?.parse().ok(),
        _ => None,
    }
}

/// What a verb that only looks compares with the kernel.
#[derive(Debug)]
pub(crate) struct Desired {
    pub(crate) record: Record,
    pub(crate) state: State,
    pub(crate) checks: Vec<Check>,
}

/// What the user means who only looks: where there is no document, the only topology that is up.
pub(crate) fn to_look_at(args: &Topology) -> Result<Subject, Failure> {
    match Subject::of(args) {
        Err(Failure::NoDocument { known }) if known.len() == 1 => Ok(Subject::Topology(known[0].clone())),
        subject => subject,
    }
}

/// What documents say, or what `up` wrote down of the topology named, with what was changed on top of it; and whether we have the rights to look.
pub(crate) fn desired(console: &Console, args: &Topology, rights: &[Capability]) -> Result<Desired, Failure> {
    match to_look_at(args)? {
        Subject::Topology(owner) => {
            capability::need(rights)?;
            let (record, Entry { desired, attached, .. }) = up(&owner)?;
            Ok(Desired { state: record.overlaid(&desired), record, checks: attached.checks })
        }
        Subject::Documents(files) => {
            let lowered = document::load_here(console, &files)?;
            capability::need(rights)?;
            let record = Record::read(&lowered.owner)?;
            Ok(Desired { state: record.overlaid(&lowered.desired), record, checks: lowered.checks })
        }
    }
}

/// The record of a topology that must be up, and its entry.
pub(crate) fn up(owner: &Owner) -> Result<(Record, Entry), Failure> {
    let record = Record::read(owner)?;
    match record.latest().cloned() {
        Some(entry) => Ok((record, entry)),
        None => Err(Failure::NotUp { name: owner.clone(), known: Ledger::list()? }),
    }
}

/// The node of that name, or the one whose namespace has that name.
pub(crate) fn node(state: &State, name: &str) -> Option<Label> {
    let named = |label: &&Label| label.as_str() == name;
    let of_namespace = || {
        let mut namespaces = state.namespaces.iter();
        namespaces.find(|(_, netns)| place::name(&netns.source) == Some(name)).map(|(label, _)| label)
    };
    state.namespaces.keys().find(named).or_else(of_namespace).cloned()
}

/// The node of that name, and the state that has it: of these documents, of that topology, or of the only one that is up
/// and has one.
pub(crate) fn of_node(
    console: &Console,
    files: &[PathBuf],
    topology: Option<&Owner>,
    name: &str,
) -> Result<(State, Label), Failure> {
    let owner = match (topology, files) {
        (Some(owner), _) => owner.clone(),
        (None, []) => return with_node(console, name),
        (None, files) => document::load(console, files)?.owner,
    };
    let state = up(&owner)?.1.desired;
    match node(&state, name) {
        Some(node) => Ok((state, node)),
        None => Err(Failure::UnknownNode {
            topology: Some(owner),
            node: name.to_owned(),
            elsewhere: having(console, name)?.into_iter().map(|(state, _)| state.owner).collect(),
            nodes: state.namespaces.into_keys().collect(),
        }),
    }
}

/// The topologies that are up and have a node of that name.
fn having(console: &Console, name: &str) -> Result<Vec<(State, Label)>, Failure> {
    Ok(among(states_up(console)?, name))
}

fn among(states: Vec<State>, name: &str) -> Vec<(State, Label)> {
    states.into_iter().filter_map(|state| node(&state, name).map(|node| (state, node))).collect()
}

/// A topology whose ledger cannot be read is no obstacle to the others.
fn states_up(console: &Console) -> Result<Vec<State>, Failure> {
    let mut states = Vec::new();
    for owner in Ledger::list()? {
        match Record::read(&owner) {
            Ok(record) => states.extend(record.latest().map(|entry| entry.desired.clone())),
            Err(failure) => console.warn(format_args!("{owner} is passed over: {failure}")),
        }
    }
    Ok(states)
}

/// The only topology that is up and has a node of that name, and the node.
fn with_node(console: &Console, name: &str) -> Result<(State, Label), Failure> {
    let states = states_up(console)?;
    let mut having = among(states.clone(), name);
    match (having.len(), having.pop()) {
        (1, Some(only)) => Ok(only),
        (0, _) | (_, None) => {
            let nodes = states.into_iter().flat_map(|state| state.namespaces.into_keys()).collect();
            Err(Failure::UnknownNode { topology: None, node: name.to_owned(), elsewhere: Vec::new(), nodes })
        }
        (_, Some(last)) => {
            having.push(last);
            let candidates = having.into_iter().map(|(state, _)| state.owner).collect();
            Err(Failure::Ambiguous { node: name.to_owned(), candidates })
        }
    }
}
