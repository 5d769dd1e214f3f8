//! ipvlan and ipvtap: a further interface on `outer-dev`, with the MAC address of that. Does not know whether that exists.

use wireloom_engine::{Ipvlan, IpvlanFlag, IpvlanMode, Ipvtap, LinkKind};

use super::{Base, Kind};
use crate::lower::{Builder, Copied, Mtu};

/// `type: ipvlan`
pub(super) static KIND: Kind =
    Kind { name: "ipvlan", keys: &KEYS, lower: |builder, link| lower(builder, link, LinkKind::Ipvlan) };

/// `type: ipvtap`
pub(super) static TAP: Kind = Kind {
    name: "ipvtap",
    keys: &KEYS,
    lower: |builder, link| lower(builder, link, |ipvlan| LinkKind::Ipvtap(Ipvtap(ipvlan))),
};

static KEYS: [&str; 4] = ["outer-dev", "mode", "flag", "base"];

static MODES: [(&str, IpvlanMode); 3] = [("l2", IpvlanMode::L2), ("l3", IpvlanMode::L3), ("l3s", IpvlanMode::L3s)];

static FLAGS: [(&str, IpvlanFlag); 3] =
    [("bridge", IpvlanFlag::Bridge), ("private", IpvlanFlag::Private), ("vepa", IpvlanFlag::Vepa)];

fn lower(builder: &mut Builder, link: &Copied<'_>, kind: fn(Ipvlan) -> LinkKind) -> Option<()> {
    let mode = link.word(builder, &link.spec.mode, "mode", &MODES);
    let flag = link.word(builder, &link.spec.flag, "flag", &FLAGS);
    let at = link.at(builder)?;
    let parent = link.below(builder, &at, Base::Host)?;
    let (mode, flag) = link.stacked_on(builder, &at, &parent, mode.zip(flag))?;
    let kind = kind(Ipvlan { parent: Some(parent.clone()), mode, flag });
    builder.single(link, at, kind, Mtu::Parent(parent), false)
}
