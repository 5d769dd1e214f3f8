//! Bridges: those that the document lists, and those that links name. Does not know what a port is made of.

use std::{
    collections::HashMap,
    ops::{Index, IndexMut},
};

use wireloom_engine::{Bridge, IfName, Label, LinkKind, LinkRef};

use crate::{
    document::{
        Document,
        bridge::{BridgeMode, BridgeSpec},
        text::{Word, parse},
    },
    expand::Numbers,
    lower::{Builder, End, Gap, Place, Wire, interface::Interface, segment::addresses},
    read::Spanned,
    source::Span,
};

/// The bridges while they are built.
#[derive(Default)]
pub(crate) struct Bridges {
    all: Vec<Building>,
    by_name: HashMap<IfName, Vec<usize>>,
}

/// A bridge while it is built.
pub(crate) struct Building {
    /// Where it is.
    pub(super) at: LinkRef,
    /// It is no bridge: its two ends become a pair.
    pub(super) patch: bool,
    /// The MTU that the document gives it.
    pub(super) mtu: Option<u32>,
    /// Its segment; for a patch there is none yet.
    wire: usize,
    /// Both ends of each port: in the node, at the bridge.
    pub(super) ports: Vec<(LinkRef, LinkRef)>,
    /// Its tunnels.
    pub(super) tunnels: Vec<LinkRef>,
    patch_ends: Vec<(Interface, Place)>,
    /// One of its links is wrong.
    pub(super) lost_end: bool,
    /// Where the document speaks of it, and what it says.
    place: Span,
    spec: Option<BridgeSpec>,
}

/// BR_GROUPFWD_RESTRICTED of net/bridge/br_private.h.
const RESTRICTED: u32 = 0b111;

impl Index<usize> for Bridges {
    type Output = Building;

    fn index(&self, index: usize) -> &Building {
        &self.all[index]
    }
}

impl IndexMut<usize> for Bridges {
    fn index_mut(&mut self, index: usize) -> &mut Building {
        &mut self.all[index]
    }
}

impl Bridges {
    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Building> {
        self.all.iter()
    }

    fn find(&self, at: &LinkRef) -> Option<usize> {
        self.by_name.get(&at.ifname)?.iter().copied().find(|index| self.all[*index].at == *at)
    }
}

impl Builder {
    /// Bridges that the document gives an MTU, with the far ends of their ports.
    pub(crate) fn given_bridge_mtus(&self) -> impl Iterator<Item = (&LinkRef, u32, impl Iterator<Item = &LinkRef>)> {
        let bridges = self.bridges.iter().filter(|bridge| !bridge.patch);
        bridges.filter_map(|bridge| Some((&bridge.at, bridge.mtu?, bridge.ports.iter().map(|(inner, _)| inner))))
    }

    pub(super) fn add_bridges(&mut self, document: &Document) {
        for spanned in document.bridges.get().into_iter().flatten() {
            let (spec, span) = (&spanned.value, spanned.span);
            let Some(Word(pattern)) = spec.bridge.get() else {
                if spec.bridge.is_absent() {
                    self.wrong(span, "a bridge without a name", "add `bridge: NAME`");
                }
                self.doubt.add_bridge();
                continue;
            };
            let first = self.mistakes.len();
            for (name, numbers) in pattern.all() {
                let before = self.mistakes.len();
                let name = self.noted(spec.bridge.span().unwrap_or(span), name);
                if name.and_then(|name| self.declare(&name, spec, span, &numbers)).is_none() {
                    self.doubt.add_bridge();
                }
                self.say_once(first, before);
            }
        }
    }

    fn declare(&mut self, name: &str, spec: &BridgeSpec, span: Span, numbers: &Numbers) -> Option<()> {
        let name_span = spec.bridge.span().unwrap_or(span);
        let ifname = self.noted(name_span, parse::<IfName>(name))?;
        let mode = spec.mode.get().copied().unwrap_or_default();
        if mode == BridgeMode::Ovs {
            let help = "write `mode: linux` for a bridge of the kernel, or leave it out";
            self.wrong(spec.mode.span().unwrap_or(span), "bridges of Open vSwitch come with a later version", help);
        }
        let netns = match self.filled(&spec.node, numbers) {
            Some(None) => Some(self.bridge_home(mode == BridgeMode::Patch)),
            Some(Some(node)) => self.node(&node, spec.node.span().unwrap_or(span)),
            None => None,
        };
        let Some(netns) = netns else {
            let somewhere = LinkRef { netns: self.hub(), ifname };
            self.build_bridge(spec, span, &somewhere, numbers);
            return None;
        };
        let at = LinkRef { netns, ifname };
        if let Some(other) = self.bridges.find(&at) {
            let line = self.bridges[other].place.line;
            if self.bridges[other].spec.as_ref() != Some(spec) {
                let message = format!("bridge `{name}` is given twice with different options, first in line {line}");
                self.wrong(name_span, message, "write all its options in one place");
            }
            return Some(());
        }
        let mtu = self.given_mtu(&spec.mtu, &at);
        if mode == BridgeMode::Patch {
            self.check_patch(spec);
            self.push_bridge(at, true, mtu, span, Wire::default());
        } else {
            let wire = self.build_bridge(spec, span, &at, numbers)?;
            self.push_bridge(at, false, mtu, span, wire);
        }
        self.bridges.all.last_mut()?.spec = Some(spec.clone());
        Some(())
    }

