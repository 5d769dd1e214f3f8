//! dummy: an interface that drops what is sent into it. Takes no keys of its own.

use wireloom_engine::{Dummy, LinkKind};

use super::Kind;
use crate::lower::{Builder, Copied, Mtu};

/// `type: dummy`
pub(super) static KIND: Kind = Kind { name: "dummy", keys: &[], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let closed = builder.is_own(&at.netns);
    builder.single(link, at, LinkKind::Dummy(Dummy {}), Mtu::Usual, closed)
}
