//! Where things are, as cargo says it: root, target directory (CARGO_TARGET_DIR is honoured), packages and what they
//! depend on. Deliberately does not know what any of it should be like.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Error;
use crate::program::{cargo, read_json};

/// The workspace that xtask was compiled in.
pub(crate) struct Workspace {
    /// The folder with the root Cargo.toml.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds, and xtask what it fetches.
    pub(crate) target: PathBuf,
    /// The members, by name.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
pub(crate) struct Package {
    /// The name in its Cargo.toml.
    pub(crate) name: String,
    /// Dependencies on other members.
    pub(crate) siblings: Vec<Sibling>,
}

/// A dependency on another member.
pub(crate) struct Sibling {
    /// The member's name.
    pub(crate) name: String,
    /// Whether only tests see it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self, Error> {
        // Compiled in, not the working directory: `cargo xtask` works from any folder of the workspace.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace");
        let mut command = cargo();
        let metadata = read_json(command.args(["metadata", "--format-version=1", "--no-deps"]).current_dir(root))?;
        Ok(Self {
            root: root.to_owned(),
            target: text(&metadata["target_directory"]).into(),
            packages: list(&metadata["packages"]).map(Package::from_metadata).collect(),
        })
    }
}

impl Package {
    /// One element of `packages`.
    fn from_metadata(package: &Value) -> Self {
        let siblings = list(&package["dependencies"]).filter(|dependency| dependency["path"].is_string());
        Self {
            name: text(&package["name"]),
            siblings: siblings.map(|it| Sibling { name: text(&it["name"]), dev: it["kind"] == "dev" }).collect(),
        }
    }
}

/// The items of a JSON list; none of anything else.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A JSON string; empty of anything else.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
