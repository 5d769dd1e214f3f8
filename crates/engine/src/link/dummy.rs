//! dummy: an interface that drops what is sent into it; a place for addresses.

use serde::{Deserialize, Serialize};

/// Like `ip link add NAME type dummy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dummy {}
