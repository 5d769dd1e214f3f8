//! Addresses, routes and root qdiscs with our number on interfaces of others: what a topology leaves there whose ledger
//! is lost. What is on links of ours, or in namespaces of ours, goes with those, and is not told here.

use std::collections::BTreeMap;

use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage as Message,
    address::{AddressAttribute, AddressMessage, AddressProtocol},
    link::{LinkAttribute, LinkMessage},
    route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteProtocol},
    tc::{TcHandle, TcMessage},
};
use nix::errno::Errno;
use wireloom_engine::{IfName, Mark, Origin, Qdisc, Route, Source, State};
use wireloom_netlink::{Result, Socket};
use wireloom_netns::Netns;

use crate::{failure::Failure, place};

/// What the kernel says of what is not there, or not any more.
const GONE: [Errno; 4] = [Errno::EADDRNOTAVAIL, Errno::ESRCH, Errno::ENODEV, Errno::ENOENT];

/// Something that has our number.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Where.
    pub(crate) source: Source,
    inode: u64,
    what: What,
    delete: Message,
}

#[derive(Debug)]
enum What {
    Address { ifname: IfName, net: IpNet },
    Route { table: u32, destination: IpNet },
    Qdisc { ifname: IfName },
}

/// What is there in a namespace.
pub(crate) fn inside(netns: &Netns, source: &Source) -> Result<Vec<Trace>> {
    let Ok(inode) = netns.inode() else { return Ok(Vec::new()) };
    let mut socket = Socket::open(netns)?;
    let Some(others) = links_of_others(&mut socket)? else { return Ok(Vec::new()) };
    let requests = [
        Message::GetAddress(AddressMessage::default()),
        Message::GetRoute(RouteMessage::default()),
        Message::GetQueueDiscipline(TcMessage::default()),
    ];
    let mut traces = Vec::new();
    for request in requests {
        let found = socket.dump(request)?.into_iter().filter_map(|answer| match answer {
            Message::NewAddress(message) => address(&message, &others),
            Message::NewRoute(message) => route(&message, &others),
            Message::NewQueueDiscipline(message) => qdisc(&message, &others),
            _ => None,
        });
        traces.extend(found.map(|(what, delete)| Trace { source: source.clone(), inode, what, delete }));
    }
    Ok(traces)
}

/// The links without our mark, by number; none in a namespace of ours.
fn links_of_others(socket: &mut Socket) -> Result<Option<BTreeMap<u32, IfName>>> {
    let mut others = BTreeMap::new();
    for answer in socket.dump(Message::GetLink(LinkMessage::default()))? {
        let Message::NewLink(message) = answer else { continue };
        let (mut mark, mut ifname) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfAlias(alias) => mark = Mark::parse(alias),
                LinkAttribute::IfName(name) => ifname = name.parse().ok(),
                _ => {}
            }
        }
        match (mark, ifname) {
            (Some(mark), _) if !mark.id.contains(':') => return Ok(None),
            (None, Some(ifname)) => drop(others.insert(message.header.index, ifname)),
            _ => {}
        }
    }
    Ok(Some(others))
}

fn address(message: &AddressMessage, others: &BTreeMap<u32, IfName>) -> Option<(What, Message)> {
    let ours = AddressAttribute::Protocol(AddressProtocol::Other(Origin::PROTOCOL));
    let ifname = *others.get(&message.header.index).filter(|_| message.attributes.contains(&ours))?;
    let (mut local, mut address) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => address = Some(*ip),
            _ => {}
        }
    }
    let net = IpNet::new(local.or(address)?, message.header.prefix_len).ok()?;
    let mut delete = message.clone();
    delete.attributes.retain(|a| matches!(a, AddressAttribute::Local(_) | AddressAttribute::Address(_)));
    Some((What::Address { ifname, net }, Message::DelAddress(delete)))
}

fn route(message: &RouteMessage, others: &BTreeMap<u32, IfName>) -> Option<(What, Message)> {
    let header = &message.header;
    if header.protocol != RouteProtocol::Other(Origin::PROTOCOL) || header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    let mut destination = None;
    let mut table = header.table.into();
    let mut links = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(ip)) => destination = Some((*ip).into()),
            RouteAttribute::Destination(RouteAddress::Inet6(ip)) => destination = Some((*ip).into()),
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Oif(index) => links.push(*index),
            RouteAttribute::MultiPath(hops) => links.extend(hops.iter().map(|hop| hop.interface_index)),
            _ => {}
        }
    }
    // It goes with a link of ours.
    if links.iter().any(|index| !others.contains_key(index)) {
        return None;
    }
    let anywhere = if header.address_family == AddressFamily::Inet { "0.0.0.0" } else { "::" };
    let destination = destination.or_else(|| anywhere.parse().ok())?;
    let destination = IpNet::new(destination, header.destination_prefix_length).ok()?;
    let mut delete = message.clone();
    delete.header.flags = RouteFlags::empty();
    delete.attributes.retain(|a| !matches!(a, RouteAttribute::CacheInfo(_)));
    Some((What::Route { table, destination }, Message::DelRoute(delete)))
}

fn qdisc(message: &TcMessage, others: &BTreeMap<u32, IfName>) -> Option<(What, Message)> {
    let header = &message.header;
    if header.parent != TcHandle::ROOT || !Qdisc::is_ours(header.handle.major) {
        return None;
    }
    let ifname = *others.get(&u32::try_from(header.index).ok()?)?;
    let mut delete = TcMessage::default();
    delete.header = header.clone();
    delete.header.info = 0;
    Some((What::Qdisc { ifname }, Message::DelQueueDiscipline(delete)))
}

impl Trace {
    /// `address`, `route` or `qdisc`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.what {
            What::Address { .. } => "address",
            What::Route { .. } => "route",
            What::Qdisc { .. } => "qdisc",
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match &self.what {
            What::Address { ifname, net } => format!("{net} on {ifname}"),
            What::Route { table, destination } if *table == Route::MAIN => destination.to_string(),
            What::Route { table, destination } => format!("{destination} table {table}"),
            What::Qdisc { ifname } => format!("root on {ifname}"),
        }
    }

    /// Whether a state asks for it.
    pub(crate) fn is_named_by(&self, state: &State) -> bool {
        let here = |source: &Source| source.open().and_then(|netns| netns.inode()).ok() == Some(self.inode);
        state.namespaces.values().filter(|netns| here(&netns.source)).any(|netns| match &self.what {
            What::Address { ifname, net } => {
                netns.links.get(ifname).is_some_and(|link| link.addresses.iter().any(|address| address.net == *net))
            }
            What::Route { table, destination } => {
                netns.routes.iter().any(|route| (route.table, route.destination) == (*table, *destination))
            }
            What::Qdisc { ifname } => netns.links.get(ifname).is_some_and(|link| link.qdisc.is_some()),
        })
    }

    /// Takes it away. What is gone by now is fine.
    pub(crate) fn remove(&self) -> std::result::Result<(), Failure> {
        let Ok(netns) = self.source.open() else { return Ok(()) };
        if netns.inode()? != self.inode {
            return Ok(());
        }
        let mut socket = Socket::open(&netns).map_err(|cause| self.failed(cause))?;
        match socket.request(self.delete.clone(), 0) {
            Err(error) if error.errno().is_some_and(|errno| GONE.contains(&errno)) => Ok(()),
            other => other.map_err(|cause| self.failed(cause)),
        }
    }

    fn failed(&self, cause: wireloom_netlink::Error) -> Failure {
        let place = place::path(&self.source).display().to_string();
        Failure::Trace { what: format!("{} {}", self.kind(), self.name()), place, cause }
    }
}
