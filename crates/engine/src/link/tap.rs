//! tap and tun: interfaces whose other end is a program. The kernel has no request for them: they are made by opening
//! /dev/net/tun, and marked afterwards.

use std::fmt;

use netlink_packet_core::Nla;
use netlink_packet_route::link::{InfoData, InfoKind, InfoTun};
use serde::{Deserialize, Serialize};

use super::{Encoded, Kind, KindChange, Surroundings};
use crate::LinkRef;

/// Like `ip tuntap add dev NAME mode tap|tun [user U] [group G] [multi_queue] [vnet_hdr]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tap {
    /// IP packets instead of Ethernet frames.
    pub tun: bool,
    /// The user that may open it, by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
    /// The group that may open it, by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// Whether several queues of it may be opened.
    pub multi_queue: bool,
    /// Whether packets carry a `virtio_net_hdr`.
    pub vnet_hdr: bool,
}

const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;
const IFLA_TUN_VNET_HDR: u16 = 5;
const IFLA_TUN_MULTI_QUEUE: u16 = 7;
/// IFF_TUN as a value of IFLA_TUN_TYPE.
const TUN: u8 = 1;

impl Tap {
    fn mode(&self) -> &'static str {
        if self.tun { "tun" } else { "tap" }
    }

    fn in_words(&self) -> String {
        let number = |name: &str, number: Option<u32>| number.map(|number| format!("{name} {number}"));
        let flag = |name: &str, on: bool| on.then(|| name.to_owned());
        let words = [
            Some(self.mode().to_owned()),
            number("user", self.user),
            number("group", self.group),
            flag("multi_queue", self.multi_queue),
            flag("vnet_hdr", self.vnet_hdr),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Kind for Tap {
    fn name(&self) -> &'static str {
        self.mode()
    }

    fn has_mac(&self) -> bool {
        !self.tun
    }

    /// A program that has it open would have to open it again in any case.
    fn change(&self, found: &Tap) -> KindChange {
        KindChange::fixed("mode", &found.in_words(), &self.in_words()).unwrap_or(KindChange::Same)
    }

    /// Only for changes, and nothing of it changes.
    fn encode(&self, _: &dyn Fn(&LinkRef) -> Option<u32>) -> Encoded {
        Encoded { kind: InfoKind::Tun, data: None, below: None }
    }

    fn decode(kind: &InfoKind, data: Option<&InfoData>, _: &dyn Surroundings) -> Option<Tap> {
        let (InfoKind::Tun, Some(InfoData::Tun(data))) = (kind, data) else { return None };
        let find = |wanted: u16| data.iter().find(|nla| nla.kind() == wanted).map(value);
        let number = |wanted| find(wanted).and_then(|bytes| Some(u32::from_ne_bytes(*bytes.first_chunk()?)));
        let byte = |wanted| find(wanted).and_then(|bytes| bytes.first().copied()).unwrap_or_default();
        Some(Tap {
            tun: byte(IFLA_TUN_TYPE) == TUN,
            user: number(IFLA_TUN_OWNER),
            group: number(IFLA_TUN_GROUP),
            multi_queue: byte(IFLA_TUN_MULTI_QUEUE) != 0,
            vnet_hdr: byte(IFLA_TUN_VNET_HDR) != 0,
        })
    }
}

fn value(nla: &InfoTun) -> Vec<u8> {
    let mut bytes = vec![0; nla.value_len()];
    nla.emit_value(&mut bytes);
    bytes
}

impl fmt::Display for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words())
    }
}