    /// A patch needs no namespace for bridges.
    fn bridge_home(&mut self, patch: bool) -> Label {
        if patch {
            self.owner.hub().parse().expect("the length of the topology's name was checked")
        } else {
            self.hub()
        }
    }

    fn check_patch(&mut self, spec: &BridgeSpec) {
        for (key, at) in spec.given() {
            if !["bridge", "mode", "mtu"].contains(&&*key) {
                let help = "a patch is a cable between its two ends; write `mode: linux` for a bridge";
                self.wrong(at, format!("a patch does not take `{key}`"), help);
            }
        }
    }

    fn build_bridge(&mut self, spec: &BridgeSpec, span: Span, at: &LinkRef, numbers: &Numbers) -> Option<Wire> {
        let mac = self.filled(&spec.mac, numbers).flatten();
        let texts = spec.ip.get().into_iter().flatten().map(|text| (text.span, &text.value));
        let given = self.filled_all(texts, numbers).unwrap_or_else(|| {
            self.doubt.add(&at.netns, Gap::Addresses);
            Vec::new()
        });
        let texts = spec.subnet.get().into_iter().flatten().map(|text| (text.span, &text.value));
        let subnets = self.filled_all(texts, numbers);
        let short = subnets.is_none() || self.doubt.in_value(&spec.subnet);
        if self.doubt.in_value(&spec.ip) {
            self.doubt.add(&at.netns, Gap::Addresses);
        }
        let end = End {
            at: at.clone(),
            addresses: given.iter().map(|a| Spanned { value: a.value.0, span: a.span }).collect(),
            mac: mac.map(|value| Spanned { value, span: spec.mac.span().unwrap_or(span) }),
            automatic: false,
        };
        let kind = LinkKind::Bridge(self.options(spec));
        let mut link = self.bare(kind, at, mac, None);
        let closed = self.is_own(&at.netns);
        link.addresses = addresses(&end, closed);
        self.place(at.clone(), link, Place { span: spec.bridge.span().unwrap_or(span), mtu: spec.mtu.span() })?;
        let subnets = subnets.unwrap_or_default();
        Some(Wire { bridge: Some(at.clone()), ends: vec![end], subnets, open: !closed, short })
    }

    fn options(&mut self, spec: &BridgeSpec) -> Bridge {
        let short = |value: u32| u16::try_from(value).expect("the range was checked");
        let mask = spec.group_fwd_mask.spanned();
        if let Some(mask) = mask.filter(|mask| mask.value.0 & RESTRICTED != 0) {
            let help = "leave out bits 0 to 2, like 65528 for all others; `mode: patch` passes everything";
            let message = "no bridge passes on frames of the spanning tree, of pauses and of LACP";
            self.wrong(mask.span, message, help);
        }
        Bridge {
            stp: spec.stp.get().copied(),
            ageing_s: spec.ageing.get().map(|seconds| seconds.0),
            vlan_filtering: spec.vlan_filtering.get().copied(),
            default_pvid: spec.default_pvid.get().map(|vid| short(vid.0)),
            group_fwd_mask: mask.map(|mask| short(mask.value.0)),
            priority: spec.priority.get().map(|priority| short(priority.0)),
            forward_delay_s: spec.forward_delay.get().map(|seconds| seconds.0),
            hello_time_s: spec.hello_time.get().map(|seconds| seconds.0),
            max_age_s: spec.max_age.get().map(|seconds| seconds.0),
            multicast_snooping: spec.multicast_snooping.get().copied(),
        }
    }

    fn push_bridge(&mut self, at: LinkRef, patch: bool, mtu: Option<u32>, place: Span, wire: Wire) -> usize {
        let index = self.bridges.all.len();
        self.bridges.by_name.entry(at.ifname).or_default().push(index);
        let number = self.segments.len();
        if !patch {
            self.segments.push(wire);
        }
        let (ports, tunnels, patch_ends, lost_end, spec) = (Vec::new(), Vec::new(), Vec::new(), false, None);
        let wire = number;
        self.bridges.all.push(Building { at, patch, mtu, wire, ports, tunnels, patch_ends, lost_end, place, spec });
        index
    }

