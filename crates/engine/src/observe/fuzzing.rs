//! For the fuzz targets, and only built for them: what observing makes of a message, without a kernel.

use netlink_packet_route::RouteNetlinkMessage as Message;

use super::link::RawLink;
use crate::{Address, Label, LinkRef, Qdisc, Route, link::Surroundings};

/// Reads a message as observing does, and writes down what it says.
pub fn read(message: &Message) {
    let said = match message {
        Message::NewLink(link) => RawLink::decode(link).and_then(|link| link.kind_alone(&Nowhere)),
        Message::NewAddress(address) => Address::decode(address).map(|address| address.net.to_string()),
        Message::NewRoute(route) => Route::decode(route, &|_| None).map(|route| route.to_string()),
        Message::NewQueueDiscipline(qdisc) => Qdisc::decode(qdisc).map(|qdisc| qdisc.to_string()),
        _ => None,
    };
    assert!(said.is_none_or(|text| !text.is_empty()));
}

/// No other link is known.
struct Nowhere;

impl Surroundings for Nowhere {
    fn peer(&self) -> Option<LinkRef> {
        None
    }

    fn below(&self) -> Option<LinkRef> {
        None
    }

    fn netns_below(&self) -> Option<Label> {
        None
    }

    fn in_netns(&self, _: &Label, _: u32) -> Option<LinkRef> {
        None
    }
}
