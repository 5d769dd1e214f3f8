//! What somebody does to a topology from outside, with `ip`, `tc` and `sysctl`. Deliberately not through our own code.

use wireloom_engine::{Label, LinkKind, LinkRef, Source, State};
use wireloom_testkit::sh;

use super::sketch::Damage;

/// Does it to one of the objects that the state asks for; what there is none of stays as it is. Returns what was done.
pub(crate) fn damage(state: &State, damage: &Damage) -> Option<String> {
    let own: Vec<(&Label, &str)> = own(state);
    let links: Vec<LinkRef> = links(state);
    let any = |count: usize| damage.pick.checked_rem(count);
    let (netns, _) = *own.get(any(own.len())?)?;
    let link = any(links.len()).map(|at| &links[at]);
    let on = |command: &str| {
        link.map(|at| format!("{} {}", ip(state, &at.netns), command.replace("LINK", at.ifname.as_str())))
    };
    let script = match damage.kind {
        0 => on("link del LINK")?,
        1 => on("addr flush dev LINK proto 87")?,
        2 => format!("{0} -4 route flush table all proto 87; {0} -6 route flush table all proto 87", ip(state, netns)),
        3 => on("link set LINK mtu 1300")?,
        4 => on("link set LINK down")?,
        5 => on("link set LINK alias other")?,
        6 => format!("ip netns del {}", own[any(own.len())?].1),
        7 => on("link set LINK nomaster")?,
        8 => on("link set LINK address c2:ff:00:00:00:01")?,
        9 => format!("{} link set lo down", ip(state, netns)),
        10 => format!("{} link set lo alias other", ip(state, netns)),
        11 => {
            let ip = ip(state, netns);
            format!("{ip} nexthop flush proto 87; {ip} rule flush protocol 87; {ip} neigh flush nud permanent")
        }
        _ => tc(state, link?),
    };
    // Another one of the damages may have taken the object away, or may be in the way.
    sh(&format!("{{ {script}; }} 2>&1 || true"));
    Some(script)
}

/// Adds what a process inside might add, and what is to be left alone. Returns how many of them `plan` is to show.
pub(crate) fn addition(state: &State, pick: usize) -> usize {
    let own = own(state);
    let Some((netns, _)) = pick.checked_rem(own.len()).map(|at| own[at]) else { return 0 };
    let ip = ip(state, netns);
    sh(&format!("{ip} link add extra type bridge; {ip} route add blackhole 172.31.0.0/16"));
    2
}

fn own(state: &State) -> Vec<(&Label, &str)> {
    let named =
        state.namespaces.iter().filter(|(_, netns)| netns.own).filter_map(|(label, netns)| match &netns.source {
            Source::Named(name) => Some((label, name.as_str())),
            _ => None,
        });
    named.collect()
}

fn links(state: &State) -> Vec<LinkRef> {
    let of = |(label, netns): (&Label, &wireloom_engine::Namespace)| {
        let ours = netns.links.iter().filter(|(_, link)| link.kind != LinkKind::Loopback);
        ours.map(|(name, _)| LinkRef::new(label, *name)).collect::<Vec<_>>()
    };
    state.namespaces.iter().flat_map(of).collect()
}

/// `ip` in that namespace.
pub(crate) fn ip(state: &State, netns: &Label) -> String {
    match &state.namespaces[netns].source {
        Source::Named(name) => format!("ip -n {name}"),
        _ => "ip".to_owned(),
    }
}

fn tc(state: &State, at: &LinkRef) -> String {
    let tc = ip(state, &at.netns).replacen("ip", "tc", 1);
    format!("{tc} qdisc del dev {} root", at.ifname)
}
