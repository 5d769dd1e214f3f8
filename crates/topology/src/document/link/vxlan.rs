//! vxlan: a tunnel that ends in a node. Does not know of bridges: tunnels that are ports have a list of their own.

use wireloom_engine::{LinkKind, LinkRef, Vxlan};

use super::{Base, Kind};
use crate::lower::{Builder, Copied, Mtu, VXLAN_PORT};

/// `type: vxlan`
pub(super) static KIND: Kind =
    Kind { name: "vxlan", keys: &["vni", "remote", "local", "port", "outer-dev", "base"], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let spec = link.spec;
    let at = link.at(builder)?;
    let vni = link.number(builder, &spec.vni, "vni", 1..=0xff_ffff);
    let underlay = match spec.base.get() {
        Some(Base::Host) => builder.host(),
        _ => at.netns.clone(),
    };
    let dev = builder.filled(&spec.outer_dev, &link.numbers);
    let remote = builder.filled(&spec.remote, &link.numbers);
    let local = builder.filled(&spec.local, &link.numbers);
    let dev = dev?.map(|dev| LinkRef::new(&underlay, dev));
    let (Some(vni), Some(remote), Some(local)) = (vni, remote, local) else {
        if let Some(dev) = dev {
            builder.stack(&at, Mtu::Parent(dev), spec.outer_dev.span().unwrap_or(link.span));
        }
        return None;
    };
    let vxlan = Vxlan {
        vni,
        remote: remote.map(|address| address.0),
        local: local.map(|address| address.0),
        port: spec.port.get().map_or(VXLAN_PORT, |port| u16::try_from(port.0).expect("the range was checked")),
        underlay: Some(underlay),
        dev,
    };
    builder.single(link, at, LinkKind::Vxlan(Box::new(vxlan)), Mtu::Underlay, false)
}
