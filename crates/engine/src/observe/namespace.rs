//! One namespace as the kernel tells it: links, addresses, routes, root qdiscs and the settings asked for.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::{AsFd, AsRawFd},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage as Message,
    address::AddressMessage,
    link::{LinkAttribute, LinkExtentMask, LinkMessage},
    nsid::{NsidAttribute, NsidMessage},
    tc::TcMessage,
};
use wireloom_netlink::Socket;
use wireloom_netns::Netns;

use super::{Scope, firewall, link::RawLink, scope::Place};
use crate::{
    Address, Error, IfName, Label, Link, LinkKind, Mark, Namespace, Origin, PortVlans, Qdisc, Source, Wireguard,
    object::{self, ObjectKey},
    setting,
};

/// A namespace whose links are not yet resolved.
pub(super) struct Raw {
    pub(super) label: Label,
    pub(super) links: Vec<RawLink>,
    /// Which namespaces the numbers in IFLA_LINK_NETNSID stand for.
    pub(super) nsids: HashMap<i32, Label>,
    addresses: HashMap<u32, Vec<Address>>,
    qdiscs: HashMap<u32, Qdisc>,
    /// All else that it holds.
    namespace: Namespace,
    sysctls: BTreeMap<String, String>,
    /// What links do not tell of these.
    wireguards: BTreeMap<IfName, Wireguard>,
    /// Whether it is the namespace that a ledger knows under this label.
    known: bool,
    firewall: firewall::Found,
}

impl Raw {
    /// `None` where there is no such namespace.
    pub(super) fn read(scope: &Scope, label: &Label) -> Result<Option<Raw>, Error> {
        let place = &scope.places[label];
        let Some(netns) = open(label, &place.source)? else { return Ok(None) };
        let mut socket = Socket::open(&netns).map_err(Error::netlink(label))?;
        let mut links = links(&mut socket, label)?;
        vlans(&mut socket, label, &mut links)?;
        let names: HashMap<u32, IfName> = links.iter().map(|link| (link.index, link.name)).collect();
        let raw = Raw {
            addresses: addresses(&mut socket, label)?,
            namespace: held(&mut socket, label, place, &names)?,
            qdiscs: qdiscs(&mut socket, label, &links)?,
            nsids: nsids(&mut socket, label, scope, &links)?,
            sysctls: sysctls(&netns, label, place)?,
            wireguards: wireguards(&netns, label, &links)?,
            known: is_known(&netns, label, place)?,
            firewall: match place.firewalls.as_slice() {
                [] => firewall::Found::default(),
                candidates => firewall::read(&netns, label, &scope.owner, candidates)?,
            },
            label: label.clone(),
            links,
        };
        Ok(Some(raw))
    }

    /// Puts it together, with the kinds that are known by now.
    pub(super) fn finish(mut self, scope: &Scope, kinds: Vec<(LinkKind, Option<IfName>)>) -> Namespace {
        let place = &scope.places[&self.label];
        let group = scope.owner.group();
        let mark = self.links.iter().find(|link| link.name == IfName::lo()).and_then(|lo| lo.link.mark());
        let own = match mark {
            Some(mark) => mark == Mark::netns(&scope.owner, &self.label),
            // Killed between making it and marking it: then there is nothing in it yet but what is in our group.
            None if self.known => true,
            None => place.claimed && self.links.iter().all(|l| l.name == IfName::lo() || l.link.group == Some(group)),
        };
        let mut namespace = self.namespace;
        namespace.own = own;
        for (raw, (kind, controller)) in self.links.into_iter().zip(kinds) {
            let at = crate::LinkRef::new(&self.label, raw.name);
            let in_group = raw.link.group == Some(group) && raw.link.mark().is_none();
            // A tap is made without its group: one that an interrupted run was making is ours, and no other without a mark.
            let bare_tap = matches!(kind, LinkKind::Tap(_)) && raw.link.group == Some(0) && raw.link.mark().is_none();
            let claimed = bare_tap && scope.unfinished.contains(&at)
                || in_group && (own || scope.claims.contains(&at)) && kind != LinkKind::Loopback;
            let mut addresses = self.addresses.remove(&raw.index).unwrap_or_default();
            let link_is_ours = own || claimed || raw.link.belongs_to(&scope.owner);
            for address in addresses.iter_mut().filter(|_| !link_is_ours) {
                disown(&mut address.origin, scope.addresses.contains(&(at.clone(), address.net)));
            }
            let qdisc = self.qdiscs.remove(&raw.index);
            let kind = self.wireguards.remove(&raw.name).map_or(kind, |found| LinkKind::Wireguard(Box::new(found)));
            namespace.links.insert(raw.name, Link { kind, controller, claimed, addresses, qdisc, ..raw.link });
        }
        let is_known = |key: &ObjectKey| scope.objects.contains(&(self.label.clone(), key.clone()));
        object::tell_whose(&mut namespace, is_known);
        namespace.sysctls = self.sysctls;
        namespace.before = place.before.clone();
        (namespace.firewall, namespace.docker) = (self.firewall.firewall, self.firewall.docker);
        namespace
    }
}

