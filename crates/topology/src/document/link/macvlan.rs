//! macvlan and macvtap: a further MAC address on the interface `outer-dev`. Does not know whether that exists.

use wireloom_engine::{LinkKind, Macvlan, MacvlanMode, Macvtap};

use super::{Base, Kind};
use crate::lower::{Builder, Copied, Mtu};

/// `type: macvlan`
pub(super) static KIND: Kind =
    Kind { name: "macvlan", keys: &KEYS, lower: |builder, link| lower(builder, link, LinkKind::Macvlan) };

/// `type: macvtap`
pub(super) static TAP: Kind = Kind {
    name: "macvtap",
    keys: &KEYS,
    lower: |builder, link| lower(builder, link, |macvlan| LinkKind::Macvtap(Macvtap(macvlan))),
};

static KEYS: [&str; 3] = ["outer-dev", "mode", "base"];

static MODES: [(&str, MacvlanMode); 4] = [
    ("bridge", MacvlanMode::Bridge),
    ("private", MacvlanMode::Private),
    ("vepa", MacvlanMode::Vepa),
    ("passthru", MacvlanMode::Passthru),
];

fn lower(builder: &mut Builder, link: &Copied<'_>, kind: fn(Macvlan) -> LinkKind) -> Option<()> {
    let mode = link.word(builder, &link.spec.mode, "mode", &MODES);
    let at = link.at(builder)?;
    let parent = link.below(builder, &at, Base::Host)?;
    let mode = link.stacked_on(builder, &at, &parent, mode)?;
    let kind = kind(Macvlan { parent: Some(parent.clone()), mode });
    builder.single(link, at, kind, Mtu::Parent(parent), false)
}
