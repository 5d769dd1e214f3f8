//! A whole network that is waited for: up as its document says, with carrier everywhere, and its checks pass. Changes
//! nothing.

use std::{
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    time::Duration,
};

use wireloom_engine::{Link, LinkKind, LinkRef, State, observe, plan};
use wireloom_run::Awaited;

use crate::{
    capability::{NET_ADMIN, NET_RAW, SYS_ADMIN},
    console::Console,
    document,
    failure::Failure,
    nodes,
    options::Topology,
    subject::{self, Desired},
    verb::try_all,
    watch::posts::Posts,
};

/// The kernel tells of what is in the namespaces; what is not up yet, and checks, are looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// A network, by document or name.
pub(crate) struct Network<'a> {
    console: &'a Console,
    topology: Topology,
    name: String,
    posts: Posts,
}

impl<'a> Network<'a> {
    /// One that nobody has looked at yet. A document must be right; that a name is not up is waited for.
    pub(crate) fn new(console: &'a Console, name: &Path) -> Result<Network<'a>, Failure> {
        if document::exists(name) {
            document::load(console, &[name.to_owned()])?;
        }
        let topology = Topology { files: vec![PathBuf::from(name)], topology: None };
        Ok(Network { console, topology, name: name.display().to_string(), posts: Posts::default() })
    }

    /// What it lacks.
    fn look(&mut self) -> Result<Option<String>, Failure> {
        let Desired { record, state: desired, checks } =
            subject::desired(self.console, &self.topology, &[NET_ADMIN, NET_RAW, SYS_ADMIN])?;
        // First listen, then look.
        self.posts.follow(desired.namespaces.iter().map(|(label, netns)| (label, &netns.source)))?;
        self.posts.were_told()?;
        let observed = observe(&record.scope(Some(&desired))?)?;
        let plan = match plan(&desired, &observed) {
            Ok(plan) => plan,
            Err(conflicts) => return Ok(conflicts.first().map(ToString::to_string)),
        };
        if let Some(step) = plan.steps.first() {
            return Ok(Some(format!("still to do: {}", step.in_words())));
        }
        if let Some(lack) = links(&desired).find_map(|at| lack(&at, &desired, &observed)) {
            return Ok(Some(lack));
        }
        let failed = try_all(&record, &desired, &checks)?.into_iter().find(|result| !result.ok);
        Ok(failed.map(|result| {
            let why = result.why.map(|why| format!(": {why}")).unwrap_or_default();
            format!("check {} {} -> {}{why}", result.kind, result.from, result.to)
        }))
    }
}

impl Awaited for Network<'_> {
    fn missing(&mut self) -> Option<String> {
        match self.look() {
            Ok(lack) => lack.map(|lack| format!("{} ({lack})", self.name)),
            Err(failure) => {
                // A socket would hold a namespace that has lost its name.
                self.posts = Posts::default();
                Some(format!("{} ({failure})", self.name))
            }
        }
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.posts.descriptors().collect()
    }

    fn pause(&self) -> Duration {
        PAUSE
    }
}

/// Those that are to be up.
fn links(desired: &State) -> impl Iterator<Item = LinkRef> {
    let wanted = |link: &Link| link.kind != LinkKind::Loopback && link.up != Some(false);
    let of = move |(label, netns): (&wireloom_engine::Label, &wireloom_engine::Namespace)| {
        let names = netns.links.iter().filter(|(_, link)| wanted(link)).map(|(name, _)| LinkRef::new(label, *name));
        names.collect::<Vec<_>>()
    };
    desired.namespaces.iter().flat_map(of)
}

fn lack(at: &LinkRef, desired: &State, observed: &State) -> Option<String> {
    let (link, wanted) = (observed.link(at)?, desired.link(at)?);
    let is_wanted = |net| wanted.addresses.iter().any(|wanted| wanted.net == net);
    let mut tentative = link.addresses.iter().filter(|address| address.tentative && !address.dadfailed);
    let tentative = tentative.find(|address| is_wanted(address.net));
    match (nodes::state(link, observed), tentative) {
        ("no-carrier", _) => Some(format!("link {at} has no carrier")),
        (_, Some(address)) => Some(format!("address {} on {at} is not usable yet", address.net)),
        _ => None,
    }
}