fn is_known(netns: &Netns, label: &Label, place: &Place) -> Result<bool, Error> {
    let Some(known) = &place.known else { return Ok(false) };
    Ok(netns.id().map_err(Error::netns(label))? == *known)
}

/// Our number on an address or another object says Wireloom, not which topology: in a namespace that we share, only the ledger
/// can tell.
fn disown(origin: &mut Origin, is_known: bool) {
    if *origin == Origin::Ours && !is_known {
        *origin = Origin::Others;
    }
}

/// Opens a namespace; `None` where there is none. A name without a namespace behind it is what a crash of ours leaves,
/// and a path without one what is left of a container that has gone.
pub(crate) fn open(label: &Label, source: &Source) -> Result<Option<Netns>, Error> {
    match source.open() {
        Ok(netns) => Ok(Some(netns)),
        Err(wireloom_netns::Error::NotFound { .. }) => Ok(None),
        Err(wireloom_netns::Error::NotNetns { .. }) => Ok(None),
        Err(source) => Err(Error::Netns { netns: label.clone(), source }),
    }
}

/// The mark on the `lo` of a namespace, if there is one.
pub(super) fn mark(label: &Label, source: &Source) -> Result<Option<Mark>, Error> {
    let Some(netns) = open(label, source)? else { return Ok(None) };
    let mut message = LinkMessage::default();
    message.header.index = 1;
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    let mut socket = Socket::open(&netns).map_err(Error::netlink(label))?;
    match socket.get(Message::GetLink(message)).map_err(Error::netlink(label))? {
        Some(Message::NewLink(lo)) => Ok(RawLink::decode(&lo).and_then(|lo| lo.link.mark())),
        _ => Ok(None),
    }
}

fn links(socket: &mut Socket, label: &Label) -> Result<Vec<RawLink>, Error> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    let answers = socket.dump(Message::GetLink(message)).map_err(Error::netlink(label))?;
    let decode = |answer: &Message| match answer {
        Message::NewLink(message) => RawLink::decode(message),
        _ => None,
    };
    Ok(answers.iter().filter_map(decode).collect())
}

/// Only where a bridge filters: then each of its ports has some, or none.
fn vlans(socket: &mut Socket, label: &Label, links: &mut [RawLink]) -> Result<(), Error> {
    let filtering: Vec<u32> = links.iter().filter(|link| link.filters_vlans()).map(|link| link.index).collect();
    if filtering.is_empty() {
        return Ok(());
    }
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Brvlan]));
    let answers = socket.dump(Message::GetLink(message)).map_err(Error::netlink(label))?;
    let decode = |answer: &Message| match answer {
        Message::NewLink(message) => Some((message.header.index, PortVlans::decode(&message.attributes))),
        _ => None,
    };
    let mut found: HashMap<u32, PortVlans> = answers.iter().filter_map(decode).collect();
    for port in links.iter_mut().filter(|link| filtering.iter().any(|bridge| link.is_port_of(*bridge))) {
        port.set_vlans(found.remove(&port.index).unwrap_or_default());
    }
    Ok(())
}

