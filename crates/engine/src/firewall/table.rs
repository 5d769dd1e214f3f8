//! The rules that make a [`Firewall`], as an nftables table; like what `nft -f` would take. Pure: sends nothing.
//!
//! An accept in one table does not overrule a drop in another. Where Docker is, its chain for forwarded packets drops all
//! that is not its own, so what is to pass gets a mark here, and one rule in the chain that Docker keeps for others
//! lets that mark pass.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use wireloom_nft::{Chain, ChainType, Family, Hook, Hooked, Name, Policy, Rule, Table};

use super::{Firewall, Forward, IpFamily, Uplink};
use crate::{IfName, Label, Mark, Owner};

/// The chain that Docker keeps for others, in `filter` of each family.
pub(crate) const DOCKER_USER: &str = "DOCKER-USER";

/// On packets that the rule in DOCKER-USER lets pass. They get it when their route is decided, so no routing rule sees it.
const MARK: u32 = 0x0800_0000;

/// NF_IP_PRI_RAW, NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC, and one before NF_IP_PRI_FILTER, where Docker's rules are.
const RAW: i32 = -300;
const DESTINATION: i32 = -100;
const SOURCE: i32 = 100;
const BEFORE_FILTER: i32 = -1;

/// 127.0.0.0/8.
const LOOPBACK: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);

/// The name of an owner's table.
pub(crate) fn name(owner: &Owner) -> Name {
    Name::new(Family::Inet, &format!("wireloom_{owner}"))
}

/// The mark of an owner, which its table and its rule in Docker's chain have as their remark.
pub(crate) fn remark(owner: &Owner, netns: &Label) -> String {
    Mark::netns(owner, netns).to_string()
}

/// Where Docker keeps its chain for others.
pub(crate) fn docker_table(family: IpFamily) -> Name {
    let family = match family {
        IpFamily::V4 => Family::Ip,
        IpFamily::V6 => Family::Ip6,
    };
    Name::new(family, "filter")
}

/// The rule in Docker's chain. The words of iptables know it, too: `-m mark --mark 0x8000000/0x8000000 -j ACCEPT`.
pub(crate) fn pass(owner: &Owner, netns: &Label) -> Rule {
    Rule::new().marked(MARK).counter().accept().remark(&remark(owner, netns))
}

/// The whole table. Its remark has a digest behind the mark, by which another run knows that nothing has changed.
pub(crate) fn table(owner: &Owner, netns: &Label, firewall: &Firewall) -> Table {
    let mut table = Table::new(name(owner));
    let chains = [
        ("spoofed", ChainType::Filter, Hook::Prerouting, RAW, spoofed(firewall)),
        ("arriving", ChainType::Nat, Hook::Prerouting, DESTINATION, arriving(firewall)),
        ("local", ChainType::Nat, Hook::Output, DESTINATION, firewall.forwards.iter().map(redirect).collect()),
        ("passing", ChainType::Filter, Hook::Forward, BEFORE_FILTER, passing(firewall)),
        ("leaving", ChainType::Nat, Hook::Postrouting, SOURCE, leaving(firewall)),
    ];
    for (name, kind, hook, priority, rules) in chains {
        if !rules.is_empty() {
            let hooked = Some(Hooked { kind, hook, priority, policy: Policy::Accept });
            table.chains.push(Chain { name: name.to_owned(), hooked, rules });
        }
    }
    table.remark = Some(format!("{} {:016x}", remark(owner, netns), table.digest()));
    table
}

/// route_localnet, which lets programs here reach a forward by 127.0.0.1, would also let the other side reach what listens
/// on 127.0.0.1 here. Answers have the interface's own address when they pass this chain.
fn spoofed(firewall: &Firewall) -> Vec<Rule> {
    let from = firewall.forwards.iter().filter(|forward| forward.to.is_ipv4()).map(|forward| forward.via);
    let from: BTreeSet<IfName> = from.collect();
    let (net, prefix) = LOOPBACK;
    let drop = |via: &IfName| {
        let arriving = || Rule::new().iifname(via.as_str());
        [arriving().daddr(net, prefix).drop(), arriving().saddr(net, prefix).drop()]
    };
    from.iter().flat_map(drop).collect()
}

fn arriving(firewall: &Firewall) -> Vec<Rule> {
    let nats = firewall.nats.iter().map(|nat| {
        Rule::new().iifname(nat.dev.as_str()).daddr(nat.outer, whole(nat.outer)).counter().dnat(nat.inner, None)
    });
    // A port that is forwarded is more than the address that it is of.
    firewall.forwards.iter().map(redirect).chain(nats).collect()
}

fn redirect(forward: &Forward) -> Rule {
    let to = forward.to.ip();
    let rule = match forward.outer {
        Some(outer) => Rule::new().daddr(outer, whole(outer)),
        // The kernel takes no answer to ::1 from an interface. Who asks there is refused at once, and asks 127.0.0.1.
        None if to.is_ipv6() => Rule::new().family_of(to).daddr_not(Ipv6Addr::LOCALHOST.into()).to_this_host(),
        None => Rule::new().family_of(to).to_this_host(),
    };
    rule.dport(forward.protocol.number(), forward.port).counter().dnat(to, Some(forward.to.port()))
}

fn passing(firewall: &Firewall) -> Vec<Rule> {
    let mut rules = Vec::new();
    if !firewall.docker.is_empty() {
        let vias: BTreeSet<IfName> = firewall.forwards.iter().map(|forward| forward.via).collect();
        for via in &vias {
            rules.push(Rule::new().oifname(via.as_str()).redirected().mark(MARK));
            rules.push(Rule::new().iifname(via.as_str()).redirected().mark(MARK));
        }
        for Uplink { dev, .. } in &firewall.uplinks {
            rules.push(Rule::new().iifname(dev.as_str()).mark(MARK));
            rules.push(Rule::new().oifname(dev.as_str()).answers().mark(MARK));
        }
    }
    // A way out is no way in.
    for Uplink { dev, .. } in &firewall.uplinks {
        let towards = || Rule::new().oifname(dev.as_str());
        rules.extend([towards().answers().accept(), towards().redirected().accept(), towards().counter().drop()]);
    }
    rules
}

fn leaving(firewall: &Firewall) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for forward in &firewall.forwards {
        let to = forward.to.ip();
        let redirected = || Rule::new().oifname(forward.via.as_str()).redirected().daddr(to, whole(to));
        for net in &forward.hide {
            let from =
                if net.prefix_len() == 0 { redirected() } else { redirected().saddr(net.addr(), net.prefix_len()) };
            let rule = from.masquerade();
            // Several ports of one node need it once.
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    for Uplink { dev, sources } in &firewall.uplinks {
        let out = |net: &ipnet::IpNet| {
            Rule::new().saddr(net.addr(), net.prefix_len()).oifname_not(dev.as_str()).counter().masquerade()
        };
        rules.extend(sources.iter().map(out));
    }
    rules.extend(
        firewall
            .nats
            .iter()
            .map(|nat| Rule::new().family_of(nat.outer).oifname(nat.dev.as_str()).counter().snat(nat.outer)),
    );
    rules.extend(firewall.masquerade.iter().map(|dev| Rule::new().oifname(dev.as_str()).counter().masquerade()));
    rules
}

fn whole(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
