//! bridge: a switch of the kernel.

use serde::{Deserialize, Serialize};

/// A bridge, like `ip link add NAME type bridge [stp_state B] [ageing_time T]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Whether the spanning tree protocol runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stp: Option<bool>,
    /// How long an address that is not seen stays known, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ageing_s: Option<u32>,
}