fn addresses(socket: &mut Socket, label: &Label) -> Result<HashMap<u32, Vec<Address>>, Error> {
    let mut all: HashMap<u32, Vec<Address>> = HashMap::new();
    let answers = socket.dump(Message::GetAddress(AddressMessage::default())).map_err(Error::netlink(label))?;
    for answer in answers {
        if let Message::NewAddress(message) = answer {
            all.entry(message.header.index).or_default().extend(Address::decode(&message));
        }
    }
    Ok(all)
}

/// Routes and the like.
fn held(socket: &mut Socket, label: &Label, place: &Place, names: &HashMap<u32, IfName>) -> Result<Namespace, Error> {
    let mut namespace = Namespace::new(place.source.clone(), false);
    let ifname = |index| names.get(&index).copied();
    object::read(socket, &mut namespace, place.kinds, &ifname).map_err(Error::netlink(label))?;
    Ok(namespace)
}

/// Only where a link says that its root qdisc is one that somebody has put there.
fn qdiscs(socket: &mut Socket, label: &Label, links: &[RawLink]) -> Result<HashMap<u32, Qdisc>, Error> {
    if links.iter().all(|link| link.has_default_qdisc) {
        return Ok(HashMap::new());
    }
    let answers = socket.dump(Message::GetQueueDiscipline(TcMessage::default())).map_err(Error::netlink(label))?;
    let decode = |answer: &Message| match answer {
        Message::NewQueueDiscipline(message) => {
            let index = u32::try_from(message.header.index).ok()?;
            Qdisc::decode(message).map(|qdisc| (index, qdisc))
        }
        _ => None,
    };
    Ok(answers.iter().filter_map(decode).collect())
}

/// Only where a link stands on something in another namespace: asks for the number of each that it can be.
fn nsids(socket: &mut Socket, at: &Label, scope: &Scope, links: &[RawLink]) -> Result<HashMap<i32, Label>, Error> {
    let mut all = HashMap::new();
    if !links.iter().any(RawLink::stands_elsewhere) {
        return Ok(all);
    }
    for label in &scope.below {
        let Some(netns) = scope.places.get(label).map(|p| open(label, &p.source)).transpose()?.flatten() else {
            continue;
        };
        let mut message = NsidMessage::default();
        let fd = u32::try_from(netns.as_fd().as_raw_fd()).expect("descriptors are not negative");
        message.attributes.push(NsidAttribute::Fd(fd));
        let answer = socket.get(Message::GetNsId(message)).map_err(Error::netlink(at))?;
        if let Some(Message::NewNsId(answer)) = answer {
            let ids = answer.attributes.iter().filter_map(|attribute| match attribute {
                NsidAttribute::Id(id) if *id >= 0 => Some((*id, label.clone())),
                _ => None,
            });
            all.extend(ids);
        }
    }
    Ok(all)
}

fn wireguards(netns: &Netns, label: &Label, links: &[RawLink]) -> Result<BTreeMap<IfName, Wireguard>, Error> {
    let names: Vec<IfName> = links.iter().filter(|link| link.is_wireguard()).map(|link| link.name).collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut devices = wireloom_netlink::wireguard::Wireguard::open(netns).map_err(Error::netlink(label))?;
    let mut found = BTreeMap::new();
    for name in names {
        let device = devices.get(name.as_str()).map_err(Error::netlink(label))?;
        found.extend(device.map(|device| (name, Wireguard::observed(device))));
    }
    Ok(found)
}

fn sysctls(netns: &Netns, label: &Label, place: &Place) -> Result<BTreeMap<String, String>, Error> {
    if place.sysctls.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(setting::read_all(netns, label, place.sysctls.iter())?.into_iter().collect())
}
