//! Checks: what must work, or must not.

use crate::{
    document::{
        keys::keys,
        text::{Text, Word},
        units::Timeout,
    },
    expand::Pattern,
};

keys! {
    /// One check: `ping`, `tcp` or `route`.
    pub(crate) struct CheckSpec {
        /// Whether packets come back.
        ping: PingSpec,
        /// Whether a connection can be made.
        tcp: TcpSpec,
        /// Whether a route is there.
        route: RouteSpec,
    }
}

keys! {
    /// Whether a route is there; it is waited for. Ranges in both ends: each with each, a node with itself left out.
    pub(crate) struct RouteSpec {
        /// The node whose routes are looked at.
        from: Word<Pattern>,
        /// A network, to which there must be a route of its own; or a node, `NODE:INTERFACE` or an address: then the route
        /// that packets to it take.
        to: Word<Pattern>,
        /// The next hop on each way that the route leads: a node, `NODE:INTERFACE`, or an address.
        via: Text<String>,
        /// How long to wait until it is so, like `60s`; 30 seconds without it.
        timeout: Word<Timeout>,
        /// Whether it must not be so.
        fails: bool,
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
