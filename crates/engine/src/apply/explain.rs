//! What a refusal means, where the kernel's own words do not say it.

use nix::errno::Errno;

use crate::{Error, Link, LinkKind, NewLink, Qdisc, Settings, Step};

/// Puts the step's meaning to the kernel's answer: a missing feature becomes [`Error::NotSupported`], an answer without
/// text gets a hint.
pub(crate) fn explain(step: &Step, error: Error) -> Error {
    let Error::Netlink { netns, source, hint: _ } = error else { return error };
    let Some(errno) = source.errno() else { return Error::Netlink { netns, source, hint: None } };
    if let Some(feature) = missing_feature(step, errno, source.message()) {
        let since = match step {
            Step::AddLink(new) => new.link.kind.since(),
            _ => None,
        };
        return Error::NotSupported { feature, since };
    }
    let hint = match source.message() {
        Some(_) => None,
        None => hint(step, errno),
    };
    Error::Netlink { netns, source, hint }
}

/// The kernel says "Unknown device type" for a kind of link, and "Specified qdisc kind is unknown" for one of a qdisc.
fn missing_feature(step: &Step, errno: Errno, message: Option<&str>) -> Option<String> {
    let unknown = message.is_some_and(|message| message.to_lowercase().contains("unknown"));
    match (step, errno) {
        (Step::AddLink(NewLink { at, link: Link { kind, .. }, .. }), Errno::EOPNOTSUPP)
        | (Step::SetLink { at, to: Settings { kind: Some(kind), .. }, .. }, Errno::EOPNOTSUPP)
            if filters_vlans(kind) =>
        {
            Some(format!("VLANs of bridges (CONFIG_BRIDGE_VLAN_FILTERING), which {at} needs"))
        }
        (Step::AddLink(new), Errno::EOPNOTSUPP) if unknown || message.is_none() => {
            Some(format!("{} links, which {} needs", new.link.kind.name(), new.at))
        }
        (Step::SetQdisc { at, to: Some(qdisc), .. }, Errno::ENOENT | Errno::EOPNOTSUPP) if unknown => {
            Some(match qdisc {
                Qdisc::Netem(netem) => {
                    let options = netem.options().join(", ");
                    format!(
                        "netem qdisc (CONFIG_NET_SCH_NETEM), which {at} needs for {options}; without it only a rate works"
                    )
                }
                Qdisc::Tbf(_) => format!("tbf qdisc (CONFIG_NET_SCH_TBF), which {at} needs for its rate"),
                Qdisc::Other(kind) => format!("{kind} qdisc, which {at} needs"),
            })
        }
        (Step::SetFirewall { netns, to: Some(_), .. }, Errno::EPROTONOSUPPORT | Errno::EOPNOTSUPP | Errno::ENOENT) => {
            Some(format!("nftables with nat and conntrack, which {netns} needs"))
        }
        _ => None,
    }
}

fn filters_vlans(kind: &LinkKind) -> bool {
    matches!(kind, LinkKind::Bridge(bridge) if bridge.vlan_filtering == Some(true))
}

fn hint(step: &Step, errno: Errno) -> Option<&'static str> {
    match (step, errno) {
        (_, Errno::EPERM) => Some("CAP_NET_ADMIN is needed in that namespace"),
        (Step::AddLink(_), Errno::EEXIST) => Some("an interface of that name is there already"),
        (Step::AddLink(new), Errno::EBUSY)
            if matches!(
                new.link.kind,
                LinkKind::Macvlan(_) | LinkKind::Macvtap(_) | LinkKind::Ipvlan(_) | LinkKind::Ipvtap(_)
            ) =>
        {
            Some("the parent is used otherwise: by a bridge, in passthru mode, or by the other of macvlan and ipvlan")
        }
        (Step::AddLink(_), Errno::EADDRINUSE) => Some("the same tunnel is there already"),
        (Step::AddLink(_) | Step::SetLink { .. }, Errno::EXFULL) => Some("a bridge takes 1023 ports"),
        (Step::AddLink(_) | Step::SetLink { .. }, Errno::ERANGE) => Some("the MTU is above that of the parent"),
        (Step::AddLink(_) | Step::SetLink { .. }, Errno::EINVAL) => Some("the MTU or another setting is out of range"),
        (Step::AddLink(_) | Step::SetLink { .. }, Errno::EADDRNOTAVAIL) => Some("the MAC address cannot be used"),
        (Step::AddLink(_) | Step::SetLink { .. }, Errno::ENODEV) => Some("the parent or bridge has just gone"),
        (Step::AddAddress { .. }, Errno::EEXIST) => Some("the address is there already"),
        (Step::AddAddress { .. }, Errno::EACCES) => Some("IPv6 is switched off there (net.ipv6.conf.*.disable_ipv6)"),
        (Step::Add { object, .. }, errno) => object.held().hint(errno),
        _ => None,
    }
}
