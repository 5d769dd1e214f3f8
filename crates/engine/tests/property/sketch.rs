//! Random topologies in two versions: what they are made of, and how they are drawn. Deliberately knows no [`State`]
//! (that is `build`): a sketch is small numbers, so that a failing one shrinks.
//!
//! [`State`]: wireloom_engine::State

use proptest::{collection::vec, option, prelude::*};

/// Own nodes are 0 to 5, this one is the namespace of others.
pub(crate) const OFFICE: usize = 6;

/// A part that each of the two versions has or has not, and in its own way.
pub(crate) type Versions<T> = [Option<T>; 2];

/// One case: a topology, what it becomes, and what happens to it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// How many own nodes each version has.
    pub(crate) nodes: [usize; 2],
    /// Whether each version uses the namespace of others, which is always there.
    pub(crate) office: [bool; 2],
    pub(crate) cables: Vec<Versions<Cable>>,
    pub(crate) switches: Vec<Versions<Switch>>,
    pub(crate) tunnels: Vec<Versions<Tunnel>>,
    pub(crate) macvlans: Vec<Versions<Macvlan>>,
    pub(crate) routes: Vec<Versions<Route>>,
    pub(crate) sysctls: Vec<Versions<Sysctl>>,
    /// Loopback addresses by their node.
    pub(crate) loopbacks: Vec<Versions<usize>>,
    /// What somebody does to it from outside.
    pub(crate) damages: Vec<Damage>,
    /// Where the first up, the second and the down are stopped once, before they may run to their end.
    pub(crate) stops: [Option<usize>; 3],
}

/// A veth pair.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cable {
    pub(crate) ends: [usize; 2],
    /// None, /24, /31, or /24 with more addresses.
    pub(crate) v4: u8,
    /// None, /64, /127, or two of them.
    pub(crate) v6: u8,
    /// Which subnets and MAC addresses.
    pub(crate) salt: u8,
    pub(crate) mtu: u32,
    pub(crate) queues: u32,
    /// The end that is down.
    pub(crate) down: Option<usize>,
    pub(crate) rate: Option<u64>,
    pub(crate) remark: bool,
}

/// A bridge in the hub, with a port for each of these nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Switch {
    pub(crate) ports: Vec<usize>,
    pub(crate) stp: Option<bool>,
    pub(crate) mtu: u32,
    pub(crate) address: bool,
    /// One port has a pair of its own, and is in no bridge.
    pub(crate) unplugged: bool,
    pub(crate) mask: Option<u16>,
    /// Whether its ports have settings of their own.
    pub(crate) settings: bool,
}

/// A vxlan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tunnel {
    pub(crate) node: usize,
    /// The namespace of the outer packets: a node, or where we run.
    pub(crate) underlay: Option<usize>,
    pub(crate) vni: u32,
    pub(crate) remote: u8,
    pub(crate) v6: bool,
    /// A port of that switch, in the hub.
    pub(crate) switch: Option<usize>,
}

/// A macvlan over the uplink of the host, or over the first end of a cable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Macvlan {
    pub(crate) node: usize,
    pub(crate) cable: Option<usize>,
    pub(crate) mode: u8,
    /// As its parent, 1300, or not said.
    pub(crate) mtu: u8,
}

/// A route of a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) node: usize,
    pub(crate) v6: bool,
    pub(crate) shape: Shape,
    /// Which of the node's cables it takes.
    pub(crate) pick: usize,
    pub(crate) metric: Option<u32>,
    pub(crate) table: u32,
    pub(crate) mtu: Option<u32>,
    pub(crate) source: bool,
}

/// What kind of route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Via,
    Dev,
    Multipath,
    Blackhole,
    Unreachable,
    Prohibit,
}

/// A setting of a node, for all of it or for one of its cables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sysctl {
    pub(crate) node: usize,
    pub(crate) link: Option<usize>,
    pub(crate) value: u8,
}

/// What somebody does to the object that the number picks.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    pub(crate) kind: u8,
    pub(crate) pick: usize,
}

/// Mostly in both versions alike; also only in one, and changed.
fn versions<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T> + Clone) -> impl Strategy<Value = Versions<T>> {
    (of.clone(), of, 0..10).prop_map(|(first, second, how)| match how {
        0..4 => [Some(first.clone()), Some(first)],
        4..8 => [Some(first), Some(second)],
        8 => [Some(first), None],
        _ => [None, Some(second)],
    })
}

