//! Checks: what must work, or must not.

use crate::{
    document::{keys::keys, text::Word, units::Timeout},
    expand::Pattern,
};

keys! {
    /// One check: `ping` or `tcp`.
    pub(crate) struct CheckSpec {
        /// Whether packets come back.
        ping: PingSpec,
        /// Whether a connection can be made.
        tcp: TcpSpec,
    }
}

keys! {
    /// Whether packets come back. Ranges in both ends: each with each, a node with itself left out.
    pub(crate) struct PingSpec {
        /// The node that asks.
        from: Word<Pattern>,
        /// A node, `NODE:INTERFACE`, or an address. `{a}` is the number of `from`, `{b}` of `to`.
        to: Word<Pattern>,
        /// How many packets, 1 without it.
        count: u32,
        /// How long to wait for an answer, like `500ms`; 2 seconds without it.
        timeout: Word<Timeout>,
        /// Whether it must not work.
        fails: bool,
    }
}

keys! {
    /// Whether a connection can be made.
    pub(crate) struct TcpSpec {
        /// The node that connects.
        from: Word<Pattern>,
        /// `NODE:PORT`, `NODE:INTERFACE:PORT`, `10.0.0.1:80` or `[2001:db8::1]:80`.
        to: Word<Pattern>,
        /// How long to wait, like `500ms`; 2 seconds without it.
        timeout: Word<Timeout>,
        /// Whether it must not work.
        fails: bool,
    }
}
