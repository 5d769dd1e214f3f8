//! What a namespace holds besides its links, one file each: how it is told apart, compared, written, read and shown. Does
//! not know what becomes of it in a plan.

mod neighbour;
mod nexthop;
mod route;
mod rule;

use std::{fmt, net::IpAddr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Result, Socket};

pub use self::{
    neighbour::{Entry, Neighbour},
    nexthop::{Nexthop, Way},
    route::{Encap, Hop, Lookup, Route, RouteKind, Seg6, Seg6Local},
    rule::{FwMark, Ports, Rule, RuleAction},
};
use crate::{IfName, Namespace, Origin};

/// An object of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// `ip neighbour`, `bridge fdb`
    Neighbour(Neighbour),
    /// `ip nexthop`
    Nexthop(Nexthop),
    /// `ip route`
    Route(Route),
    /// `ip rule`
    Rule(Rule),
}

/// What the kernel tells two objects of a namespace apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ObjectKey {
    /// The link, and what is told about.
    Neighbour(IfName, neighbour::Slot),
    /// Its number.
    Nexthop(u32),
    /// Table, destination and metric.
    Route(route::RouteKey),
    /// Whether it is for IPv6, and its priority.
    Rule(bool, u32),
}

impl Object {
    pub(crate) fn held(&self) -> &dyn Held {
        match self {
            Object::Neighbour(neighbour) => neighbour,
            Object::Nexthop(nexthop) => nexthop,
            Object::Route(route) => route,
            Object::Rule(rule) => rule,
        }
    }

    /// What it is called in words and in rows: `route`, `rule`, `neighbour`, `nexthop`.
    pub fn name(&self) -> &'static str {
        self.held().name()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held().fmt(f)
    }
}

/// All that `netns` holds.
pub(crate) fn all_of(netns: &Namespace) -> impl Iterator<Item = &dyn Held> {
    fn held<T: Held>(objects: &[T]) -> impl Iterator<Item = &dyn Held> {
        objects.iter().map(|object| object as &dyn Held)
    }
    let (first, last) = (held(&netns.neighbours).chain(held(&netns.nexthops)), held(&netns.rules));
    first.chain(held(&netns.routes)).chain(last)
}

/// The same, to change where they come from.
pub(crate) fn all_of_mut(netns: &mut Namespace) -> impl Iterator<Item = &mut dyn Held> {
    fn held<T: Held>(objects: &mut [T]) -> impl Iterator<Item = &mut dyn Held> {
        objects.iter_mut().map(|object| object as &mut dyn Held)
    }
    let (first, last) = (held(&mut netns.neighbours).chain(held(&mut netns.nexthops)), held(&mut netns.rules));
    first.chain(held(&mut netns.routes)).chain(last)
}

/// Which kinds of objects are looked for besides routes: a dump costs some 20 µs in each of a thousand namespaces, and few
/// have more than routes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kinds {
    neighbours: bool,
    nexthops: bool,
    rules: bool,
}

impl Kinds {
    /// Also those that `netns` has.
    pub(crate) fn include(&mut self, netns: &Namespace) {
        self.neighbours |= !netns.neighbours.is_empty();
        self.nexthops |= !netns.nexthops.is_empty();
        self.rules |= !netns.rules.is_empty();
    }
}

/// Reads them from the kernel.
pub(crate) fn read(
    socket: &mut Socket,
    netns: &mut Namespace,
    kinds: Kinds,
    ifname: &dyn Fn(u32) -> Option<IfName>,
) -> Result<()> {
    netns.routes = Route::dump(socket, ifname)?;
    if kinds.neighbours {
        netns.neighbours = Neighbour::dump(socket, ifname)?;
    }
    if kinds.nexthops {
        netns.nexthops = Nexthop::dump(socket, ifname)?;
    }
    if kinds.rules {
        netns.rules = Rule::dump(socket, ifname)?;
    }
    Ok(())
}

/// Says of each observed object whose it is. Our number on one says Wireloom, not which topology: in a namespace that we
/// share only a ledger can tell. Where there is no room for the number, it must tell everywhere.
pub(crate) fn tell_whose(netns: &mut Namespace, is_known: impl Fn(&ObjectKey) -> bool) {
    neighbour::know_the_kernels(netns);
    let own = netns.own;
    for object in all_of_mut(netns) {
        let origin = match (object.origin(), object.is_marked()) {
            (Origin::Ours, true) if !own && !is_known(&object.key()) => Origin::Others,
            (Origin::Others, false) if is_known(&object.key()) => Origin::Ours,
            (origin, _) => origin,
        };
        object.set_origin(origin);
    }
}

/// For making, and failing where something is there.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// What is asked of every kind of object. Displayed, it is what `ip` takes behind `add`.
pub(crate) trait Held: fmt::Display {
    /// What it is called.
    fn name(&self) -> &'static str;

    fn key(&self) -> ObjectKey;

    fn origin(&self) -> Origin;

    fn set_origin(&mut self, origin: Origin);

    /// Whether it has room for our number.
    fn is_marked(&self) -> bool {
        true
    }

    fn object(&self) -> Object;

    /// The links that it names, and that it goes with.
    fn devs(&self) -> Vec<IfName>;

    /// Whether the kernel drops it when the MAC of its link changes.
    fn goes_with_mac(&self) -> bool {
        false
    }

    /// The objects that it names, and that it goes with.
    fn needs(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    /// Whether others may name it.
    fn is_needed(&self) -> bool {
        false
    }

    /// The gateways whose links the kernel finds by itself.
    fn gateways(&self) -> Vec<IpAddr> {
        Vec::new()
    }

    /// Makes it; `index` knows every link that it names.
    fn add(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()>;

    /// Deletes it.
    fn del(&self, socket: &mut Socket, index: &dyn Fn(IfName) -> u32) -> Result<()>;

    /// What a refusal to make it means.
    fn hint(&self, errno: Errno) -> Option<&'static str>;

    /// What to do where somebody else's is in the way.
    fn remedy(&self) -> &'static str {
        "delete it first"
    }

    /// Whether `observed` does all that this one asks for.
    fn is_met_by(&self, observed: &Self) -> bool
    where
        Self: Sized;

    /// Those of a namespace.
    fn of(netns: &Namespace) -> &[Self]
    where
        Self: Sized;

    /// All that the kernel has.
    fn dump(socket: &mut Socket, ifname: &dyn Fn(u32) -> Option<IfName>) -> Result<Vec<Self>>
    where
        Self: Sized;
}
