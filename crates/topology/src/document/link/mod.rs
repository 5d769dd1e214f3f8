//! A link: its keys, and the kinds with the keys that each of them takes; one file for each kind. Does not know how
//! links are put into a state.

mod bond;
mod dummy;
mod geneve;
mod ip_tunnel;
mod ipvlan;
mod macvlan;
mod netkit;
mod tap;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use wireloom_engine::{IfName, Mac, Vids};

pub(crate) use self::wireguard::PORT as WIREGUARD_PORT;
use self::{vlan::Protocol, wireguard::PeerSpec};
use crate::{
    document::{
        address::{Bare, HostAddress, Subnet},
        ethtool::EthtoolSpec,
        forward::Ports,
        keys::{Container, keys},
        netem::NetemSpec,
        route::RouteLine,
        text::{Number, PerEnd, Text, Word},
        units::{MtuNumber, Rate, Whole},
    },
    expand::Pattern,
    lower::{Builder, Copied},
    read::{Field, Items, OneOrMany, nearest},
    wrong::Wrong,
};

keys! {
    /// A link: with `endpoints` between two nodes, with `node` between a node and a bridge or whatever its `type` says.
    /// Ranges in its ends make several links; then `{a}` and `{b}` are the numbers of the two ends (`{n}` that of the
    /// only end), `{i}` counts from 0, and `{a+100}`, `{b-1}`, `{a:x}` (hexadecimal) work too.
    pub(crate) struct LinkSpec {
        /// The two ends, each `NODE:INTERFACE`: one veth pair.
        endpoints: Items<Field<Word<Pattern>>>,
        /// How ranges in both ends are paired: each with each, or first with first.
        pairs: Pairs,
        /// The node of a link with one end.
        node: Word<Pattern>,
        /// The interface in the node, `eth0` without it.
        dev: Text<IfName>,
        /// The bridge that a link with one end goes to, or `NODE:BRIDGE`.
        bridge: Text<String>,
        /// The VLAN of the port at the bridge, 1 to 4094: its frames have no tag on the link.
        vlan: Number,
        /// VLANs whose frames have their tags on the link, like `[10, 20-30]`.
        trunk: OneOrMany<Text<Vids>>,
        /// The VLAN of frames without a tag, beside those of `trunk`.
        native: Number,
        /// Whether the port reaches only ports that are not isolated.
        isolated: bool,
        /// Whether the bridge learns addresses from the port; true without it.
        learning: bool,
        /// Whether frames may go back out of the port that they came in by.
        hairpin: bool,
        /// Whether a frame of the spanning tree shuts the port.
        guard: bool,
        /// Cost of a path over the port, in the spanning tree.
        cost: Whole<1, 65_535>,
        /// Which of two ports of the same cost, in the spanning tree: the lowest.
        priority: Whole<0, 63>,
        /// What the link is, `veth` without it.
        r#type: Word<KindName>,
        /// Addresses with prefix length, one or several. With `endpoints`: a list of two, for each end one or several,
        /// or null.
        ip: PerEnd<HostAddress>,
        /// MAC address; with `endpoints` a list of two. Without it, one that stays the same.
        mac: PerEnd<Mac>,
        /// Largest packet in bytes; without it 1500, the bridge's, or what fits into the interface below.
        mtu: MtuNumber,
        /// Routes as `ip route add` takes them, out of this interface; with `endpoints` a list of two.
        route: PerEnd<RouteLine>,
        /// For a veth the name of the end at the bridge; for others the interface below.
        outer_dev: Text<IfName>,
        /// Who may talk to whom (macvlan, macvtap): `bridge`, `private`, `vepa`, `passthru`; how far packets are routed
        /// (ipvlan, ipvtap): `l2`, `l3`, `l3s`; what a netkit carries: `l3`, `l2`.
        mode: Word<String>,
        /// Who may talk to whom (ipvlan, ipvtap): `bridge`, `private`, `vepa`.
        flag: Word<String>,
        /// What becomes of packets that an end of a netkit sends: a list of two, each `forward` or `blackhole`.
        policy: PerEnd<String>,
        /// The tag of a vlan, 1 to 4094.
        vlanid: Number,
        /// Which tag a vlan has: `802.1q`, or `802.1ad` for the outer one of two.
        protocol: Word<Protocol>,
        /// The bond or vrf of the node that the link is a port of; with `endpoints` a list of two.
        controller: PerEnd<IfName>,
        /// The routing table of a vrf.
        table: Number,
        /// Who sends in a bond; `balance-rr` without it.
        bond_mode: Word<bond::Mode>,
        /// Milliseconds between two looks of a bond at its ports; 100 without it, 0 for never.
        bond_miimon: Whole<0, 1_000_000>,
        /// The port that a bond uses whenever it works.
        bond_primary: Text<IfName>,
        /// Network identifier of a vxlan or geneve, 1 to 16777215.
        vni: Number,
        /// Address of the other end of a tunnel.
        remote: Text<Bare>,
        /// Source address of the outer packets of a tunnel.
        local: Text<Bare>,
        /// UDP port of a vxlan, 4789 without it; of a geneve, 6081 without it; of a
        /// wireguard, 51820 without it.
        port: Whole<1, 65_535>,
        /// Hops that an outer packet of a tunnel may take; without it, as many as the inner packet, or the usual ones.
        ttl: Whole<1, 255>,
        /// Tells gre tunnels between the same two ends apart.
        key: Whole<0, { u32::MAX }>,
        /// Where the interface below is: `host` is the namespace that wireloom runs in, `local` the node.
        base: Base,
        /// Impairment, on the end in the node; with `endpoints` on both.
        netem: NetemSpec,
        /// Rate, on the end in the node; with `endpoints` on both.
        rate: Word<Rate>,
        /// A remark, kept in the interface's alias.
        alias: PerEnd<String>,
        /// Queues for each direction, 1 without it.
        queues: Whole<1, 4096>,
        /// Whether it is to be up; true without it.
        up: bool,
        /// Networks to hand out addresses from. Links made by ranges take one /31 or /127 each.
        subnet: OneOrMany<Text<Subnet>>,
        /// Not yet: the container of this end.
        container: Container,
        /// Not yet: the compose service of this end.
        service: Container,
        /// An address further inside that the interface's own stands for; with `endpoints` a list of two.
        nat: PerEnd<Bare>,
        /// Ports of the node that are open elsewhere, like `8080:80/tcp`: one, or several. With `endpoints` a list of two,
        /// or one text where one end is at `host`.
        forward: PerEnd<Ports>,
        /// A file with the private key of a wireguard; without it, `up` makes one up.
        private_key: Text<String>,
        /// Mark of a wireguard's outer packets, for rules.
        fwmark: Number,
        /// Whom a wireguard talks to.
        peers: Items<PeerSpec>,
        /// The user that may open a tap or tun, by number.
        user: Whole<0, 0xffff_fffe>,
        /// The group that may open a tap or tun, by number.
        group: Whole<0, 0xffff_fffe>,
        /// Whether several queues of a tap or tun may be opened.
        multi_queue: bool,
        /// Whether packets of a tap or tun carry a `virtio_net_hdr`.
        vnet_hdr: bool,
        /// Offloads and other settings of the device, as ethtool takes them, like `--offload tso off tx off`; or keys,
        /// like `{features: {tso: off}}`. With `endpoints` on both.
        ethtool: EthtoolSpec,
    }
}

