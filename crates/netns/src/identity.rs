//! Which namespace a namespace is. Does not know where it is or what it is called.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::error::errno_of;
use crate::{Error, Result};

/// Identifies a namespace for ever: the kernel never gives a cookie twice between two boots, while inodes, names and
/// process numbers are reused at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NetnsId {
    /// The boot in which the namespace was made.
    pub boot_id: String,
    /// The kernel's number of the namespace in that boot.
    pub cookie: u64,
}

impl fmt::Display for NetnsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.boot_id, self.cookie)
    }
}

/// This boot. Read once: it cannot change while we run.
pub(crate) fn boot_id() -> Result<&'static str> {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    if let Some(boot_id) = BOOT_ID.get() {
        return Ok(boot_id);
    }
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_err(|e| Error::Identify { what: "the boot id", errno: errno_of(&e) })?;
    Ok(BOOT_ID.get_or_init(|| text.trim().to_owned()))
}
