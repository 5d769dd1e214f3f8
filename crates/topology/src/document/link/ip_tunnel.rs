//! gre, gretap, ip6gre, ip6gretap, ipip, sit, ip6tnl: tunnels that put packets into IP packets. They end in the node.

use std::net::IpAddr;

use wireloom_engine::{IpTunnel, LinkKind, LinkRef, TunnelForm};

use super::Kind;
use crate::{
    document::{address::Bare, text::Text},
    lower::{Builder, Copied, Mtu},
    read::Field,
};

/// `type: gre` and its relatives.
pub(super) static KINDS: [Kind; 7] = [
    Kind { name: "gre", keys: &WITH_KEY, lower: |builder, link| lower(builder, link, TunnelForm::Gre) },
    Kind { name: "gretap", keys: &WITH_KEY, lower: |builder, link| lower(builder, link, TunnelForm::Gretap) },
    Kind { name: "ip6gre", keys: &WITH_KEY, lower: |builder, link| lower(builder, link, TunnelForm::Ip6gre) },
    Kind { name: "ip6gretap", keys: &WITH_KEY, lower: |builder, link| lower(builder, link, TunnelForm::Ip6gretap) },
    Kind { name: "ipip", keys: &KEYS, lower: |builder, link| lower(builder, link, TunnelForm::Ipip) },
    Kind { name: "sit", keys: &KEYS, lower: |builder, link| lower(builder, link, TunnelForm::Sit) },
    Kind { name: "ip6tnl", keys: &KEYS, lower: |builder, link| lower(builder, link, TunnelForm::Ip6tnl) },
];

static KEYS: [&str; 4] = ["remote", "local", "ttl", "outer-dev"];
static WITH_KEY: [&str; 5] = ["remote", "local", "ttl", "outer-dev", "key"];

fn lower(builder: &mut Builder, link: &Copied<'_>, form: TunnelForm) -> Option<()> {
    let spec = link.spec;
    let at = link.at(builder)?;
    let remote = link.remote(builder);
    let local = builder.filled(&spec.local, &link.numbers);
    let dev = builder.filled(&spec.outer_dev, &link.numbers);
    let dev = dev?.map(|dev| LinkRef::new(&at.netns, dev));
    let (Some(remote), Some(local)) = (remote, local) else {
        if let Some(dev) = dev {
            builder.stack(&at, Mtu::Parent(dev), spec.outer_dev.span().unwrap_or(link.span));
        }
        return None;
    };
    if local.is_none() && form.over_v6() {
        let message = format!("`local` is missing: without it a link of type `{form}` sends nothing");
        builder.wrong(link.span, message, "add the source address of the outer packets, like `local: \"2001:db8::1\"`");
        return None;
    }
    let local = local.map(|address| address.0);
    fits(builder, &spec.remote, form, Some(remote));
    fits(builder, &spec.local, form, local);
    let tunnel =
        IpTunnel { form, remote: Some(remote), local, ttl: link.ttl(), key: spec.key.get().map(|key| key.0), dev };
    builder.single(link, at, LinkKind::IpTunnel(Box::new(tunnel)), Mtu::Underlay, false)
}

/// Notes an address of the other family.
fn fits(builder: &mut Builder, field: &Field<Text<Bare>>, form: TunnelForm, address: Option<IpAddr>) {
    let Some((address, span)) = address.zip(field.span()) else { return };
    if address.is_ipv6() == form.over_v6() {
        return;
    }
    let (is, wants) = if form.over_v6() { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
    let all = TunnelForm::ALL.into_iter().filter(|other| other.over_v6() != form.over_v6());
    let others: Vec<&str> = all.map(TunnelForm::name).collect();
    let message = format!("outer packets of type `{form}` travel over {wants}, and {address} is {is}");
    builder.wrong(span, message, format!("write an {wants} address, or another type: {}", others.join(", ")));
}