/// Keys of a link to a bridge that speak of its port there.
pub(crate) static OF_PORT: [&str; 9] =
    ["vlan", "trunk", "native", "isolated", "learning", "hairpin", "guard", "cost", "priority"];

/// How ranges in both ends of a link are paired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pairs {
    /// Each with each.
    #[default]
    Product,
    /// First with first, second with second.
    Zip,
}

/// Where the interface below is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Base {
    /// In the namespace that wireloom runs in.
    Host,
    /// In the node.
    Local,
}

/// A kind of link, as documents know it. To add one: a file beside this one, a line in [`KINDS`], and the keys that it
/// alone has in [`LinkSpec`].
pub(crate) struct Kind {
    /// What `type:` calls it.
    pub(crate) name: &'static str,
    /// The keys that it takes beside [`COMMON`].
    keys: &'static [&'static str],
    /// Puts one copy of the link into the state; what is wrong is noted.
    pub(crate) lower: fn(&mut Builder, &Copied<'_>) -> Option<()>,
}

static KINDS: [&Kind; 22] = [
    &bond::KIND,
    &vrf::KIND,
    &veth::KIND,
    &dummy::KIND,
    &vlan::KIND,
    &macvlan::KIND,
    &macvlan::TAP,
    &ipvlan::KIND,
    &ipvlan::TAP,
    &vxlan::KIND,
    &geneve::KIND,
    &ip_tunnel::KINDS[0],
    &ip_tunnel::KINDS[1],
    &ip_tunnel::KINDS[2],
    &ip_tunnel::KINDS[3],
    &ip_tunnel::KINDS[4],
    &ip_tunnel::KINDS[5],
    &ip_tunnel::KINDS[6],
    &netkit::KIND,
    &wireguard::KIND,
    &tap::TAP,
    &tap::TUN,
];

/// Keys that every kind takes.
const COMMON: [&str; 15] = [
    "controller",
    "node",
    "dev",
    "type",
    "ip",
    "mac",
    "mtu",
    "route",
    "alias",
    "up",
    "netem",
    "rate",
    "ethtool",
    "nat",
    "forward",
];

/// The name of a kind, looked up.
#[derive(Clone, Copy)]
pub(crate) struct KindName(pub(crate) &'static Kind);

impl std::fmt::Debug for KindName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for KindName {
    fn eq(&self, other: &KindName) -> bool {
        self.0.name == other.0.name
    }
}

impl FromStr for KindName {
    type Err = Wrong;

    fn from_str(name: &str) -> Result<Self, Wrong> {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let kind = KINDS.iter().find(|kind| kind.name == name);
        kind.map(|kind| KindName(kind))
            .ok_or_else(|| Wrong::new(format!("unknown type `{name}` of a link"), nearest(name, &names)))
    }
}

impl LinkSpec {
    /// What the link is.
    pub(crate) fn kind(&self) -> &'static Kind {
        self.r#type.get().map_or(&veth::KIND, |Word(name)| name.0)
    }
}

impl Kind {
    /// Whether it takes the key; if not, what to say about it.
    pub(crate) fn takes(&self, key: &str) -> Result<(), Wrong> {
        if COMMON.contains(&key) || self.keys.contains(&key) {
            return Ok(());
        }
        let takers: Vec<&str> = KINDS.iter().filter(|kind| kind.keys.contains(&key)).map(|kind| kind.name).collect();
        let help = format!("links of type {} take it: say so with `type:`, or leave it out", takers.join(", "));
        Err(Wrong::new(format!("a link of type `{}` does not take `{key}`", self.name), help))
    }
}