    /// The bridge that a link or a tunnel calls `NAME` or `NODE:NAME`; made if nobody has spoken of it yet.
    pub(super) fn bridge(&mut self, text: &str, span: Span) -> Option<usize> {
        if let Some((node, name)) = text.split_once(':') {
            let ifname = self.noted(span, parse::<IfName>(name))?;
            let at = LinkRef { netns: self.node(node, span)?, ifname };
            let found = self.bridges.find(&at);
            if found.is_none() && !self.doubt.about_bridges() {
                let help = format!("add it under `bridges:`, like {{bridge: {name}, node: {node}}}");
                self.wrong(span, format!("there is no bridge `{name}` in `{node}`"), help);
            }
            return found;
        }
        let ifname = self.noted(span, parse::<IfName>(text))?;
        match self.bridges.by_name.get(&ifname).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            Some([first, ..]) => {
                let node = self.bridges[*first].at.netns.clone();
                let help = format!("say which one, like `bridge: {node}:{text}`");
                self.wrong(span, format!("there are several bridges `{text}`"), help);
                None
            }
            _ => {
                let at = LinkRef { netns: self.hub(), ifname };
                let spec = BridgeSpec::default();
                let wire = self.build_bridge(&spec, span, &at, &Numbers::default())?;
                Some(self.push_bridge(at, false, None, span, wire))
            }
        }
    }

    /// Notes a port: `end` in the node, `outer` at the bridge.
    pub(super) fn add_port(&mut self, bridge: usize, end: End, outer: LinkRef) {
        let own = self.is_own(&end.at.netns);
        let building = &mut self.bridges.all[bridge];
        building.ports.push((end.at.clone(), outer));
        let wire = &mut self.segments[building.wire];
        wire.open |= !own;
        wire.ends.push(end);
    }

    /// Notes a tunnel as a port: from now on others may be on the segment.
    pub(super) fn add_tunnel_port(&mut self, bridge: usize, at: LinkRef) {
        let building = &mut self.bridges.all[bridge];
        building.tunnels.push(at.clone());
        let wire = &mut self.segments[building.wire];
        wire.open = true;
        wire.ends.push(End::bare(at));
    }

    /// Notes an end of a patch.
    pub(super) fn add_patch_end(&mut self, bridge: usize, mut made: Interface, place: Place) {
        let building = &mut self.bridges.all[bridge];
        made.link.mtu = made.link.mtu.or(building.mtu);
        let first = building.patch_ends.first().map_or(0, |(_, place)| place.span.line);
        building.patch_ends.push((made, place));
        if building.patch_ends.len() == 3 {
            let message = format!("patch `{}` has a third end, the first is in line {first}", building.at.ifname);
            self.wrong(place.span, message, "a patch joins exactly two; write `mode: linux` for a bridge");
        }
    }

    /// Patches become pairs.
    pub(super) fn finish_patches(&mut self) {
        for index in 0..self.bridges.all.len() {
            let building = &mut self.bridges.all[index];
            if !building.patch {
                continue;
            }
            let (name, place, lost_end) = (building.at.ifname, building.place, building.lost_end);
            match <[_; 2]>::try_from(std::mem::take(&mut building.patch_ends)) {
                Ok(ends) => _ = self.join(ends),
                Err(ends) => {
                    if ends.len() < 2 && !lost_end && !self.doubt.about_bridge_ends() {
                        let message = format!("patch `{name}` has {} of two ends", ends.len());
                        let help = format!("add a link with `bridge: {name}`, or write `mode: linux`");
                        self.wrong(place, message, help);
                    }
                    // None, or more than two, which has been noted: their interfaces exist all the same.
                    for (made, place) in ends {
                        let end = self.put(made, place);
                        self.segments.push(Wire { ends: end.into_iter().collect(), open: true, ..Wire::default() });
                    }
                }
            }
        }
    }
}

impl Building {
    /// What is plugged into it.
    pub(super) fn plugs(&self) -> Vec<LinkRef> {
        self.ports.iter().map(|(_, outer)| outer).chain(&self.tunnels).cloned().collect()
    }

    /// The bridge and all that is joined by it.
    pub(super) fn members(&self) -> Vec<LinkRef> {
        let ports = self.ports.iter().flat_map(|(inner, outer)| [inner, outer]);
        ports.chain(&self.tunnels).chain([&self.at]).cloned().collect()
    }
}
