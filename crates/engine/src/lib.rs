//! Makes the kernel's networking match a desired [`State`]: observe, plan, apply, verify, undo. Synchronous.
//! Deliberately does not know containers, pods, documents or files of its own.

mod address;
mod apply;
mod converge;
mod error;
mod ethtool;
mod firewall;
mod link;
mod mac;
mod name;
mod object;
mod observe;
mod ownership;
mod plan;
mod qdisc;
mod setting;
mod state;
mod sysctl;
mod verify;

pub use wireloom_netlink::{
    ethtool::SettingError,
    wireguard::{PublicKey, SecretKey},
};

#[cfg(fuzzing)]
pub use self::observe::fuzzing;
pub use self::{
    address::{Address, Origin},
    apply::{Control, Journal, PhaseTime, Progress},
    converge::{Failure, Missing, Report, Undone, converge, converge_leaving},
    error::{Error, Kind},
    ethtool::DeviceSetting,
    firewall::{Firewall, Forward, IpFamily, Nat, Protocol, Uplink},
    link::{
        BadVids, Bond, BondMode, Bridge, BridgePort, Dummy, Geneve, IpTunnel, Ipvlan, IpvlanFlag, IpvlanMode, Ipvtap,
        Link, LinkKind, Macvlan, MacvlanMode, Macvtap, Netkit, NetkitMode, NetkitPolicy, PeerKey, PortVlans, Tap,
        TunnelForm, Veth, Vids, Vlan, VlanProtocol, Vrf, Vxlan, Wireguard, WireguardPeer,
    },
    mac::{Mac, MacError},
    name::{IfName, Label, LinkRef, NameError, Owner},
    object::{
        Encap, Entry, FwMark, Hop, Lookup, Neighbour, Nexthop, Object, Ports, Route, RouteKind, Rule, RuleAction, Seg6,
        Seg6Local, Way,
    },
    observe::{Scope, observe},
    ownership::Mark,
    plan::{Conflict, Extra, NewLink, Phase, Plan, Port, Settings, Step, plan, plan_leaving, undo},
    qdisc::{Distribution, LossModel, Netem, Qdisc, Slot, Tbf},
    state::{Namespace, Source, State},
};

use verify::verify;

/// A hash that never changes from release to release (FNV-1a, finished with a mix, parts kept apart).
pub(crate) fn stable_hash(parts: &[&[u8]]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = fnv::FnvHasher::default();
    for part in parts {
        hasher.write(&(part.len() as u32).to_le_bytes());
        hasher.write(part);
    }
    // The high bits of FNV hardly move with the last bytes: mix them (the finish of splitmix64).
    let mut x = hasher.finish();
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
