//! What a bridge does with one of its ports, and the VLANs of that port. Does not know which bridge.

use std::{fmt, str::FromStr};

use netlink_packet_route::{
    AddressFamily,
    link::{
        AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags as Flags, InfoBridgePort, InfoPortData, InfoPortKind,
        LinkAttribute, LinkInfo, LinkMessage,
    },
};
use serde::{Deserialize, Serialize};

/// Settings of a port, like `bridge link set dev PORT isolated on` and `bridge vlan add dev PORT vid 10 pvid untagged`.
/// A port for which a desired state says nothing has the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgePort {
    /// Whether it reaches only ports that are not isolated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub isolated: bool,
    /// Whether the bridge learns addresses from what comes in here.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub learning: bool,
    /// Whether frames may go out where they have come in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hairpin: bool,
    /// Whether a frame of the spanning tree shuts it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub guard: bool,
    /// Cost of a path over it in the spanning tree; `None`: not cared about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
    /// Which of two ports with the same cost; `None`: not cared about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// Its VLANs, where the bridge filters; `None`: not cared about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlans: Option<PortVlans>,
}

/// VLANs of a port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortVlans {
    /// That of frames without a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untagged: Option<u16>,
    /// Those with a tag, in order and apart from each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tagged: Vec<Vids>,
}

/// A VLAN, or several in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Vids {
    /// The first.
    pub first: u16,
    /// The last, which belongs to it.
    pub last: u16,
}

impl Default for BridgePort {
    fn default() -> BridgePort {
        let (cost, priority, vlans) = (None, None, None);
        BridgePort { isolated: false, learning: true, hairpin: false, guard: false, cost, priority, vlans }
    }
}

impl BridgePort {
    /// Whether a port that is as `found` is as wanted.
    pub(crate) fn is_met_by(&self, found: &BridgePort) -> bool {
        *self == self.before(found)
    }

    /// Those settings of `found` that this one speaks of.
    pub(crate) fn before(&self, found: &BridgePort) -> BridgePort {
        let vlans = self.vlans.as_ref().and(found.vlans.clone());
        BridgePort { cost: self.cost.and(found.cost), priority: self.priority.and(found.priority), vlans, ..*found }
    }

    /// What a change of the link with that number says.
    pub(crate) fn encode(&self, index: u32) -> LinkMessage {
        let mut data = vec![
            InfoBridgePort::Isolated(self.isolated),
            InfoBridgePort::Learning(self.learning),
            InfoBridgePort::HairpinMode(self.hairpin),
            InfoBridgePort::Guard(self.guard),
        ];
        data.extend(self.cost.map(InfoBridgePort::Cost));
        data.extend(self.priority.map(InfoBridgePort::Priority));
        let info = vec![LinkInfo::PortKind(InfoPortKind::Bridge), LinkInfo::PortData(InfoPortData::BridgePort(data))];
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes.push(LinkAttribute::LinkInfo(info));
        message
    }

    /// Reads the settings of an observed port of a bridge.
    pub(crate) fn decode(info: &[LinkInfo]) -> Option<BridgePort> {
        let data = info.iter().find_map(|info| match info {
            LinkInfo::PortData(InfoPortData::BridgePort(data)) => Some(data),
            _ => None,
        })?;
        let mut port = BridgePort::default();
        for attribute in data {
            match attribute {
                InfoBridgePort::Isolated(on) => port.isolated = *on,
                InfoBridgePort::Learning(on) => port.learning = *on,
                InfoBridgePort::HairpinMode(on) => port.hairpin = *on,
                InfoBridgePort::Guard(on) => port.guard = *on,
                InfoBridgePort::Cost(cost) => port.cost = Some(*cost),
                InfoBridgePort::Priority(priority) => port.priority = Some(*priority),
                _ => {}
            }
        }
        Some(port)
    }
}

impl PortVlans {
    /// The highest number: 4095 is reserved.
    pub const LAST: u16 = 4094;

    /// Of these, in order and without overlaps.
    pub fn new(untagged: Option<u16>, tagged: impl IntoIterator<Item = Vids>) -> PortVlans {
        let mut wanted = [false; PortVlans::LAST as usize + 2];
        for vids in tagged {
            (vids.first..=vids.last.min(PortVlans::LAST)).for_each(|vid| wanted[usize::from(vid)] = true);
        }
        if let Some(mark) = untagged.and_then(|vid| wanted.get_mut(usize::from(vid))) {
            *mark = false;
        }
        PortVlans { untagged, tagged: rows(|vid| wanted[usize::from(vid)]) }
    }

