//! Scripts of impairments, from files. Does not play them.

use std::path::PathBuf;

use wireloom_engine::State;

use crate::{
    document::script::ScriptSpec, load::load, lower, lowered::Script, mistake::Mistakes, read::read,
    variables::Variables,
};

/// Reads a script that is to be played on a network.
///
/// # Errors
/// All mistakes, each with its place.
pub fn load_script(paths: &[PathBuf], variables: &Variables, state: &State) -> Result<Script, Mistakes> {
    let tree = load(paths, variables)?;
    let mut mistakes = Mistakes::new(tree.sources.clone());
    let spec = read::<ScriptSpec>(&tree, &mut mistakes).unwrap_or_default();
    let (script, found) = lower::script(&spec, state, &tree, std::mem::take(&mut mistakes.list));
    mistakes.list = found;
    tree.name_fields(&mut mistakes);
    mistakes.list.retain(|mistake| tree.mistakes.list.iter().all(|first| first.field != mistake.field));
    mistakes.list.extend_from_slice(&tree.mistakes.list);
    mistakes.sort();
    if mistakes.is_empty() { Ok(script) } else { Err(mistakes) }
}
