//! Addresses that come and go.

use ipnet::IpNet;

use super::{Conflict, Phase, Planner, Step, link::links};
use crate::{Address, Link, LinkRef, Origin};

impl Planner<'_> {
    pub(super) fn addresses(&mut self) {
        for (at, wanted) in links(self.desired) {
            match self.standing(&at) {
                None => wanted.addresses.iter().for_each(|a| self.add(&at, a.clone())),
                Some(found) => self.change_addresses(&at, wanted, found),
            }
        }
        // A link that we do not ask for any more, of others (a `lo`, say), still loses the addresses that are ours.
        for (at, found) in links(self.observed) {
            if self.desired.link(&at).is_none() && self.standing(&at).is_some() {
                let gone: Vec<_> = found.addresses.iter().filter(|a| a.origin == Origin::Ours).cloned().collect();
                gone.into_iter().for_each(|address| self.push(Step::DelAddress { at: at.clone(), address }));
            }
        }
    }

    /// New ones first, so that a link never loses its last address (the kernel would drop its routes). But an IPv4
    /// address takes the later ones of its subnet along when it goes, so those are added afterwards.
    fn change_addresses(&mut self, at: &LinkRef, wanted: &Link, found: &Link) {
        let is = |addresses: &[Address], net: IpNet| addresses.iter().any(|a| a.net == net);
        let (standing, erased) = self.standing_addresses(at, found);
        let gone = |a: &&Address| a.origin == Origin::Ours && !is(&wanted.addresses, a.net);
        let gone: Vec<Address> = standing.iter().filter(gone).cloned().collect();
        let new = wanted.addresses.iter().filter(|a| !is(&standing, a.net));
        let swept = |net: IpNet| gone.iter().any(|gone| is_swept(net, gone.net));
        let same_of_others = |wanted: &&Address| {
            let same = |a: &&Address| is_prefix_change(a.net, wanted.net) && a.origin != Origin::Ours;
            standing.iter().find(same).cloned()
        };
        for (wanted, found) in wanted.addresses.iter().filter_map(|a| Some((a, same_of_others(&a)?))) {
            let conflict = Conflict::ForeignAddress { at: at.clone(), wanted: wanted.net, found: found.net };
            self.conflicts.push(conflict);
        }
        let (late, early): (Vec<_>, Vec<_>) = new.cloned().partition(|a| swept(a.net));
        let swept_along = standing.iter().filter(|a| swept(a.net) && !is(&gone, a.net)).cloned();
        let swept_along: Vec<_> = swept_along.collect();
        if !gone.is_empty() {
            self.disturbed.insert(at.clone());
        }
        early.into_iter().for_each(|a| self.add(at, a));
        for address in gone.iter().chain(&swept_along) {
            self.push(Step::DelAddress { at: at.clone(), address: address.clone() });
        }
        swept_along.into_iter().chain(late).for_each(|a| self.add(at, a));
        let others = erased.into_iter().filter(|a| a.origin == Origin::Others && wanted.up == Some(false));
        others.for_each(|a| self.add(at, a));
    }

    /// The addresses that outlive the changes of the link itself, and those that do not. The latter are taken away
    /// beforehand, so that the way back brings them again.
    fn standing_addresses(&mut self, at: &LinkRef, found: &Link) -> (Vec<Address>, Vec<Address>) {
        let erased = |a: &Address| self.erased.contains(at) && a.net.addr().is_ipv6();
        let (erased, standing): (Vec<Address>, Vec<Address>) = found.addresses.iter().cloned().partition(erased);
        let erased: Vec<Address> = erased.into_iter().filter(|a| a.origin != Origin::Kernel).collect();
        let steps = erased.iter().map(|a| Step::DelAddress { at: at.clone(), address: a.clone() });
        let removals = self.steps.entry(Phase::Removals).or_default();
        removals.extend(steps);
        (standing, erased)
    }

    fn add(&mut self, at: &LinkRef, address: Address) {
        self.push(Step::AddAddress { at: at.clone(), address });
    }
}

/// Whether `net` goes, or cannot be there, while `gone` is: IPv4 takes the later addresses of a subnet along, and IPv6
/// has an address only once, whatever its prefix.
fn is_swept(net: IpNet, gone: IpNet) -> bool {
    match net {
        IpNet::V4(_) => gone.trunc() == net.trunc(),
        IpNet::V6(_) => is_prefix_change(gone, net),
    }
}

fn is_prefix_change(found: IpNet, wanted: IpNet) -> bool {
    matches!(wanted, IpNet::V6(_)) && found.addr() == wanted.addr() && found != wanted
}
