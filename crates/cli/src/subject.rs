//! Which topology a verb is about: one in documents, or one that is up. Does not look at the kernel.

use std::path::PathBuf;

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
fn to_look_at(args: &Topology) -> Result<Subject, Failure> {
    match Subject::of(args) {
        Err(Failure::NoDocument { known }) if known.len() == 1 => Ok(Subject::Topology(known[0].clone())),
        subject => subject,
    }
}

/// What documents say, or what `up` wrote down of the topology named; and whether we have the rights to look.
pub(crate) fn desired(console: &Console, args: &Topology, rights: &[Capability]) -> Result<Desired, Failure> {
    match to_look_at(args)? {
        Subject::Topology(owner) => {
            capability::need(rights)?;
            let (record, Entry { desired: state, attached, .. }) = up(&owner)?;
            Ok(Desired { record, state, checks: attached.checks })
        }
        Subject::Documents(files) => {
            let lowered = document::load(console, &files)?;
            capability::need(rights)?;
            let record = Record::read(&lowered.owner)?;
            Ok(Desired { record, state: lowered.desired, checks: lowered.checks })
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

/// The only topology that is up and has a node of that name.
pub(crate) fn with_node(node: &Label) -> Result<Owner, Failure> {
    let known = Ledger::list()?;
    let mut nodes = Vec::new();
    let mut having = Vec::new();
    for owner in &known {
        let record = Record::read(owner)?;
        let Some(entry) = record.latest() else { continue };
        nodes.extend(entry.desired.namespaces.keys().cloned());
        if entry.desired.namespaces.contains_key(node) {
            having.push(owner.clone());
        }
    }
    match (having.len(), having.pop()) {
        (1, Some(owner)) => Ok(owner),
        (0, _) | (_, None) => Err(Failure::UnknownNode { node: node.to_string(), nodes }),
        (_, Some(last)) => {
            having.push(last);
            Err(Failure::Ambiguous { node: node.clone(), candidates: having })
        }
    }
}
