//! What can go wrong when looking at the kernel or changing it.

use std::io;

use nix::errno::Errno;
use thiserror::Error;

use crate::{Label, LinkRef};

/// An operation on the kernel that failed.
#[derive(Debug, Error)]
pub enum Error {
    /// A namespace could not be opened, made or dropped.
    #[error("namespace {netns}: {source}")]
    Netns {
        /// Which.
        netns: Label,
        /// Why, in one piece: its text holds the cause.
        #[source]
        source: wireloom_netns::Error,
    },
    /// A request was refused, or an answer could not be read.
    #[error("in {netns}: {}{}", source, hint.map(|h| format!("; {h}")).unwrap_or_default())]
    Netlink {
        /// Where.
        netns: Label,
        /// The kernel's answer.
        source: wireloom_netlink::Error,
        /// What it means, where the kernel's words do not say.
        hint: Option<&'static str>,
    },
    /// The kernel lacks what was asked for.
    #[error("this kernel has no {feature}{}", since.map(|s| format!(" ({s})")).unwrap_or_default())]
    NotSupported {
        /// The kind of link or qdisc.
        feature: String,
        /// What has it.
        since: Option<&'static str>,
    },
    /// A setting could not be read or written.
    #[error("sysctl {key} in {netns}: {source}")]
    Sysctl {
        /// Where.
        netns: Label,
        /// Which.
        key: String,
        /// Why.
        source: io::Error,
    },
    /// A setting that is not one of a network namespace.
    #[error("sysctl {key} in {netns} does not belong to a network namespace; those begin with net.")]
    SysctlName {
        /// Where.
        netns: Label,
        /// Which.
        key: String,
    },
    /// A link that a step needs is not there.
    #[error("link {at} is not there")]
    UnknownLink {
        /// Which.
        at: LinkRef,
    },
    /// What was there before could not be written down, so it was not changed.
    #[error("write down what was there before: {0}")]
    Journal(io::Error),
}

/// What a front end does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What was asked for cannot be.
    Invalid,
    /// Something is missing.
    NotFound,
    /// Something of others is in the way.
    Exists,
    /// Somebody holds it.
    Busy,
    /// We may not.
    Permission,
    /// The kernel cannot.
    NotSupported,
    /// We were told to stop.
    Interrupted,
    /// Our own fault.
    Bug,
}

impl Kind {
    /// Every kind, for tables that must be total.
    pub const ALL: [Kind; 8] = [
        Kind::Invalid,
        Kind::NotFound,
        Kind::Exists,
        Kind::Busy,
        Kind::Permission,
        Kind::NotSupported,
        Kind::Interrupted,
        Kind::Bug,
    ];

    fn of(errno: Option<Errno>) -> Kind {
        match errno {
            Some(Errno::EPERM | Errno::EACCES) => Kind::Permission,
            Some(Errno::ENOENT | Errno::ENODEV | Errno::ESRCH | Errno::EADDRNOTAVAIL) => Kind::NotFound,
            Some(Errno::EEXIST | Errno::EADDRINUSE) => Kind::Exists,
            Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOSPC) => Kind::Busy,
            Some(Errno::EBUSY | Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM | Errno::EXFULL) => Kind::Busy,
            Some(Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => Kind::NotSupported,
            Some(Errno::EINTR) => Kind::Interrupted,
            Some(_) => Kind::Invalid,
            None => Kind::Bug,
        }
    }
}

impl Error {
    /// What a front end does about it.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Netns { source, .. } => Kind::of(source.errno()),
            Error::Netlink { source, .. } => Kind::of(source.errno()),
            Error::NotSupported { .. } => Kind::NotSupported,
            Error::Sysctl { source, .. } | Error::Journal(source) => {
                Kind::of(source.raw_os_error().map(Errno::from_raw))
            }
            Error::SysctlName { .. } => Kind::Invalid,
            Error::UnknownLink { .. } => Kind::NotFound,
        }
    }

    /// The namespace that it is about, where it is about one.
    pub fn place(&self) -> Option<&Label> {
        match self {
            Error::Netns { netns, .. }
            | Error::Netlink { netns, .. }
            | Error::Sysctl { netns, .. }
            | Error::SysctlName { netns, .. } => Some(netns),
            Error::UnknownLink { at } => Some(&at.netns),
            _ => None,
        }
    }

    pub(crate) fn netns(netns: &Label) -> impl FnOnce(wireloom_netns::Error) -> Error + use<> {
        let netns = netns.clone();
        move |source| Error::Netns { netns, source }
    }

    pub(crate) fn netlink(netns: &Label) -> impl FnOnce(wireloom_netlink::Error) -> Error + use<> {
        let netns = netns.clone();
        move |source| Error::Netlink { netns, source, hint: None }
    }

    /// The kernel's number, where it is one of the kernel's answers.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            Error::Netlink { source, .. } => source.errno(),
            Error::Netns { source, .. } => source.errno(),
            _ => None,
        }
    }
}
