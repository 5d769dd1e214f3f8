//! Where to look, and which unmarked objects are ours all the same.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use wireloom_netns::NetnsId;

use crate::{
    Error, Firewall, Label, LinkRef, Mark, Owner, Source, State,
    object::{self, Kinds, ObjectKey},
    observe::namespace,
};

/// What [`observe`](crate::observe) looks at.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(super) owner: Owner,
    pub(super) places: BTreeMap<Label, Place>,
    /// Links that a ledger says we have made or were making.
    pub(super) claims: BTreeSet<LinkRef>,
    /// Links that a run which was interrupted may have been making.
    pub(super) unfinished: BTreeSet<LinkRef>,
    /// Addresses, routes and the like that a ledger says so of. They carry our number, but not their owner's name.
    pub(super) addresses: BTreeSet<(LinkRef, IpNet)>,
    pub(super) objects: BTreeSet<(Label, ObjectKey)>,
    /// Namespaces that hold the parents and underlays of links in others.
    pub(super) below: BTreeSet<Label>,
}

/// One namespace to look at.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) source: Source,
    /// Whether a ledger says that we were making this namespace.
    pub(super) claimed: bool,
    /// Which one a ledger says that it is: it is ours even where its mark is missing.
    pub(super) known: Option<NetnsId>,
    pub(super) sysctls: BTreeSet<String>,
    /// What is looked for besides routes.
    pub(super) kinds: Kinds,
    pub(super) before: BTreeMap<String, String>,
    /// What the owner's table may say, the newest first; without any, nobody looks for one.
    pub(super) firewalls: Vec<Firewall>,
}

impl Scope {
    /// Nothing yet, for one owner.
    pub fn new(owner: &Owner) -> Scope {
        Scope {
            owner: owner.clone(),
            places: BTreeMap::new(),
            claims: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            addresses: BTreeSet::new(),
            objects: BTreeSet::new(),
            below: BTreeSet::new(),
        }
    }

    /// Looks at the namespaces of `state`, and at the settings that it names.
    pub fn desire(&mut self, state: &State) {
        for (label, netns) in &state.namespaces {
            let place = self.place(label, &netns.source);
            place.sysctls.extend(netns.sysctls.keys().cloned());
            place.firewalls.extend(netns.firewall.clone());
            place.kinds.include(netns);
            for link in netns.links.values() {
                self.below.extend(link.kind.made_from().filter(|below| *below != label).cloned());
            }
        }
    }

    /// The same, for a state that a ledger says we have made: a link that is named in it and is in our group counts as
    /// ours even where its mark is missing, and so do its addresses and routes in namespaces that we share with others.
    pub fn remember(&mut self, state: &State) {
        self.desire(state);
        for (label, netns) in &state.namespaces {
            for (name, link) in &netns.links {
                let at = LinkRef::new(label, *name);
                self.addresses.extend(link.addresses.iter().map(|address| (at.clone(), address.net)));
                self.claims.insert(at);
            }
            self.objects.extend(object::all_of(netns).map(|held| (label.clone(), held.key())));
        }
    }

    /// The same, for a state that an interrupted run was making: also a namespace named in it may be ours without a mark.
    pub fn claim(&mut self, state: &State) {
        self.remember(state);
        for (label, netns) in &state.namespaces {
            self.unfinished.extend(netns.links.keys().map(|name| LinkRef::new(label, *name)));
            self.place(label, &netns.source).claimed |= netns.own;
        }
    }

    /// A namespace of ours, as it was made: known again although somebody has taken its mark.
    pub fn identify(&mut self, netns: &Label, id: &NetnsId) {
        if let Some(place) = self.places.get_mut(netns) {
            place.known = Some(id.clone());
        }
    }

    /// A setting that we have changed, and its value before.
    pub fn before(&mut self, netns: &Label, key: &str, value: &str) {
        if let Some(place) = self.places.get_mut(netns) {
            place.sysctls.insert(key.to_owned());
            place.before.insert(key.to_owned(), value.to_owned());
        }
    }

    /// Looks also at the namespaces of this owner that no state names: by name, and then by mark.
    ///
    /// # Errors
    /// The directory of names, or a namespace in it, cannot be read.
    pub fn discover(&mut self) -> Result<(), Error> {
        let prefix = self.owner.netns_of("");
        let hub = self.owner.hub();
        let list = wireloom_netns::list();
        let hub_label = || hub.parse::<Label>().ok();
        for name in list.map_err(|source| Error::Netns { netns: hub_label().unwrap_or_else(label_of_host), source })? {
            let label = if name == hub { hub_label() } else { name.strip_prefix(&prefix).and_then(|n| n.parse().ok()) };
            let Some(label) = label.filter(|label| !self.places.contains_key(label)) else { continue };
            let source = Source::Named(name);
            if namespace::mark(&label, &source)?.is_some_and(|mark| mark == Mark::netns(&self.owner, &label)) {
                self.place(&label, &source);
            }
        }
        Ok(())
    }

    fn place(&mut self, label: &Label, source: &Source) -> &mut Place {
        let (sysctls, before) = (BTreeSet::new(), BTreeMap::new());
        let (source, kinds, firewalls) = (source.clone(), Kinds::default(), Vec::new());
        let place = Place { source, claimed: false, known: None, sysctls, kinds, before, firewalls };
        self.places.entry(label.clone()).or_insert(place)
    }
}

fn label_of_host() -> Label {
    Label::HOST.parse().expect("a valid label")
}
