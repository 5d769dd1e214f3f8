//! Changes of single links on a network that is up, on top of its document: the lock, the kernel, and then the ledger.
//! Does not know what is changed, nor why.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use serde::Serialize;
use wireloom_engine::{Control, Label, Link, LinkKind, LinkRef, Owner, Plan, Report, State, converge_leaving, observe};
use wireloom_ledger::{Change, Impairment, Ledger, Lock, Overlays};

use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    console::Console,
    failure::Failure,
    nodes,
    notes::Notes,
    record::Record,
    subject,
    verb::waiting,
    words,
};

/// What cannot be asked of a network that is up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// There is no such link.
    #[error("{topology} has no link {at}{}", known(.links))]
    NoLink {
        /// The topology.
        topology: Owner,
        /// Which.
        at: LinkRef,
        /// Those that the node has.
        links: Vec<LinkRef>,
    },
    /// Nothing is at the other end.
    #[error("{at} of {topology} is no cable: there is no other end for `--both`")]
    OneEnd {
        /// The topology.
        topology: Owner,
        /// Which.
        at: LinkRef,
    },
    /// The words of an impairment are wrong.
    #[error(transparent)]
    Words(#[from] wireloom_topology::Unclear),
    /// No link was named where one is needed.
    #[error("no topology is up")]
    NothingUp,
    /// The kernel is as asked for, and yet the next `up` would take it back.
    #[error("{topology} is changed, but that could not be written down, so that the next `up` takes it back: {cause}")]
    NotRecorded {
        /// The topology.
        topology: Owner,
        /// Why.
        cause: wireloom_ledger::Error,
    },
}

fn known(links: &[LinkRef]) -> String {
    if links.is_empty() { String::new() } else { format!("; there are {}", words::list(links)) }
}

/// Which links are meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// A document of the topology; several are merged
    #[arg(short, long = "file", value_name = "FILE", env = "WIRELOOM_FILE", hide_env_values = true)]
    files: Vec<PathBuf>,
    /// The name of the topology. Needed when several that are up have a node of that name
    #[arg(short, long, value_name = "NAME", env = "WIRELOOM_TOPOLOGY", hide_env_values = true)]
    #[arg(conflicts_with = "files")]
    topology: Option<Owner>,
}

impl Where {
    /// The topology that has the first of these links, or that is meant without any.
    pub(crate) fn owner(&self, console: &Console, links: &[LinkRef]) -> Result<Owner, Failure> {
        if let Some(first) = links.first() {
            let name = first.netns.as_str();
            // Bridges and the host have links too; only a topology that is named can be meant with those.
            let owner = self.topology.clone().filter(|_| name == Label::HOST || name.starts_with("wireloom-"));
            return match owner {
                Some(owner) => Ok(owner),
                None => Ok(subject::of_node(console, &self.files, self.topology.as_ref(), name)?.0.owner),
            };
        }
        if let Some(owner) = &self.topology {
            return Ok(owner.clone());
        }
        if !self.files.is_empty() {
            return Ok(crate::document::load(console, &self.files)?.owner);
        }
        let known = Ledger::list()?;
        match known.as_slice() {
            [] => Err(Refused::NothingUp.into()),
            [only] => Ok(only.clone()),
            _ => Err(Failure::NoDocument { known }),
        }
    }
}

/// A network that is up and that nobody else changes meanwhile.
pub(crate) struct Live<'a> {
    pub(crate) record: Record,
    /// What the document asks for.
    pub(crate) document: State,
    cancelled: &'a AtomicBool,
    _lock: Lock,
}

