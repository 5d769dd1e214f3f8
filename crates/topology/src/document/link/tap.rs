//! tap and tun: interfaces whose other end is a program, such as a virtual machine. Does not know the program.

use wireloom_engine::{LinkKind, Tap};

use super::Kind;
use crate::lower::{Builder, Copied, Mtu};

/// `type: tap`
pub(super) static TAP: Kind = Kind {
    name: "tap",
    keys: &["bridge", "user", "group", "multi-queue", "vnet-hdr"],
    lower: |b, l| lower(b, l, false),
};

/// `type: tun`
pub(super) static TUN: Kind =
    Kind { name: "tun", keys: &["user", "group", "multi-queue", "vnet-hdr"], lower: |b, l| lower(b, l, true) };

fn lower(builder: &mut Builder, link: &Copied<'_>, tun: bool) -> Option<()> {
    let spec = link.spec;
    let at = link.at(builder)?;
    let kind = LinkKind::Tap(Tap {
        tun,
        user: spec.user.get().map(|user| user.0),
        group: spec.group.get().map(|group| group.0),
        multi_queue: spec.multi_queue.get().copied().unwrap_or_default(),
        vnet_hdr: spec.vnet_hdr.get().copied().unwrap_or_default(),
    });
    if spec.bridge.is_absent() {
        return builder.single(link, at, kind, Mtu::Usual, false);
    }
    builder.port_here(link, at, kind)
}
