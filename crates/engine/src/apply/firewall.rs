//! The table of an owner in a namespace, and its rule in Docker's chain: one transaction. Then the flows whose way has
//! changed are forgotten, so that they do not go on where no rule leads any more.

use wireloom_netns::Netns;
use wireloom_nft::{Conntrack, Flow, Nft, Rule, Transaction};

use super::kernel::Kernel;
use crate::{
    Error, Firewall, Label, Owner,
    firewall::{self, Forward, IpFamily, Nat, Protocol},
};

impl Kernel<'_> {
    pub(super) fn set_firewall(
        &mut self,
        label: &Label,
        from: Option<&Firewall>,
        to: Option<&Firewall>,
    ) -> Result<(), Error> {
        let owner = self.owner;
        let netns = &self.open(label)?.netns;
        send(netns, owner, label, to).map_err(Error::netlink(label))?;
        forget(netns, from, to).map_err(Error::netlink(label))
    }
}

/// What is gone already is gone.
fn send(netns: &Netns, owner: &Owner, label: &Label, to: Option<&Firewall>) -> wireloom_netlink::Result<()> {
    let mut nft = Nft::open(netns)?;
    let mut transaction = Transaction::new();
    match to {
        Some(to) => transaction.replace(&firewall::table(owner, label, to)),
        None => {
            let name = firewall::name(owner);
            if nft.tables()?.iter().any(|(found, _)| *found == name) {
                transaction.delete(&name);
            }
        }
    }
    for family in IpFamily::ALL {
        let rule = firewall::pass(owner, label);
        pass(&mut nft, &rule, family, to.is_some_and(|to| to.docker.contains(&family)), &mut transaction)?;
    }
    nft.commit(&transaction)
}

/// One rule, first of Docker's chain for others.
fn pass(
    nft: &mut Nft,
    rule: &Rule,
    family: IpFamily,
    wanted: bool,
    transaction: &mut Transaction,
) -> wireloom_netlink::Result<()> {
    let (table, chain) = (firewall::docker_table(family), firewall::DOCKER_USER);
    let rules = nft.rules(&table, chain)?;
    let mut ours = rules.iter().filter(|found| found.rule.remark == rule.remark).peekable();
    if wanted && ours.peek().is_none() {
        transaction.insert_rule(&table, chain, rule);
    }
    if wanted && ours.peek().is_some_and(|found| found.rule == *rule) {
        ours.next();
    }
    ours.for_each(|found| transaction.delete_rule(&table, chain, found.handle));
    Ok(())
}

/// Flows of forwards and translated addresses that are there no more; and those of UDP, which have no end, that began
/// before there was a forward for them.
fn forget(netns: &Netns, from: Option<&Firewall>, to: Option<&Firewall>) -> wireloom_netlink::Result<()> {
    let (from, to) = (from.cloned().unwrap_or_default(), to.cloned().unwrap_or_default());
    let gone: Vec<&Forward> =
        from.forwards.iter().filter(|old| !to.forwards.iter().any(|new| same(old, new))).collect();
    let come: Vec<&Forward> =
        to.forwards.iter().filter(|new| !from.forwards.iter().any(|old| same(old, new))).collect();
    let nats: Vec<&Nat> = from.nats.iter().filter(|nat| !to.nats.contains(nat)).collect();
    if gone.is_empty() && nats.is_empty() && come.iter().all(|new| new.protocol != Protocol::Udp) {
        return Ok(());
    }
    let is_stale = |flow: &Flow| {
        gone.iter().any(|forward| is_of(forward, flow) && flow.reply.source == (forward.to.ip(), forward.to.port()))
            || nats.iter().any(|nat| is_translated(nat, flow))
            || come.iter().any(|new| new.protocol == Protocol::Udp && is_of(new, flow) && is_plain(flow))
    };
    Conntrack::open(netns)?.forget(is_stale).map(drop)
}

/// Whether both lead the same flows the same way.
fn same(one: &Forward, other: &Forward) -> bool {
    let way = |forward: &Forward| (forward.protocol, forward.outer, forward.port, forward.to);
    way(one) == way(other)
}

fn is_of(forward: &Forward, flow: &Flow) -> bool {
    let (address, port) = flow.original.destination;
    let here = forward.outer.is_none_or(|outer| outer == address);
    here && flow.original.protocol == forward.protocol.number() && port == forward.port
}

fn is_translated(nat: &Nat, flow: &Flow) -> bool {
    let inwards = flow.original.destination.0 == nat.outer && flow.reply.source.0 == nat.inner;
    let outwards = flow.original.source.0 != nat.outer && flow.reply.destination.0 == nat.outer;
    inwards || outwards
}

fn is_plain(flow: &Flow) -> bool {
    flow.original.source == flow.reply.destination && flow.original.destination == flow.reply.source
}
