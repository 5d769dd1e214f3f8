//! Tunnels that are ports of bridges. Does not know what is at the other end.

use wireloom_engine::{Geneve, IfName, LinkKind, LinkRef, Vxlan};

use crate::{
    document::{
        Document,
        text::{Word, parse},
        tunnel::{TunnelKind, TunnelSpec},
    },
    expand::Numbers,
    lower::{Builder, GENEVE_PORT, Gap, Mtu, Place, VXLAN_PORT},
    source::Span,
};

impl Builder {
    pub(super) fn add_tunnels(&mut self, document: &Document) {
        for spanned in document.tunnels.get().into_iter().flatten() {
            let (spec, span) = (&spanned.value, spanned.span);
            self.check_tunnel(spec, span);
            let Some(Word(pattern)) = spec.bridge.get() else {
                continue;
            };
            let first = self.mistakes.len();
            for (name, numbers) in pattern.all() {
                let before = self.mistakes.len();
                let name = self.noted(spec.bridge.span().unwrap_or(span), name);
                name.and_then(|name| self.add_tunnel(&name, spec, span, &numbers));
                self.say_once(first, before);
            }
        }
    }

    fn check_tunnel(&mut self, spec: &TunnelSpec, span: Span) {
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
            for (key, at) in [("local", spec.local.span()), ("outer-dev", spec.outer_dev.span())] {
                let help = "leave it out: the routes decide; or write `type: vxlan`";
                at.into_iter().for_each(|at| self.wrong(at, format!("a geneve does not take `{key}`"), help));
            }
        }
    }

    fn add_tunnel(&mut self, bridge: &str, spec: &TunnelSpec, span: Span, numbers: &Numbers) -> Option<()> {
        let vni = self.number(&spec.vni, "vni", 1..=0xff_ffff, numbers, span);
        let remote = self.filled(&spec.remote, numbers);
        let local = self.filled(&spec.local, numbers);
        let dev = self.filled(&spec.dev, numbers);
        let outer_dev = self.filled(&spec.outer_dev, numbers);
        let qdisc = self.qdisc(&spec.netem, &spec.rate);
        let bridge_span = spec.bridge.span().unwrap_or(span);
        let bridge = self.bridge(bridge, bridge_span)?;
        if self.bridges[bridge].patch {
            let help = "a patch joins two links of nodes; write `mode: linux` for the bridge";
            self.wrong(bridge_span, "a tunnel cannot be an end of a patch", help);
            return None;
        }
        let home = self.bridges[bridge].at.clone();
        let (Some(vni), Some(remote), Some(local), Some(dev), Some(outer_dev)) = (vni, remote, local, dev, outer_dev)
        else {
            self.doubt.add(&home.netns, Gap::Interfaces);
            self.doubt.add_mtu(&home);
            return None;
        };
        let geneve = spec.r#type.get() == Some(&TunnelKind::Geneve);
        let ifname = match dev {
            Some(ifname) => ifname,
            None => self.noted(span, parse::<IfName>(&format!("{}{vni}", if geneve { "gnv" } else { "vx" })))?,
        };
        // A tunnel of the bridges' own namespace leaves by the host; in a node it leaves by the node's own links.
        let underlay = if self.nodes.contains_key(&home.netns) { home.netns.clone() } else { self.host() };
        let dev = outer_dev.map(|ifname| LinkRef { netns: underlay.clone(), ifname });
        let port = spec.port.get().map(|port| u16::try_from(port.0).expect("the range was checked"));
        let at = LinkRef { netns: home.netns, ifname };
        let (remote, local, underlay) = (remote.map(|a| a.0), local.map(|a| a.0), Some(underlay));
        let kind = if geneve {
            let port = port.unwrap_or(GENEVE_PORT);
            LinkKind::Geneve(Box::new(Geneve { vni, remote: remote?, port, ttl: None, underlay }))
        } else {
            let port = port.unwrap_or(VXLAN_PORT);
            LinkKind::Vxlan(Box::new(Vxlan { vni, remote, local, port, underlay, dev }))
        };
        let mut link = self.bare(kind, &at, None, None);
        link.controller = Some(home.ifname);
        link.mtu = self.given_mtu(&spec.mtu, &at);
        link.qdisc = qdisc;
        self.stack(&at, Mtu::Underlay, spec.outer_dev.span().unwrap_or(span));
        self.place(at.clone(), link, Place { span, mtu: spec.mtu.span() })?;
        self.add_tunnel_port(bridge, at);
        Some(())
    }
}
