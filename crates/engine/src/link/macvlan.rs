//! macvlan: a further MAC address on a parent interface.

use serde::{Deserialize, Serialize};

use crate::LinkRef;

/// Like `ip link add NAME link PARENT type macvlan mode MODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Macvlan {
    /// The interface below; it may lie in another namespace. Absent in an observed state where it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<LinkRef>,
    /// Who may talk to whom.
    #[serde(default)]
    pub mode: MacvlanMode,
}

/// MACVLAN_MODE_* of linux/if_link.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacvlanMode {
    /// Siblings talk directly.
    #[default]
    Bridge,
    /// Siblings do not talk.
    Private,
    /// Siblings talk by way of the switch outside.
    Vepa,
    /// The parent's traffic is handed over whole.
    Passthru,
}
