//! Making and dropping namespaces of ours.

use std::{collections::BTreeMap, fs, ops::ControlFlow, time::Duration};

use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::{LinkAttribute, LinkFlags, LinkMessage},
};
use wireloom_netlink::Graveyard;
use wireloom_netns::Netns;

use super::kernel::Kernel;
use crate::{Error, Label, Source, observe};

/// The kernel cleans up thousands of namespaces in a second; past this it hangs.
const CLEAN_UP: Duration = Duration::from_secs(60);

impl Kernel<'_> {
    /// Makes namespaces in order, sets their baseline, and marks them on their `lo`. Returns how many are done.
    pub(super) fn add_netns(
        &mut self,
        wanted: &[(&Label, &str)],
        go_on: &mut dyn FnMut(usize) -> bool,
    ) -> (usize, Option<Error>) {
        let names: Result<Vec<String>, Error> = wanted.iter().map(|(label, _)| self.name(label)).collect();
        let names = match names {
            Ok(names) => names,
            Err(error) => return (0, Some(error)),
        };
        let baseline = self.baseline;
        let mut done = 0;
        let mut failed = None;
        let made = wireloom_netns::create_many(
            names.into_iter(),
            |_| baseline.write(),
            |name, made| {
                let (label, alias) = wanted[done];
                let outcome = made.or_else(|error| replace_stale(name, error, baseline)).map_err(Error::netns(label));
                match outcome.and_then(|netns| self.begin(label, netns, name, alias)) {
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                    Ok(()) => done += 1,
                }
                if go_on(done) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        if let (Err(source), Some((label, _)), None) = (made, wanted.get(done), &failed) {
            failed = Some(Error::Netns { netns: (*label).clone(), source });
        }
        (done, failed)
    }

    /// The mark and `lo` up, in one request. A namespace that cannot be marked does not stay.
    fn begin(&mut self, label: &Label, netns: Netns, name: &str, alias: &str) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = 1;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        message.attributes.push(LinkAttribute::IfAlias(alias.to_owned()));
        let kept = self.keep(label, netns);
        let outcome = kept.and_then(|()| self.request(label, Message::SetLink(message), 0));
        if outcome.is_err() {
            self.close(label);
            wireloom_netns::remove(name).map_err(Error::netns(label))?;
        }
        outcome
    }

    /// Waits until the kernel has cleaned up after namespaces that were dropped before: somebody may just have done so,
    /// and the links in them still occupy what they had.
    pub(super) fn bury(&mut self) -> Result<(), Error> {
        let host: Label = Label::HOST.parse().expect("a valid label");
        let last = Netns::create_unnamed().map_err(Error::netns(&host))?;
        let mut graveyard = Graveyard::new().map_err(Error::netlink(&host))?;
        graveyard.watch(&last, "last").map_err(Error::netlink(&host))?;
        drop(last);
        graveyard.wait(CLEAN_UP, self.owner.group()).map(drop).map_err(Error::netlink(&host))
    }

    fn name(&self, label: &Label) -> Result<String, Error> {
        match self.source(label)? {
            Source::Named(name) => Ok(name.clone()),
            Source::Current | Source::Path(_) => {
                let path = std::path::PathBuf::from(label.as_str());
                Err(Error::Netns { netns: label.clone(), source: wireloom_netns::Error::NotFound { path } })
            }
        }
    }

    /// Drops namespaces and waits until the links in them are gone, also in those that somebody else holds.
    /// Goes on past a failure; returns all of them.
    pub(super) fn del_netns(&mut self, gone: &[&Label]) -> BTreeMap<usize, Error> {
        let netlink = |source| Error::Netlink { netns: gone[0].clone(), source, hint: None };
        let mut graveyard = match Graveyard::new() {
            Ok(graveyard) => graveyard,
            Err(source) => return BTreeMap::from([(0, netlink(source))]),
        };
        let mut failed = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (at, label) in gone.iter().enumerate() {
            self.close(label);
            match self.name(label).and_then(|name| watch(&mut graveyard, label, &name).map(|()| name)) {
                Ok(name) => drop(names.insert(name, at)),
                Err(error) => drop(failed.insert(at, error)),
            }
        }
        for (name, source) in wireloom_netns::remove_many(&names.keys().collect::<Vec<_>>()) {
            let at = names[&name];
            failed.insert(at, Error::Netns { netns: gone[at].clone(), source });
        }
        match graveyard.wait(CLEAN_UP, self.owner.group()) {
            Ok(held) => self.held.extend(held.iter().filter_map(|label| label.parse().ok())),
            Err(source) => drop(failed.insert(0, netlink(source))),
        }
        self.held.retain(|held| failed.keys().all(|at| gone[*at] != held));
        failed
    }
}

/// A name that a crash of ours has left without a namespace behind it is used again; anything else is in the way.
fn replace_stale(
    name: &str,
    error: wireloom_netns::Error,
    baseline: &crate::sysctl::Baseline,
) -> Result<Netns, wireloom_netns::Error> {
    let file = fs::symlink_metadata(std::path::Path::new(wireloom_netns::DIRECTORY).join(name));
    let empty = file.is_ok_and(|file| file.is_file() && file.len() == 0);
    let stale = matches!(error, wireloom_netns::Error::Exists { .. })
        && empty
        && matches!(Netns::named(name), Err(wireloom_netns::Error::NotNetns { .. }));
    if !stale {
        return Err(error);
    }
    wireloom_netns::remove(name)?;
    let netns = Netns::create(name)?;
    let inside = |e: std::io::Error| wireloom_netns::Error::Inside { name: name.to_owned(), reason: e.to_string() };
    netns.run(|| baseline.write())?.map_err(inside)?;
    Ok(netns)
}

fn watch(graveyard: &mut Graveyard, label: &Label, name: &str) -> Result<(), Error> {
    match observe::open(label, &Source::Named(name.to_owned()))? {
        Some(netns) => graveyard.watch(&netns, label.as_str()).map_err(Error::netlink(label)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh};

    use crate::{Control, Journal, Plan, Source, State, Step, apply::apply};

    struct Nothing;

    impl Journal for Nothing {
        fn begin(&mut self, _: &Plan) -> std::io::Result<()> {
            Ok(())
        }

        fn before(&mut self, _: &crate::Label, _: &str, _: &str) -> std::io::Result<()> {
            Ok(())
        }

        fn restored(&mut self, _: &crate::Label, _: &str) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// IFALIASZ is 256: the kernel refuses a longer one.
    #[test]
    fn a_namespace_that_cannot_be_marked_does_not_stay() {
        sandbox(|| {
            sh("ip netns add before");
            let netns = "r".parse::<crate::Label>().unwrap();
            let steps = [Step::AddNetns { netns: netns.clone(), alias: "x".repeat(300) }];
            let mut plan: Plan = serde_json::from_str(r#"{"owner": "t", "steps": []}"#).unwrap();
            plan.sources.insert(netns, Source::Named("t.r".to_owned()));
            let observed = State::empty(plan.owner.clone());
            let mut control =
                Control { cancelled: &AtomicBool::new(false), progress: &mut |_| {}, keep_partial: false };
            let before = host_dump();
            let applied = apply(&plan, &steps, &observed, &mut Nothing, &mut control);
            assert!(applied.done.is_empty());
            assert!(applied.failed.is_some());
            assert_same_dump(&before, &host_dump());
        });
    }
}