    fn has(&self, vid: u16) -> bool {
        self.untagged == Some(vid) || self.tagged.iter().any(|vids| (vids.first..=vids.last).contains(&vid))
    }

    /// A request that adds them (RTM_SETLINK) to the port with that number.
    pub(crate) fn encode(&self, index: u32) -> LinkMessage {
        let untagged = self.untagged.map(|vid| info(vid, Flags::Pvid | Flags::Untagged));
        let tagged = self.tagged.iter().flat_map(|vids| vids.encode());
        message(index, tagged.chain(untagged))
    }

    /// A request that removes all others (RTM_DELLINK): what is not there is passed over by br_vlan_info.
    pub(crate) fn encode_others(&self, index: u32) -> LinkMessage {
        message(index, rows(|vid| !self.has(vid)).iter().flat_map(Vids::encode))
    }

    /// Reads what a dump with RTEXT_FILTER_BRVLAN says. A VLAN of a shape that we do not make is left out, so that it
    /// counts as a difference.
    pub(crate) fn decode(attributes: &[LinkAttribute]) -> PortVlans {
        let mut vlans = PortVlans::default();
        let specs = attributes.iter().filter_map(|attribute| match attribute {
            LinkAttribute::AfSpecBridge(specs) => Some(specs),
            _ => None,
        });
        for spec in specs.flatten() {
            let AfSpecBridge::VlanInfo(info) = spec else { continue };
            match (info.flags.contains(Flags::Pvid), info.flags.contains(Flags::Untagged)) {
                (true, true) => vlans.untagged = Some(info.vid),
                (false, false) => vlans.tagged.push(Vids { first: info.vid, last: info.vid }),
                _ => {}
            }
        }
        PortVlans::new(vlans.untagged, vlans.tagged)
    }
}

/// The numbers that are so, in rows.
fn rows(is_so: impl Fn(u16) -> bool) -> Vec<Vids> {
    let mut rows: Vec<Vids> = Vec::new();
    for vid in (1..=PortVlans::LAST).filter(|vid| is_so(*vid)) {
        match rows.last_mut() {
            Some(row) if row.last + 1 == vid => row.last = vid,
            _ => rows.push(Vids { first: vid, last: vid }),
        }
    }
    rows
}

fn info(vid: u16, flags: Flags) -> AfSpecBridge {
    AfSpecBridge::VlanInfo(BridgeVlanInfo { flags, vid })
}

fn message(index: u32, specs: impl IntoIterator<Item = AfSpecBridge>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    message.header.index = index;
    message.attributes.push(LinkAttribute::AfSpecBridge(specs.into_iter().collect()));
    message
}

impl Vids {
    fn encode(&self) -> Vec<AfSpecBridge> {
        if self.first == self.last {
            return vec![info(self.first, Flags::empty())];
        }
        vec![info(self.first, Flags::RangeBegin), info(self.last, Flags::RangeEnd)]
    }
}

/// Why a text is no number of a VLAN, and no range of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a VLAN from 1 to 4094 nor a range of them")]
pub struct BadVids(String);

impl FromStr for Vids {
    type Err = BadVids;

    fn from_str(text: &str) -> Result<Vids, BadVids> {
        let number = |text: &str| text.trim().parse().ok().filter(|vid| (1..=PortVlans::LAST).contains(vid));
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Vids { first, last }),
            _ => Err(BadVids(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Vids {
    type Error = BadVids;

    fn try_from(text: String) -> Result<Vids, BadVids> {
        text.parse()
    }
}

impl From<Vids> for String {
    fn from(vids: Vids) -> String {
        vids.to_string()
    }
}

impl fmt::Display for Vids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl fmt::Display for PortVlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tagged = self.tagged.iter().map(Vids::to_string);
        let all: Vec<_> = self.untagged.map(|vid| format!("{vid} untagged")).into_iter().chain(tagged).collect();
        if all.is_empty() { f.write_str("none") } else { f.write_str(&all.join(" ")) }
    }
}

impl fmt::Display for BridgePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.isolated.then(|| "isolated".to_owned()),
            (!self.learning).then(|| "no learning".to_owned()),
            self.hairpin.then(|| "hairpin".to_owned()),
            self.guard.then(|| "guard".to_owned()),
            self.cost.map(|cost| format!("cost {cost}")),
            self.priority.map(|priority| format!("priority {priority}")),
            self.vlans.as_ref().map(|vlans| format!("vlan {vlans}")),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        f.write_str(if words.is_empty() { "plain" } else { "" })?;
        f.write_str(&words.join(" "))
    }
}
