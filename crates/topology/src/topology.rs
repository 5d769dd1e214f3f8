//! The way from files to what the engine takes. Does not know the steps from inside.

use std::path::{Path, PathBuf};

use wireloom_engine::{NameError, Owner, State};

use crate::{
    document::{Document, keys::LATER},
    load::load,
    lower,
    lowered::Lowered,
    mistake::{Mistake, Mistakes},
    read::read_without,
    source::Span,
    tree::Tree,
    variables::Variables,
};

/// Reads documents and lowers them. What comes back otherwise are the mistakes of all steps that could run.
pub fn load_and_lower(paths: &[PathBuf], variables: &Variables) -> Result<Lowered, Mistakes> {
    load_and_lower_on(paths, variables, &|_| None)
}

/// The same on a machine: `look` is asked what is in the namespaces that exist and hold what links of the document stand on,
/// for the MTU that fits there. Without an answer that is taken to be 1500.
pub fn load_and_lower_on(
    paths: &[PathBuf],
    variables: &Variables,
    look: &dyn Fn(&State) -> Option<State>,
) -> Result<Lowered, Mistakes> {
    let (tree, name) = (load(paths, variables)?, usual_name(paths));
    let lowered = lower_tree(&tree, &name)?;
    let found = if lowered.below.namespaces.is_empty() { None } else { look(&lowered.below) };
    match found {
        Some(found) => lower_tree_on(&tree, &name, &found),
        None => Ok(lowered),
    }
}

/// Lowers a tree. `name` is the topology's where the document does not say it.
pub fn lower_tree(tree: &Tree, name: &str) -> Result<Lowered, Mistakes> {
    lower_tree_on(tree, name, &State::empty("none".parse().expect("a valid name")))
}

fn lower_tree_on(tree: &Tree, name: &str, found: &State) -> Result<Lowered, Mistakes> {
    let mut mistakes = Mistakes::new(tree.sources.clone());
    let document = read_without::<Document>(&LATER, tree, &mut mistakes).unwrap_or_default();
    let owner = owner(&document, name, tree.root.span, &mut mistakes.list);
    let (mut lowered, found) = lower::lower(&document, owner, tree, found, std::mem::take(&mut mistakes.list));
    mistakes.list = found;
    tree.name_fields(&mut mistakes);
    // A text that could not be interpolated is wrong once.
    mistakes.list.retain(|mistake| tree.mistakes.list.iter().all(|first| first.field != mistake.field));
    mistakes.list.extend_from_slice(&tree.mistakes.list);
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(mistakes);
    }
    lowered.warnings = tree.warnings.clone();
    Ok(lowered)
}

fn owner(document: &Document, usual: &str, top: Span, mistakes: &mut Vec<Mistake>) -> Owner {
    let (name, span) = match document.name.spanned() {
        Some(name) => (Ok::<Owner, NameError>(name.value.0.clone()), name.span),
        None => (usual.parse(), top),
    };
    let fits = |owner: &Owner| owner.hub().len() <= 63;
    match name {
        Ok(owner) if fits(&owner) => return owner,
        Ok(owner) => {
            let message = format!("the topology name `{owner}` is too long");
            mistakes.push(Mistake::at(span, message, "write at most 54 characters"));
        }
        // A name that the document says has been refused when it was read.
        Err(error) if document.name.is_absent() => {
            mistakes.push(Mistake::at(span, error.to_string(), "add `name: NAME` at the top of the document"));
        }
        Err(_) => {}
    }
    "wireloom".parse().expect("a valid name")
}

/// The name of a topology that does not say it: that of its file, or of the folder where the file's name says nothing.
fn usual_name(paths: &[PathBuf]) -> String {
    let first = paths.first().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let first = Path::new(first.split(':').next().unwrap_or_default());
    let stem = first.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let general = ["wireloom", "compose", "docker-compose", "podman-compose", "container-compose"];
    let name = if general.contains(&stem.as_str()) || stem == "-" { folder(first) } else { Some(stem) };
    plain(&name.unwrap_or_default())
}

fn folder(file: &Path) -> Option<String> {
    let folder = std::path::absolute(file).ok()?.parent()?.file_name()?.to_string_lossy().into_owned();
    Some(folder)
}

/// Only the characters that a name may have.
fn plain(text: &str) -> String {
    let mapped: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let name = mapped.trim_matches(['-', '_']);
    if name.is_empty() { "wireloom".into() } else { name.chars().take(54).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topology_is_called_like_its_file_or_folder() {
        for (path, name) in [
            ("examples/triangle.yaml", "triangle"),
            ("my lab.v2.yaml:other.yaml", "my-lab-v2"),
            ("/srv/lab/compose.yaml", "lab"),
            ("/srv/lab/wireloom.yaml", "lab"),
            ("/.yaml", "yaml"),
        ] {
            assert_eq!(usual_name(&[path.into()]), name, "{path}");
        }
    }
}
