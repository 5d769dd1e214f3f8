//! geneve: a tunnel that ends in a node. Does not know of bridges: tunnels that are ports have a list of their own.

use wireloom_engine::{Geneve, LinkKind};

use super::{Base, Kind};
use crate::lower::{Builder, Copied, GENEVE_PORT, Mtu};

/// `type: geneve`
pub(super) static KIND: Kind = Kind { name: "geneve", keys: &["vni", "remote", "port", "ttl", "base"], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let spec = link.spec;
    let at = link.at(builder)?;
    let vni = link.number(builder, &spec.vni, "vni", 1..=0xff_ffff);
    let remote = link.remote(builder);
    let underlay = match spec.base.get() {
        Some(Base::Host) => builder.host(),
        _ => at.netns.clone(),
    };
    let geneve = Geneve {
        vni: vni?,
        remote: remote?,
        port: spec.port.get().map_or(GENEVE_PORT, |port| u16::try_from(port.0).expect("the range was checked")),
        ttl: link.ttl(),
        underlay: Some(underlay),
    };
    builder.single(link, at, LinkKind::Geneve(Box::new(geneve)), Mtu::Underlay, false)
}
