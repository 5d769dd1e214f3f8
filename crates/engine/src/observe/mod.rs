//! observe(): what networking is, read whole from the kernel. Does not know what is wanted, only where to look.

mod firewall;
#[cfg(fuzzing)]
pub mod fuzzing;
mod link;
mod namespace;
mod scope;

use std::{collections::BTreeMap, num::NonZero, thread};

use self::namespace::Raw;
pub(crate) use self::namespace::open;
pub use self::scope::Scope;
use crate::{Error, Label, Namespace, State};

/// Reads the namespaces of `scope`. Those that do not exist are absent from the answer.
///
/// # Errors
/// Anything that could not be read whole: a partial state would be planned upon.
pub fn observe(scope: &Scope) -> Result<State, Error> {
    let labels: Vec<&Label> = scope.places.keys().collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(labels.len().div_ceil(64)).max(1);
    let chunk = labels.len().div_ceil(threads).max(1);
    let read = |labels: &[&Label]| -> Result<Vec<Raw>, Error> {
        labels.iter().filter_map(|label| Raw::read(scope, label).transpose()).collect()
    };
    let parts: Vec<Result<Vec<Raw>, Error>> = thread::scope(|threads| {
        let running: Vec<_> = labels.chunks(chunk).map(|labels| threads.spawn(move || read(labels))).collect();
        running.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let raws = parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    Ok(State { owner: scope.owner.clone(), namespaces: resolve(scope, raws) })
}

/// The second pass: links name other links by number only, which takes all namespaces to understand.
fn resolve(scope: &Scope, raws: Vec<Raw>) -> BTreeMap<Label, Namespace> {
    let index = link::Index::of(&raws);
    let kinds: Vec<Vec<_>> = raws.iter().map(|raw| raw.links.iter().map(|l| index.kind(raw, l)).collect()).collect();
    drop(index);
    let finish = |(raw, kinds): (Raw, Vec<_>)| (raw.label.clone(), raw.finish(scope, kinds));
    raws.into_iter().zip(kinds).map(finish).collect()
}