fn node() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![9 => 0..OFFICE, 1 => Just(OFFICE)]
}

fn cable() -> impl Strategy<Value = Cable> + Clone {
    let rates = option::weighted(0.2, prop::sample::select(vec![8_000_000, 16_000_000]));
    let mtu = prop::sample::select(vec![1500, 1500, 9000, 1280, 1000]);
    let settings = (mtu, 1..3u32, option::weighted(0.1, 0..2usize), rates, any::<bool>());
    ([node(), node()], 0..4u8, 0..4u8, 0..2u8, settings).prop_map(
        |(ends, v4, v6, salt, (mtu, queues, down, rate, remark))| Cable {
            // A link with so small an MTU has no IPv6.
            v6: if mtu < 1280 { 0 } else { v6 },
            ends,
            v4,
            salt,
            mtu,
            queues,
            down,
            rate,
            remark,
        },
    )
}

fn switch() -> impl Strategy<Value = Switch> + Clone {
    let mtu = prop::sample::select(vec![1500, 1400, 9000]);
    let masks = option::of(prop::sample::select(vec![0, 8, 0xfff8]));
    let more = (prop::bool::weighted(0.2), masks, any::<bool>());
    (vec(node(), 0..4), option::of(any::<bool>()), mtu, any::<bool>(), more).prop_map(
        |(ports, stp, mtu, address, (unplugged, mask, settings))| Switch {
            ports,
            stp,
            mtu,
            address,
            unplugged,
            mask,
            settings,
        },
    )
}

fn tunnel() -> impl Strategy<Value = Tunnel> + Clone {
    let underlay = option::of(0..OFFICE);
    (node(), underlay, 0..2u32, 1..4u8, any::<bool>(), option::weighted(0.4, 0..2usize))
        .prop_map(|(node, underlay, vni, remote, v6, switch)| Tunnel { node, underlay, vni, remote, v6, switch })
}

fn macvlan() -> impl Strategy<Value = Macvlan> + Clone {
    (node(), option::weighted(0.6, 0..5usize), 0..3u8, 0..3u8).prop_map(|(node, cable, mode, mtu)| Macvlan {
        node,
        cable,
        mode,
        mtu,
    })
}

fn route() -> impl Strategy<Value = Route> + Clone {
    use Shape::{Blackhole, Dev, Multipath, Prohibit, Unreachable, Via};
    let shape = prop::sample::select(vec![Via, Via, Via, Dev, Multipath, Multipath, Blackhole, Unreachable, Prohibit]);
    let metric = option::of(prop::sample::select(vec![10, 20, 1024]));
    let table = prop::sample::select(vec![254, 254, 254, 100, 1000]);
    let mtu = option::weighted(0.2, prop::sample::select(vec![1280, 1400]));
    (node(), any::<bool>(), shape, 0..4usize, metric, table, mtu, prop::bool::weighted(0.2)).prop_map(
        |(node, v6, shape, pick, metric, table, mtu, source)| Route {
            node,
            v6,
            shape,
            pick,
            metric,
            table,
            mtu,
            source,
        },
    )
}

fn sysctl() -> impl Strategy<Value = Sysctl> + Clone {
    (node(), option::of(0..4usize), 0..3u8).prop_map(|(node, link, value)| Sysctl { node, link, value })
}

/// Every case.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let stop = || option::weighted(0.5, 0..60usize);
    let damage = (0..13u8, 0..40usize).prop_map(|(kind, pick)| Damage { kind, pick });
    let links = (
        vec(versions(cable()), 0..6),
        vec(versions(switch()), 0..3),
        vec(versions(tunnel()), 0..3),
        vec(versions(macvlan()), 0..3),
    );
    let rest = (vec(versions(route()), 0..8), vec(versions(sysctl()), 0..4), vec(versions(node()), 0..4));
    let fate = (vec(damage, 0..4), [stop(), stop(), stop()]);
    let nodes = (2..7usize, 2..7usize, any::<bool>())
        .prop_map(|(first, second, same)| if same { [first, first] } else { [first, second] });
    (nodes, [any::<bool>(), any::<bool>()], links, rest, fate).prop_map(
        |(nodes, office, (cables, switches, tunnels, macvlans), (routes, sysctls, loopbacks), (damages, stops))| Case {
            nodes,
            office,
            cables,
            switches,
            tunnels,
            macvlans,
            routes,
            sysctls,
            loopbacks,
            damages,
            stops,
        },
    )
}
