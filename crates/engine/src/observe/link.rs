//! Links as messages, and what their numbers stand for.

use std::collections::HashMap;

use netlink_packet_route::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
};

use super::namespace::Raw;
use crate::{BridgePort, IfName, Label, Link, LinkKind, LinkRef, Mac, PortVlans, link::Surroundings};

/// Root qdiscs that the kernel sets by itself.
const DEFAULTS: [&str; 5] = ["noqueue", "noop", "pfifo_fast", "fq_codel", "mq"];

/// A link as its message tells it; its `kind` is a placeholder until all namespaces have been read.
pub(super) struct RawLink {
    pub(super) index: u32,
    pub(super) name: IfName,
    pub(super) link: Link,
    pub(super) has_default_qdisc: bool,
    loopback: bool,
    info: Option<(InfoKind, Option<InfoData>)>,
    /// IFLA_LINK.
    below: Option<u32>,
    /// IFLA_LINK_NETNSID.
    nsid: Option<i32>,
    /// IFLA_MASTER.
    controller: Option<u32>,
}

impl RawLink {
    /// `None` for a message without a name that we can use.
    pub(super) fn decode(message: &LinkMessage) -> Option<RawLink> {
        let header = &message.header;
        let mut link = Link::new(LinkKind::Other(String::new()));
        link.index = Some(header.index);
        link.up = Some(header.flags.contains(LinkFlags::Up));
        let mut raw = RawLink {
            index: header.index,
            name: IfName::lo(),
            link,
            has_default_qdisc: true,
            loopback: header.link_layer_type == LinkLayerType::Loopback,
            info: None,
            below: None,
            nsid: None,
            controller: None,
        };
        let mut name = None;
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = text.parse().ok(),
                other => raw.read(other),
            }
        }
        raw.name = name?;
        Some(raw)
    }

    pub(super) fn is_wireguard(&self) -> bool {
        matches!(&self.info, Some((InfoKind::Wireguard, _)))
    }

    fn read(&mut self, attribute: &LinkAttribute) {
        match attribute {
            LinkAttribute::Address(bytes) => self.link.mac = <[u8; 6]>::try_from(bytes.as_slice()).ok().map(Mac),
            LinkAttribute::Mtu(mtu) => self.link.mtu = Some(*mtu),
            LinkAttribute::IfAlias(alias) => self.link.alias = Some(alias.clone()),
            LinkAttribute::Group(group) => self.link.group = Some(*group),
            LinkAttribute::NumTxQueues(queues) => self.link.queues = Some(*queues),
            LinkAttribute::Controller(index) => self.controller = Some(*index),
            LinkAttribute::Link(index) => self.below = Some(*index).filter(|index| *index != 0),
            LinkAttribute::LinkNetNsId(id) => self.nsid = Some(*id),
            LinkAttribute::Qdisc(kind) => self.has_default_qdisc = DEFAULTS.contains(&kind.as_str()),
            LinkAttribute::LinkInfo(info) => {
                self.info = read_info(info);
                self.link.port = BridgePort::decode(info).map(Box::new);
            }
            _ => {}
        }
    }

    /// Whether it is a bridge whose ports have VLANs.
    pub(super) fn filters_vlans(&self) -> bool {
        let Some((_, Some(InfoData::Bridge(data)))) = &self.info else { return false };
        data.contains(&InfoBridge::VlanFiltering(true))
    }

    /// Puts the VLANs of a port of such a bridge to it.
    pub(super) fn set_vlans(&mut self, vlans: PortVlans) {
        if let Some(port) = &mut self.link.port {
            port.vlans = Some(vlans);
        }
    }

    /// Whether it is a port of the link with this number.
    pub(super) fn is_port_of(&self, index: u32) -> bool {
        self.controller == Some(index)
    }

    /// What its kind says, where no other link is known.
    #[cfg(fuzzing)]
    pub(super) fn kind_alone(&self, around: &dyn Surroundings) -> Option<String> {
        let (kind, data) = self.info.as_ref()?;
        Some(LinkKind::decode(kind, data.as_ref(), around).to_string())
    }

    /// Whether IFLA_LINK_NETNSID must be understood: for pairs the numbers of both ends do.
    pub(super) fn stands_elsewhere(&self) -> bool {
        self.nsid.is_some() && !matches!(self.info, None | Some((InfoKind::Veth | InfoKind::Netkit, _)))
    }
}

