//! Making, changing and deleting links.

use std::os::fd::{AsFd, AsRawFd};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage},
};
use nix::errno::Errno;
use wireloom_netns::TapOptions;

use super::kernel::{Kernel, NEW};
use crate::{BridgePort, Error, Link, LinkKind, LinkRef, NewLink, Port, Settings, Tap, link::Encoded};

/// How often the kernel is waited for. Each takes 10 ms or more.
const BURIALS: usize = 5;

impl Kernel<'_> {
    /// One request makes the link, or both ends of a pair, in place; a second one for each end gives it its mark, which
    /// a request that makes a link cannot carry, and brings up the far end, which that request refuses.
    pub(super) fn add_link(&mut self, new: &NewLink) -> Result<(), Error> {
        self.make_patiently(new)?;
        let marked =
            self.mark(new, false).and_then(|()| new.peer.as_deref().map_or(Ok(()), |peer| self.mark(peer, true)));
        if marked.is_err() {
            self.del_link(new)?;
        }
        marked
    }

    /// What is occupied may be so by a namespace that was just dropped: whoever looks at one in passing keeps it for
    /// some milliseconds, and the mounts that `ip netns exec` copies do.
    fn make_patiently(&mut self, new: &NewLink) -> Result<(), Error> {
        for _ in 0..BURIALS {
            match self.make_somehow(new) {
                Err(error) if self.is_occupied(new, &error)? => self.bury()?,
                outcome => return outcome,
            }
        }
        self.make_somehow(new)
    }

    /// Somebody may have taken the number that we chose: then the kernel chooses.
    fn make_somehow(&mut self, new: &NewLink) -> Result<(), Error> {
        match self.make(new, true) {
            Err(error) if error.errno() == Some(Errno::EEXIST) && !self.any_name_taken(new)? => self.make(new, false),
            outcome => outcome,
        }
    }

    /// Whether something else than a name is taken: a VNI, or a MAC address on a parent.
    fn is_occupied(&mut self, new: &NewLink, error: &Error) -> Result<bool, Error> {
        let below = new.link.kind.made_from().is_some();
        let taken = matches!(error.errno(), Some(Errno::EEXIST | Errno::EADDRINUSE));
        Ok(below && taken && !self.any_name_taken(new)?)
    }

    fn any_name_taken(&mut self, new: &NewLink) -> Result<bool, Error> {
        let peer = new.peer.as_ref().map(|peer| &peer.at);
        for at in [Some(&new.at), peer].into_iter().flatten() {
            if self.look_up(at)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn make(&mut self, new: &NewLink, with_index: bool) -> Result<(), Error> {
        if let LinkKind::Tap(tap) = &new.link.kind {
            return self.make_tap(new, tap);
        }
        let from = new.link.kind.made_from().unwrap_or(&new.at.netns).clone();
        let mut message = self.new_message(new, with_index, from != new.at.netns)?;
        if new.link.up == Some(true) {
            message.header.flags |= LinkFlags::Up;
            message.header.change_mask |= LinkFlags::Up;
        }
        let encoded = self.encode_kind(&new.at, &new.link)?;
        if let Some(below) = &encoded.below {
            let index = self.index(below)?;
            message.attributes.push(LinkAttribute::Link(index));
        }
        let data = match new.peer.as_deref() {
            None => encoded.data,
            Some(peer) => {
                let message = self.new_message(peer, with_index, peer.at.netns != from)?;
                new.link.kind.encode_pair(&peer.link.kind, message)
            }
        };
        let info = [LinkInfo::Kind(encoded.kind)].into_iter().chain(data.map(LinkInfo::Data));
        message.attributes.push(LinkAttribute::LinkInfo(info.collect()));
        self.request(&from, Message::NewLink(message), NEW)?;
        for end in [Some(new), new.peer.as_deref()].into_iter().flatten() {
            match end.link.index.filter(|_| with_index) {
                Some(index) => self.remember(&end.at, index),
                None => self.forget(&end.at),
            }
        }
        Ok(())
    }

    /// The kernel numbers it, and it gets its group in a second request: until then only the ledger says whose it is.
    fn make_tap(&mut self, new: &NewLink, tap: &Tap) -> Result<(), Error> {
        let Tap { tun, multi_queue, vnet_hdr, user, group } = tap.clone();
        let options = TapOptions { tun, multi_queue, vnet_hdr };
        let netns = &self.open(&new.at.netns)?.netns;
        netns.add_tap(new.at.ifname.as_str(), options, user, group).map_err(Error::netns(&new.at.netns))?;
        self.forget(&new.at);
        let Link { group, mac, mtu, up, controller, .. } = new.link.clone();
        let controller = controller.map(Port::Of);
        let settled = self.set_link(&new.at, &Settings { group, mac, mtu, up, controller, ..Settings::default() });
        if settled.is_err() {
            self.del_link(new)?;
        }
        settled
    }

    /// What a request to make a link says about one end.
    fn new_message(&mut self, new: &NewLink, with_index: bool, elsewhere: bool) -> Result<LinkMessage, Error> {
        let link = &new.link;
        let mut message = LinkMessage::default();
        message.header.index = link.index.filter(|_| with_index).unwrap_or(0);
        let attributes = &mut message.attributes;
        attributes.push(LinkAttribute::IfName(new.at.ifname.to_string()));
        attributes.extend(link.mtu.map(|mtu| LinkAttribute::Mtu(if is_bridge(link) { other(mtu) } else { mtu })));
        attributes.extend(link.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        attributes.extend(link.group.map(LinkAttribute::Group));
        if let Some(queues) = link.queues {
            attributes.extend([LinkAttribute::NumTxQueues(queues), LinkAttribute::NumRxQueues(queues)]);
        }
        if let Some(controller) = link.controller {
            attributes.push(LinkAttribute::Controller(self.index(&LinkRef::new(&new.at.netns, controller))?));
        }
        if elsewhere {
            let target = self.open(&new.at.netns)?;
            attributes.push(LinkAttribute::NetNsFd(target.netns.as_fd().as_raw_fd()));
        }
        Ok(message)
    }

    fn encode_kind(&mut self, at: &LinkRef, link: &Link) -> Result<Encoded, Error> {
        if let Some(parent) = link.kind.parent() {
            self.index(parent)?;
        }
        let encoded = link.kind.encode(&|at| self.known_index(at));
        encoded.ok_or_else(|| Error::NotSupported { feature: format!("way to make {at} ({})", link.kind), since: None })
    }

    fn mark(&mut self, new: &NewLink, bring_up: bool) -> Result<(), Error> {
        let up = new.link.up.filter(|up| bring_up && *up);
        let mtu = new.link.mtu.filter(|_| is_bridge(&new.link));
        let port =
            new.link.port.clone().filter(|port| new.link.controller.is_some() && **port != BridgePort::default());
        self.set_link(&new.at, &Settings { alias: new.link.alias.clone(), up, mtu, port, ..Settings::default() })
    }

    pub(super) fn set_link(&mut self, at: &LinkRef, to: &Settings) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(at)?;
        if let Some(LinkKind::Wireguard(wireguard)) = &to.kind {
            self.configure(at, wireguard)?;
        } else if let Some(kind) = &to.kind {
            let unknown = || Error::NotSupported { feature: format!("way to change {at} ({kind})"), since: None };
            let encoded = kind.encode_change(&|at| self.known_index(at)).ok_or_else(unknown)?;
            let mut change = message.clone();
            let info = [LinkInfo::Kind(encoded.kind)].into_iter().chain(encoded.data.map(LinkInfo::Data));
            change.attributes.push(LinkAttribute::LinkInfo(info.collect()));
            self.request(&at.netns, Message::NewLink(change), 0)?;
        }
        // A bond takes no port that is up, and within one request the kernel sets the flags before the controller.
        if let (Some(Port::Of(controller)), Some(true)) = (to.controller, to.up) {
            let mut join = message.clone();
            join.attributes.push(LinkAttribute::Controller(self.index(&LinkRef::new(&at.netns, controller))?));
            self.request(&at.netns, Message::SetLink(join), 0)?;
        }
        if let Some(up) = to.up {
            message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
            message.header.change_mask = LinkFlags::Up;
        }
        let attributes = &mut message.attributes;
        attributes.extend(to.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
        attributes.extend(to.mtu.map(LinkAttribute::Mtu));
        attributes.extend(to.group.map(LinkAttribute::Group));
        attributes.extend(to.alias.clone().map(LinkAttribute::IfAlias));
        match to.controller {
            None => {}
            Some(Port::Free) => attributes.push(LinkAttribute::Controller(0)),
            Some(Port::Of(bridge)) => {
                attributes.push(LinkAttribute::Controller(self.index(&LinkRef::new(&at.netns, bridge))?));
            }
        }
        if !message.attributes.is_empty() || to.up.is_some() {
            self.request(&at.netns, Message::SetLink(message), 0)?;
        }
        to.port.as_deref().map_or(Ok(()), |port| self.set_port(at, port))
    }

    /// VLANs come before others go, so that what stays is not interrupted.
    fn set_port(&mut self, at: &LinkRef, port: &BridgePort) -> Result<(), Error> {
        let index = self.index(at)?;
        self.request(&at.netns, Message::NewLink(port.encode(index)), 0)?;
        let Some(vlans) = &port.vlans else { return Ok(()) };
        let requests = [Message::SetLink(vlans.encode(index)), Message::DelLink(vlans.encode_others(index))];
        for request in requests {
            match self.request(&at.netns, request, 0) {
                Err(error) if error.errno() == Some(Errno::EOPNOTSUPP) => {
                    let feature = format!("VLANs of bridges (CONFIG_BRIDGE_VLAN_FILTERING), which {at} needs");
                    return Err(Error::NotSupported { feature, since: None });
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// One that is gone already is gone.
    pub(super) fn del_link(&mut self, gone: &NewLink) -> Result<(), Error> {
        let Ok(index) = self.index(&gone.at) else { return Ok(()) };
        let mut message = LinkMessage::default();
        message.header.index = index;
        let outcome = self.request(&gone.at.netns, Message::DelLink(message), 0);
        for end in [Some(gone), gone.peer.as_deref()].into_iter().flatten() {
            self.forget(&end.at);
        }
        match outcome {
            Err(error) if error.errno() == Some(Errno::ENODEV) => Ok(()),
            outcome => outcome,
        }
    }
}

/// The MTU of a bridge follows its ports, until it has been changed on the bridge itself once: br_change_mtu then sets
/// BROPT_MTU_SET_BY_USER. So a bridge is made with another one than it is to have.
fn other(mtu: u32) -> u32 {
    mtu ^ 1
}

fn is_bridge(link: &Link) -> bool {
    matches!(link.kind, LinkKind::Bridge(_))
}