impl<'a> Live<'a> {
    /// Waits for the lock. A script that was killed is over with that.
    pub(crate) fn open(
        console: &Console,
        owner: &Owner,
        verb: &str,
        cancelled: &'a Arc<AtomicBool>,
    ) -> Result<Live<'a>, Failure> {
        capability::need(&[NET_ADMIN, SYS_ADMIN])?;
        subject::up(owner)?;
        let mut ledger = Ledger::open(owner)?;
        let lock = ledger.lock(verb, cancelled, |holder| waiting(console, holder))?;
        ledger.settle_script()?;
        // Who had the lock before may have been `down`.
        let (record, entry) = match subject::up(owner) {
            Ok(up) => up,
            Err(failure) => {
                ledger.remove()?;
                return Err(failure);
            }
        };
        Ok(Live { record, document: entry.desired, cancelled, _lock: lock })
    }

    /// Does not stop any more: for the way back.
    pub(crate) fn insist(&mut self) {
        static NEVER: AtomicBool = AtomicBool::new(false);
        self.cancelled = &NEVER;
    }

    /// The link, which must be one of the document's, and with `both` the one at the other end of its cable.
    pub(crate) fn ends(&self, at: &LinkRef, both: bool) -> Result<Vec<LinkRef>, Failure> {
        let link = link(&self.document, at)?;
        match link.kind.peer().filter(|peer| self.document.link(peer).is_some()) {
            _ if !both => Ok(vec![at.clone()]),
            Some(peer) => Ok(vec![at.clone(), peer.clone()]),
            None => Err(Refused::OneEnd { topology: self.document.owner.clone(), at: at.clone() }.into()),
        }
    }

    /// Makes the nodes of these links as the document says with `overlays` on top, and writes that down. In this order: an
    /// impairment that the kernel refuses is not to stand in the ledger, and one of which only the kernel knows when we are
    /// killed is taken back by the next `up`.
    pub(crate) fn lay(&mut self, overlays: Overlays, links: &BTreeSet<LinkRef>) -> Result<Report, Failure> {
        let owner = self.document.owner.clone();
        let mut desired = self.document.clone();
        overlays.merged().put_on(&mut desired);
        let touched: BTreeSet<&Label> = links.iter().map(|at| &at.netns).collect();
        let sources = self.record.sources(Some(&desired));
        let held = sources.keys().filter(|label| !touched.contains(label)).cloned().collect();
        let scope = self.record.scope(Some(&desired))?;
        let mut notes = Notes::new(&mut self.record.ledger, sources, None);
        let mut progress = |_| {};
        let mut control = Control { cancelled: self.cancelled, progress: &mut progress, keep_partial: false };
        let report = converge_leaving(&desired, &held, &scope, &mut notes, &mut control)
            .map_err(|cause| Failure::converge(&owner, cause))?;
        self.record
            .ledger
            .write_overlays(&overlays)
            .map_err(|cause| Refused::NotRecorded { topology: owner, cause })?;
        self.record.overlays = overlays;
        Ok(report)
    }
}

/// A link of the document that can be changed.
pub(crate) fn link<'a>(document: &'a State, at: &LinkRef) -> Result<&'a Link, Failure> {
    let found = document.link(at).filter(|link| link.kind != LinkKind::Loopback);
    found.ok_or_else(|| {
        let topology = document.owner.clone();
        let links = links(document).filter(|(other, _)| other.netns == at.netns).map(|(at, _)| at).collect();
        Refused::NoLink { topology, at: at.clone(), links }.into()
    })
}

/// Every link that can be changed.
pub(crate) fn links(document: &State) -> impl Iterator<Item = (LinkRef, &Link)> {
    let all = document.namespaces.iter();
    all.flat_map(|(label, netns)| netns.links.iter().map(move |(name, link)| (LinkRef::new(label, *name), link)))
        .filter(|(_, link)| link.kind != LinkKind::Loopback)
}

/// A link, and what was changed about it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) link: LinkRef,
    /// The root qdisc that the document asks for.
    pub(crate) document: Option<String>,
    /// What stands in its place: `none` or another one.
    pub(crate) overlay: Option<String>,
    /// Whether it was taken up or down.
    pub(crate) up: Option<bool>,
    /// Whether any of that outlives a `down`.
    pub(crate) persist: bool,
    /// The root qdisc that it has.
    pub(crate) now: Option<String>,
    /// `up`, `no-carrier`, `down` or `missing`.
    pub(crate) state: &'static str,
}

impl Row {
    /// Whether there is something to tell.
    pub(crate) fn is_news(&self) -> bool {
        self.document.is_some() || self.overlay.is_some() || self.up.is_some() || self.now.is_some()
    }
}

/// These links, as they are now.
pub(crate) fn rows(record: &Record, document: &State, links: &[LinkRef]) -> Result<Vec<Row>, Failure> {
    let observed = observe(&record.scope(Some(document))?)?;
    let merged = record.overlays.merged();
    let row = |at: &LinkRef| {
        let Change { impairment, up } = merged.links.get(at).cloned().unwrap_or_default();
        let found = observed.link(at);
        Row {
            link: at.clone(),
            document: document.link(at).and_then(|link| link.qdisc.as_ref()).map(ToString::to_string),
            overlay: impairment.map(|impairment| match impairment {
                Impairment::Nothing => "none".to_owned(),
                Impairment::Qdisc(qdisc) => qdisc.to_string(),
            }),
            up,
            persist: record.overlays.kept.links.contains_key(at),
            now: found.and_then(|link| link.qdisc.as_ref()).map(ToString::to_string),
            state: found.map_or("missing", |link| nodes::state(link, &observed)),
        }
    };
    Ok(links.iter().map(row).collect())
}

/// A plan that changes nothing: of what was only looked at.
pub(crate) fn nothing(owner: &Owner) -> Plan {
    Plan {
        owner: owner.clone(),
        sources: Default::default(),
        steps: Vec::new(),
        replaced: Default::default(),
        also_gone: Vec::new(),
        left_alone: Vec::new(),
    }
}
