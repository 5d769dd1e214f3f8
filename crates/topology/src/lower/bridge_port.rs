//! Ports of bridges: what the document says about each, and which VLANs those have that it says nothing about. Does not
//! know how a port comes to its bridge.

use wireloom_engine::{BridgePort, LinkKind, LinkRef, PortVlans};

use crate::{
    document::link::OF_PORT,
    lower::{Builder, Copied},
};

/// BR_DEFAULT_PVID: the kernel's default_pvid, where nobody changes it.
const DEFAULT_PVID: u16 = 1;

impl Builder {
    /// What the document says about the port of a link; `None` if some of it is wrong.
    pub(super) fn port_settings(&mut self, copy: &Copied<'_>) -> Option<BridgePort> {
        let spec = copy.spec;
        let plain = BridgePort::default();
        Some(BridgePort {
            isolated: spec.isolated.get().copied().unwrap_or(plain.isolated),
            learning: spec.learning.get().copied().unwrap_or(plain.learning),
            hairpin: spec.hairpin.get().copied().unwrap_or(plain.hairpin),
            guard: spec.guard.get().copied().unwrap_or(plain.guard),
            cost: spec.cost.get().map(|cost| cost.0),
            priority: spec.priority.get().map(|p| u16::try_from(p.0).expect("the range was checked")),
            vlans: self.port_vlans(copy)?,
        })
    }

    /// `None` if some of it is wrong, nothing where there is none.
    fn port_vlans(&mut self, copy: &Copied<'_>) -> Option<Option<PortVlans>> {
        let spec = copy.spec;
        let help =
            "write `vlan` for a link without tags; for one with tags `trunk`, and `native` for frames without one";
        for (key, at) in [("trunk", spec.trunk.span()), ("native", spec.native.span())] {
            if let Some(at) = at.filter(|_| !spec.vlan.is_absent()) {
                self.wrong(at, format!("`{key}` beside `vlan`"), help);
                return None;
            }
        }
        if let Some(at) = spec.native.span().filter(|_| spec.trunk.is_absent()) {
            self.wrong(at, "`native` without `trunk`", help);
            return None;
        }
        let texts = spec.trunk.get().into_iter().flatten().map(|text| (text.span, &text.value));
        let tagged = self.filled_all(texts, &copy.numbers)?;
        let native = if spec.native.is_absent() { &spec.vlan } else { &spec.native };
        let untagged = match native.is_absent() {
            true => None,
            false => {
                let vid = copy.number(self, native, "vlan", 1..=u32::from(PortVlans::LAST))?;
                Some(u16::try_from(vid).expect("the range was checked"))
            }
        };
        let any = untagged.is_some() || !spec.trunk.is_absent();
        Some(any.then(|| PortVlans::new(untagged, tagged.into_iter().map(|vids| vids.value))))
    }

    /// An end of a patch is no port.
    pub(super) fn refuse_port_keys(&mut self, copy: &Copied<'_>) {
        for (key, at) in copy.spec.given().filter(|(key, _)| OF_PORT.contains(&&**key)) {
            let help = "a patch is a cable between its two ends; write `mode: linux` for a bridge";
            self.wrong(at, format!("an end of a patch does not take `{key}`"), help);
        }
    }

    /// A bridge filters if it is said so, or if a port has VLANs; then all of its ports have some.
    pub(super) fn settle_vlans(&mut self) {
        let bridges: Vec<_> = self.bridges.iter().filter(|b| !b.patch).map(|b| (b.at.clone(), b.plugs())).collect();
        for (at, ports) in bridges {
            let tagging: Vec<&LinkRef> = ports.iter().filter(|port| self.has_vlans(port)).collect();
            let first = tagging.first().map(|port| self.place_of(port).span);
            let Some(LinkKind::Bridge(bridge)) = self.link_mut(&at).map(|link| &mut link.kind) else { continue };
            let filtering = bridge.vlan_filtering.unwrap_or(first.is_some());
            if let Some(span) = first.filter(|_| !filtering) {
                let help = "write `vlan-filtering: true` for the bridge, or leave that out";
                self.wrong(span, format!("a port with VLANs, but bridge `{}` does not filter them", at.ifname), help);
                continue;
            }
            bridge.vlan_filtering = Some(filtering);
            if filtering {
                let untagged = *bridge.default_pvid.get_or_insert(DEFAULT_PVID);
                let vlans = PortVlans::new(Some(untagged).filter(|vid| *vid != 0), []);
                ports.iter().for_each(|port| self.default_vlans(port, &vlans));
            }
        }
    }

    fn has_vlans(&self, port: &LinkRef) -> bool {
        let port = self.state.link(port).and_then(|link| link.port.as_deref());
        port.is_some_and(|port| port.vlans.is_some())
    }

    fn default_vlans(&mut self, port: &LinkRef, vlans: &PortVlans) {
        if let Some(link) = self.link_mut(port) {
            link.port.get_or_insert_default().vlans.get_or_insert_with(|| vlans.clone());
        }
    }
}
