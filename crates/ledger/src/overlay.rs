//! What was changed on a network that is up, on top of what its document says: impairments and links that were taken down.
//! Neither drift nor lost by an `up`. Does not know whether the kernel agrees.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wireloom_engine::{LinkRef, Qdisc, State};

use crate::{
    Ledger, Result,
    directory::remove_any,
    error::failed,
    file::{self, write_line},
};

/// Changes by link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overlay {
    /// The links that something is different about.
    pub links: BTreeMap<LinkRef, Change>,
}

/// What is different about a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its impairment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impairment: Option<Impairment>,
    /// Whether it is administratively up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
}

/// What stands in the place of the root qdisc that a document asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impairment {
    /// None at all.
    Nothing,
    /// Another one.
    Qdisc(Qdisc),
}

/// What there is of a topology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlays {
    /// What outlives a `down`.
    pub kept: Overlay,
    /// What goes with a `down`. Where both say something of a link, this is it.
    pub passing: Overlay,
}

impl Overlay {
    /// Changes one link; one that nothing is different about any more is left out.
    pub fn change(&mut self, at: &LinkRef, change: impl FnOnce(&mut Change)) {
        let mut changed = self.links.remove(at).unwrap_or_default();
        change(&mut changed);
        if changed != Change::default() {
            self.links.insert(at.clone(), changed);
        }
    }

    /// Puts it on what a document asks for. Pure; links that the document does not have (any more) are passed over.
    pub fn put_on(&self, desired: &mut State) {
        for (at, change) in &self.links {
            let Some(link) = desired.namespaces.get_mut(&at.netns).and_then(|netns| netns.links.get_mut(&at.ifname))
            else {
                continue;
            };
            match &change.impairment {
                Some(Impairment::Nothing) => link.qdisc = None,
                Some(Impairment::Qdisc(qdisc)) => link.qdisc = Some(qdisc.clone()),
                None => {}
            }
            match change.up {
                Some(true) => link.up = Some(true),
                Some(false) => desired.take_down(at),
                None => {}
            }
        }
    }
}

impl Overlays {
    /// Both in one.
    pub fn merged(&self) -> Overlay {
        let mut merged = self.kept.clone();
        for (at, Change { impairment, up }) in &self.passing.links {
            merged.change(at, |change| {
                change.impairment = impairment.clone().or(change.impairment.take());
                change.up = up.or(change.up);
            });
        }
        merged
    }

    /// Takes what `forget` names out of both.
    pub fn forget(&mut self, at: &LinkRef, forget: impl Fn(&mut Change)) {
        for overlay in [&mut self.kept, &mut self.passing] {
            overlay.change(at, &forget);
        }
    }
}

impl Ledger {
    /// What was changed on top of the document.
    pub fn overlays(&self) -> Result<Overlays> {
        let read = |path| -> Result<Overlay> {
            file::read(path)?.map_or(Ok(Overlay::default()), |text| file::parse(path, &text))
        };
        Ok(Overlays { kept: read(&self.kept_overlay_path())?, passing: read(&self.overlay_path())? })
    }

    /// Writes it down.
    pub fn write_overlays(&mut self, overlays: &Overlays) -> Result<()> {
        self.prepare()?;
        for (path, overlay) in [(self.kept_overlay_path(), &overlays.kept), (self.overlay_path(), &overlays.passing)] {
            if overlay.links.is_empty() {
                remove_any(&path)?;
            } else {
                file::replace(&path, |mut to| write_line(&mut to, overlay))?;
            }
        }
        Ok(())
    }

    /// Remembers what there is now, so that whoever has the lock next can go back to it: before a script that changes it
    /// for a while.
    pub fn begin_script(&mut self) -> Result<()> {
        self.prepare()?;
        let passing = self.overlays()?.passing;
        file::replace(&self.before_script_path(), |mut to| write_line(&mut to, &passing))
    }

    /// What there was before a script that has not come to its end. For those who hold the lock: then it was killed.
    pub fn before_script(&self) -> Result<Option<Overlay>> {
        let path = self.before_script_path();
        file::read(&path)?.map(|text| file::parse(&path, &text)).transpose()
    }

    /// What there is now stays.
    pub fn end_script(&mut self) -> Result<()> {
        remove_any(&self.before_script_path())
    }

