//! Duplicate address detection of link-local addresses. Takes 1.6 s, in which a router that forwards IPv6 cannot ask for
//! its neighbours; where nobody else can be on any segment of a node, its links do without it.

use std::collections::HashSet;

use wireloom_engine::{Label, LinkKind};

use crate::lower::Builder;

/// Taken over by every link that is made afterwards.
const DETECTION: &str = "net.ipv6.conf.default.accept_dad";

impl Builder {
    /// Switches detection off in our namespaces that have IPv6 addresses and only closed segments.
    pub(super) fn settle_detection(&mut self) {
        let open = self.segments.iter().filter(|wire| wire.open).flat_map(|wire| &wire.ends);
        let open: HashSet<Label> = open.map(|end| end.at.netns.clone()).collect();
        let ours = self.state.namespaces.iter_mut().filter(|(label, netns)| netns.own && !open.contains(*label));
        for (_, netns) in ours {
            let links = || netns.links.values().filter(|link| link.kind != LinkKind::Loopback);
            let ours = |kind: &LinkKind| {
                matches!(kind, LinkKind::Veth(_) | LinkKind::Netkit(_) | LinkKind::Bridge(_) | LinkKind::Dummy(_))
            };
            let closed = links().all(|link| ours(&link.kind));
            let version_6 = links().any(|link| link.addresses.iter().any(|address| address.net.addr().is_ipv6()));
            if closed && version_6 {
                netns.sysctls.entry(DETECTION.to_owned()).or_insert_with(|| "0".to_owned());
            }
        }
    }
}