fn read_info(info: &[LinkInfo]) -> Option<(InfoKind, Option<InfoData>)> {
    let kind = info.iter().find_map(|info| match info {
        LinkInfo::Kind(kind) => Some(kind.clone()),
        _ => None,
    });
    let data = info.iter().find_map(|info| match info {
        LinkInfo::Data(data) => Some(data.clone()),
        _ => None,
    });
    kind.map(|kind| (kind, data))
}

/// Which link is meant by a number.
pub(super) struct Index<'a> {
    names: HashMap<(&'a Label, u32), IfName>,
    /// Veths and netkits by their own number and their peer's. We choose numbers that are unique in a topology, so that a pair
    /// whose numbers point at each other is one.
    veths: HashMap<(u32, u32), Vec<(&'a Label, &'a RawLink)>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(raws: &'a [Raw]) -> Index<'a> {
        let mut index = Index { names: HashMap::new(), veths: HashMap::new() };
        for (raw, link) in raws.iter().flat_map(|raw| raw.links.iter().map(move |link| (raw, link))) {
            index.names.insert((&raw.label, link.index), link.name);
            if let (Some((InfoKind::Veth | InfoKind::Netkit, _)), Some(peer)) = (&link.info, link.below) {
                index.veths.entry((link.index, peer)).or_default().push((&raw.label, link));
            }
        }
        index
    }

    /// The kind of a link, with its references resolved.
    pub(super) fn kind(&self, netns: &Raw, link: &RawLink) -> (LinkKind, Option<IfName>) {
        let around = Around { index: self, netns, link };
        let kind = match &link.info {
            _ if link.loopback => LinkKind::Loopback,
            None => LinkKind::Other(String::new()),
            Some((kind, data)) => LinkKind::decode(kind, data.as_ref(), &around),
        };
        let controller = link.controller.and_then(|index| self.names.get(&(&netns.label, index)).copied());
        (kind, controller)
    }
}

/// What is around one link.
struct Around<'a, 'b> {
    index: &'b Index<'a>,
    netns: &'b Raw,
    link: &'b RawLink,
}

impl Surroundings for Around<'_, '_> {
    fn peer(&self) -> Option<LinkRef> {
        let candidates = self.index.veths.get(&(self.link.below?, self.link.index))?;
        let here = |label: &Label| *label == self.netns.label;
        let fits = |(label, other): &&(&Label, &RawLink)| {
            let both_say_here = self.link.nsid.is_none() && other.nsid.is_none();
            let both_say_elsewhere = self.link.nsid.is_some() && other.nsid.is_some();
            if here(label) { both_say_here } else { both_say_elsewhere }
        };
        // Numbers repeat among pairs of others: ours are told by their marks.
        let ours = |(_, other): &&(&Label, &RawLink)| other.link.mark().is_some() == self.link.link.mark().is_some();
        let fitting: Vec<_> = candidates.iter().filter(fits).collect();
        let alike: Vec<_> = fitting.iter().filter(|other| ours(other)).collect();
        match (fitting.as_slice(), alike.as_slice()) {
            ([(label, peer)], _) | (_, [(label, peer)]) => Some(LinkRef::new(label, peer.name)),
            _ => None,
        }
    }

    fn below(&self) -> Option<LinkRef> {
        self.in_netns(&self.netns_below()?, self.link.below?)
    }

    fn netns_below(&self) -> Option<Label> {
        match self.link.nsid {
            None => Some(self.netns.label.clone()),
            Some(id) => self.netns.nsids.get(&id).cloned(),
        }
    }

    fn in_netns(&self, netns: &Label, index: u32) -> Option<LinkRef> {
        self.index.names.get(&(netns, index)).map(|name| LinkRef::new(netns, *name))
    }
}
