//! Tunnels that are ports of bridges. Does not know what is at the other end.

use wireloom_engine::{IfName, LinkKind, LinkRef, Vxlan};

use crate::{
    document::{
        Document,
        text::{Word, parse},
        tunnel::{TunnelKind, TunnelSpec},
    },
    expand::Numbers,
    lower::{Builder, Mtu, Place, VXLAN_PORT},
    source::Span,
};

impl Builder {
    pub(super) fn add_tunnels(&mut self, document: &Document) {
        for spanned in document.tunnels.get().into_iter().flatten() {
            let (spec, span) = (&spanned.value, spanned.span);
            if self.check_tunnel(spec, span).is_none() {
                continue;
            }
            let Some(Word(pattern)) = spec.bridge.get() else { continue };
            for (name, numbers) in pattern.all() {
                let name = self.noted(spec.bridge.span().unwrap_or(span), name);
                if name.and_then(|name| self.add_tunnel(&name, spec, span, &numbers)).is_none() {
                    break;
                }
            }
        }
    }

    fn check_tunnel(&mut self, spec: &TunnelSpec, span: Span) -> Option<()> {
        let missing = [
            ("type", spec.r#type.is_absent()),
            ("bridge", spec.bridge.is_absent()),
            ("remote", spec.remote.is_absent()),
        ];
        for (key, _) in missing.iter().filter(|(_, missing)| *missing) {
            let help = "write it like {type: vxlan, bridge: s1, remote: 192.0.2.7, vni: 1001}";
            self.wrong(span, format!("a tunnel without `{key}`"), help);
        }
        if spec.r#type.get() == Some(&TunnelKind::Geneve) {
            let help = "this one has vxlan";
            self.wrong(spec.r#type.span()?, "tunnels of type `geneve` come with a later version", help);
            return None;
        }
        (!spec.has_bad() && missing.iter().all(|(_, missing)| !missing)).then_some(())
    }

    fn add_tunnel(&mut self, bridge: &str, spec: &TunnelSpec, span: Span, numbers: &Numbers) -> Option<()> {
        let vni = self.number(&spec.vni, "vni", 1..=0xff_ffff, numbers, span);
        let remote = self.filled(&spec.remote, numbers)?;
        let local = self.filled(&spec.local, numbers)?;
        let bridge_span = spec.bridge.span().unwrap_or(span);
        let bridge = self.bridge(bridge, bridge_span)?;
        let vni = vni?;
        if self.bridges[bridge].patch {
            let help = "a patch joins two links of nodes; write `mode: linux` for the bridge";
            self.wrong(bridge_span, "a tunnel cannot be an end of a patch", help);
            return None;
        }
        let home = self.bridges[bridge].at.clone();
        let ifname = match self.filled(&spec.dev, numbers)? {
            Some(ifname) => ifname,
            None => self.noted(span, parse::<IfName>(&format!("vx{vni}")))?,
        };
        // A tunnel of the bridges' own namespace leaves by the host; in a node it leaves by the node's own links.
        let underlay = if self.nodes.contains_key(&home.netns) { home.netns.clone() } else { self.host() };
        let dev = self.filled(&spec.outer_dev, numbers)?.map(|ifname| LinkRef { netns: underlay.clone(), ifname });
        let port = spec.port.get().copied().unwrap_or(VXLAN_PORT);
        let at = LinkRef { netns: home.netns, ifname };
        let kind = LinkKind::Vxlan(Vxlan { vni, remote, local, port, underlay, dev });
        let mut link = self.bare(kind, &at, None, None)?;
        link.controller = Some(home.ifname);
        link.mtu = self.given_mtu(&spec.mtu)?;
        link.qdisc = self.qdisc(&spec.netem, &spec.rate)?;
        self.stack(&at, Mtu::Underlay, span);
        self.place(at.clone(), link, Place { span, mtu: spec.mtu.span() })?;
        self.add_tunnel_port(bridge, at);
        Some(())
    }
}