    /// Goes back to what there was before a script that was killed. For those who hold the lock.
    pub fn settle_script(&mut self) -> Result<()> {
        let Some(passing) = self.before_script()? else { return Ok(()) };
        if passing.links.is_empty() {
            remove_any(&self.overlay_path())?;
            return self.end_script();
        }
        let (from, to) = (self.before_script_path(), self.overlay_path());
        std::fs::rename(from, &to).map_err(failed("replace", &to))
    }
}

#[cfg(test)]
mod tests {
    use wireloom_engine::{Link, LinkKind, Namespace, Netem, Source};

    use super::*;

    fn at() -> LinkRef {
        "r1:eth1".parse().unwrap()
    }

    fn delay(delay_us: u64) -> Qdisc {
        Qdisc::Netem(Netem { delay_us, ..Netem::default() })
    }

    #[test]
    fn what_passes_covers_what_is_kept_until_it_is_forgotten() {
        let mut overlays = Overlays::default();
        overlays.kept.change(&at(), |change| change.impairment = Some(Impairment::Qdisc(delay(1))));
        overlays.passing.change(&at(), |change| change.up = Some(false));
        let both = Change { impairment: Some(Impairment::Qdisc(delay(1))), up: Some(false) };
        assert_eq!(overlays.merged().links[&at()], both);
        overlays.passing.change(&at(), |change| change.impairment = Some(Impairment::Nothing));
        assert_eq!(overlays.merged().links[&at()].impairment, Some(Impairment::Nothing));
        overlays.forget(&at(), |change| change.impairment = None);
        assert_eq!(overlays.merged().links[&at()], Change { impairment: None, up: Some(false) });
        overlays.forget(&at(), |change| *change = Change::default());
        assert_eq!(overlays, Overlays::default());
    }

    #[test]
    fn it_is_put_on_links_that_are_there_and_on_nothing_else() {
        let mut state = State::empty("t".parse().unwrap());
        let mut netns = Namespace::new(Source::Named("t.r1".into()), true);
        let lo = Link { qdisc: Some(delay(5)), up: Some(true), ..Link::new(LinkKind::Loopback) };
        netns.links.insert(at().ifname, lo);
        state.namespaces.insert(at().netns, netns);
        let mut overlay = Overlay::default();
        overlay.change(&"r9:eth1".parse().unwrap(), |change| change.up = Some(false));
        let before = state.clone();
        overlay.put_on(&mut state);
        assert_eq!(state, before);
        overlay.change(&at(), |change| *change = Change { impairment: Some(Impairment::Nothing), up: Some(false) });
        overlay.put_on(&mut state);
        let link = state.link(&at()).unwrap();
        assert_eq!((&link.qdisc, link.up), (&None, Some(false)));
    }

    #[test]
    fn a_script_that_was_killed_is_as_if_it_had_not_been() {
        let directory = tempfile::TempDir::new().unwrap();
        let mut ledger = Ledger::open_in(&directory.path().join("run"), &"t".parse().unwrap()).unwrap();
        let with = |delay_us| {
            let mut overlays = Overlays::default();
            overlays.passing.change(&at(), |change| change.impairment = Some(Impairment::Qdisc(delay(delay_us))));
            overlays
        };
        for before in [Overlays::default(), with(1)] {
            ledger.write_overlays(&before).unwrap();
            ledger.begin_script().unwrap();
            ledger.write_overlays(&with(2)).unwrap();
            assert_eq!(ledger.overlays().unwrap(), with(2));
            ledger.settle_script().unwrap();
            assert_eq!(ledger.overlays().unwrap(), before);
            assert_eq!(ledger.before_script().unwrap(), None);
        }
    }

    #[test]
    fn what_is_kept_outlives_the_ledger() {
        let directory = tempfile::TempDir::new().unwrap();
        let open = || Ledger::open_in(&directory.path().join("run"), &"t".parse().unwrap()).unwrap();
        let mut overlays = Overlays::default();
        overlays.kept.change(&at(), |change| change.up = Some(false));
        overlays.passing.change(&at(), |change| change.impairment = Some(Impairment::Nothing));
        open().write_overlays(&overlays).unwrap();
        open().remove().unwrap();
        assert!(Ledger::list_in(&directory.path().join("run")).unwrap().is_empty());
        assert_eq!(open().overlays().unwrap(), Overlays { kept: overlays.kept, passing: Overlay::default() });
        open().write_overlays(&Overlays::default()).unwrap();
        open().remove().unwrap();
        assert!(!directory.path().join("run").exists(), "nothing is left");
    }
}
