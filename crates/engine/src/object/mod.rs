//! What a namespace holds besides its links, one file each: how it is told apart, compared, written, read and shown. Does
//! not know what becomes of it in a plan.

mod route;

use std::fmt;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use wireloom_netlink::{Result, Socket};

pub use self::route::{Hop, Route, RouteKind};
use crate::{IfName, Namespace, Origin};

/// An object of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// `ip route`
    Route(Route),
}

/// What the kernel tells two objects of a namespace apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ObjectKey {
    /// Table, destination and metric.
    Route(route::RouteKey),
}

impl Object {
    pub(crate) fn held(&self) -> &dyn Held {
        match self {
            Object::Route(route) => route,
        }
    }

    /// What it is called in words and in rows: `route`.
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
    netns.routes.iter().map(|route| route as &dyn Held)
}

/// The same, to change where they come from.
pub(crate) fn all_of_mut(netns: &mut Namespace) -> impl Iterator<Item = &mut dyn Held> {
    netns.routes.iter_mut().map(|route| route as &mut dyn Held)
}

/// Reads them from the kernel.
pub(crate) fn read(socket: &mut Socket, netns: &mut Namespace, ifname: &dyn Fn(u32) -> Option<IfName>) -> Result<()> {
    netns.routes = Route::dump(socket, ifname)?;
    Ok(())
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

    fn object(&self) -> Object;

    /// The links that it names.
    fn devs(&self) -> Vec<IfName>;

    /// The gateways whose links the kernel finds by itself.
    fn gateways(&self) -> Vec<std::net::IpAddr> {
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
