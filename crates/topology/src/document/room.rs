//! What a node has beside its network: files and folders of its own, its host name, and the processes that run in it.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    document::{command::Line, keys::keys, text::Text},
    lowered::OnChange,
    read::{Items, Never, Shape},
    wrong::Wrong,
};

keys! {
    /// A file of a node.
    pub(crate) struct FileKeys {
        /// What is in it. Braces of `{n}` and the like are variables only where the node's name has a range.
        content: Text<String>,
        /// A file to take it from, counted from the folder of the document; it is read when `up` runs.
        from: Text<String>,
        /// Its mode in octal digits, `644` without it.
        mode: Text<Mode>,
        /// Whose it is: `USER` or `USER:GROUP`; root's without it.
        owner: Text<Owner>,
    }
}

keys! {
    /// A private folder of a node.
    pub(crate) struct FolderKeys {
        /// Where.
        path: Text<InsidePath>,
        /// Its mode in octal digits; without it, as the machine has that folder, or 755.
        mode: Text<Mode>,
        /// Whose it is: `USER` or `USER:GROUP`; without it, as the machine has that folder, or root's.
        owner: Text<Owner>,
    }
}

keys! {
    /// A process of a node.
    pub(crate) struct RunKeys {
        /// A text for the shell, or a list of words.
        command: Line,
        /// What happens to it when `up` changes a file of its node.
        on_change: OnChange,
    }
}

/// The content of a file, or a mapping.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct FileSpec(pub(crate) Shape<Text<String>, Never, FileKeys>);

/// A folder, or a mapping.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct FolderSpec(pub(crate) Shape<Text<InsidePath>, Never, FolderKeys>);

/// A process: a text for the shell, a list of words, or a mapping.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RunSpec(pub(crate) Shape<Text<String>, Items<Text<String>>, RunKeys>);

/// A place in a node, from the root, in its shortest spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InsidePath(pub(crate) String);

/// What no node can have of its own: the kernel's.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

impl FromStr for InsidePath {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if !text.starts_with('/') {
            return Err(Wrong::new(
                format!("`{text}` is not an absolute path"),
                "begin it with `/`, like /etc/frr/frr.conf",
            ));
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let path = format!("/{}", parts.join("/"));
        let is_dotted = parts.iter().any(|part| matches!(*part, "." | ".."));
        if is_dotted
            || text.len() > 4000
            || parts.iter().any(|part| part.len() > 255)
            || text.contains(char::is_control)
        {
            let help = "write it without `.`, `..` and control characters, each name with at most 255 bytes";
            return Err(Wrong::new(format!("`{text}` is not a path that a node can have"), help));
        }
        let is_kernel = KERNEL.iter().any(|kernel| path == *kernel || path.starts_with(&format!("{kernel}/")));
        if parts.is_empty() || is_kernel || path == "/run/.wireloom" || path.starts_with("/run/.wireloom/") {
            let help = "a node can have folders and files of its own everywhere but in /, /proc, /sys, /dev and /run/.wireloom";
            return Err(Wrong::new(format!("`{path}` cannot be a node's own"), help));
        }
        Ok(InsidePath(path))
    }
}

impl fmt::Display for InsidePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Permissions in octal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

impl FromStr for Mode {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777 && digits.len() >= 3);
        let help = "write three or four octal digits, like 644 or 0750";
        mode.map(Mode).ok_or_else(|| Wrong::new(format!("`{text}` is not a mode"), help))
    }
}

/// A user, and perhaps a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner(pub(crate) String);

impl FromStr for Owner {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let is_name =
            |name: &str| !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control());
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        if is_name(user) && group.is_none_or(is_name) {
            return Ok(Owner(text.to_owned()));
        }
        Err(Wrong::new(format!("`{text}` names no owner"), "write USER or USER:GROUP, like frr:frr"))
    }
}

/// The name that a node calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName(pub(crate) String);

impl FromStr for HostName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let is_label = |label: &str| {
            let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        };
        if text.len() <= 64 && text.split('.').all(is_label) {
            return Ok(HostName(text.to_owned()));
        }
        let help = "write at most 64 letters, digits, `-` and `.`, like r1 or r1.example.net";
        Err(Wrong::new(format!("`{text}` is not a host name"), help))
    }
}
