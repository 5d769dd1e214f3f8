//! vlan: the tag `vlanid` on the interface `outer-dev`. Does not know whether that exists.

use std::str::FromStr;

use wireloom_engine::{LinkKind, Vlan, VlanProtocol};

use super::{Base, Kind};
use crate::{
    lower::{Builder, Copied, Mtu},
    read::nearest,
    wrong::Wrong,
};

/// `type: vlan`
pub(super) static KIND: Kind = Kind { name: "vlan", keys: &["outer-dev", "vlanid", "protocol", "base"], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let parent = link.below(builder, &at, Base::Host);
    let vid = link.number(builder, &link.spec.vlanid, "vlanid", 1..=4094);
    let parent = parent?;
    let Some(vid) = vid else {
        builder.stack(&at, Mtu::Parent(parent), link.spec.outer_dev.span().unwrap_or(link.span));
        return None;
    };
    let vid = u16::try_from(vid).expect("the range was checked");
    let protocol = link.spec.protocol.get().map_or(VlanProtocol::Dot1q, |protocol| protocol.0.0);
    let kind = LinkKind::Vlan(Vlan { parent: Some(parent.clone()), vid, protocol });
    builder.single(link, at, kind, Mtu::Parent(parent), false)
}

/// Which tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Protocol(VlanProtocol);

impl FromStr for Protocol {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text.to_ascii_lowercase().as_str() {
            "802.1q" => Ok(Protocol(VlanProtocol::Dot1q)),
            "802.1ad" => Ok(Protocol(VlanProtocol::Dot1ad)),
            _ => Err(Wrong::new(format!("unknown protocol `{text}` of a vlan"), nearest(text, &["802.1q", "802.1ad"]))),
        }
    }
}
