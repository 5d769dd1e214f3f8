//! vlan: the tag `vlanid` on the interface `outer-dev`. Does not know whether that exists.

use wireloom_engine::{LinkKind, Vlan, VlanProtocol};

use super::{Base, Kind};
use crate::lower::{Builder, Copied, Mtu};

/// `type: vlan`
pub(super) static KIND: Kind = Kind { name: "vlan", keys: &["outer-dev", "vlanid", "base"], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let parent = link.below(builder, &at, Base::Host)?;
    let vid = link.number(builder, &link.spec.vlanid, "vlanid", 1..=4094)?;
    let vid = u16::try_from(vid).expect("the range was checked");
    let kind = LinkKind::Vlan(Vlan { parent: Some(parent.clone()), vid, protocol: VlanProtocol::Dot1q });
    builder.single(link, at, kind, Mtu::Parent(parent), false)
}
