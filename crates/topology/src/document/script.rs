//! A script of impairments: what is done when, and what must hold in between.

use std::str::FromStr;

use wireloom_engine::LinkRef;

use crate::{
    document::{
        check::CheckSpec,
        keys::keys,
        netem::NetemSpec,
        text::{Word, parse},
        units::{Timeout, Whole},
    },
    read::{Items, OneOrMany},
    wrong::Wrong,
};

keys! {
    /// Steps, in the order of their times.
    pub(crate) struct ScriptSpec {
        /// How often it is played, 1 without it. A round begins with the last step of the one before.
        repeat: Whole<1, 1_000_000>,
        /// What is done when.
        steps: Items<StepSpec>,
    }
}

keys! {
    /// One step: `set`, `reset`, `link` or `check`.
    pub(crate) struct StepSpec {
        /// When, from the beginning of the round, like `1.5s`; without it, right after the step before.
        at: Word<Moment>,
        /// Impairs links.
        set: SetSpec,
        /// Links that are as before the script again, or `all`.
        reset: OneOrMany<Word<Reset>>,
        /// Takes links up or down.
        link: DirectionSpec,
        /// What must work, or must not.
        check: CheckSpec,
    }
}

keys! {
    /// An impairment of links.
    pub(crate) struct SetSpec {
        /// The links, each by the end that sends.
        link: OneOrMany<Word<LinkRef>>,
        /// The impairment, as in documents.
        netem: NetemSpec,
        /// Both ends of each cable.
        both: bool,
    }
}

keys! {
    /// Links that go up or down.
    pub(crate) struct DirectionSpec {
        /// Those that go up.
        up: OneOrMany<Word<LinkRef>>,
        /// Those that go down.
        down: OneOrMany<Word<LinkRef>>,
        /// Both ends of each cable.
        both: bool,
    }
}

/// A time in milliseconds, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) u64);

impl FromStr for Moment {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if matches!(text, "0" | "0s" | "0ms") {
            return Ok(Moment(0));
        }
        parse::<Timeout>(text).map(|time| Moment(time.0.into()))
    }
}

/// A link, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reset {
    All,
    Link(LinkRef),
}

impl FromStr for Reset {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "all" { Ok(Reset::All) } else { parse(text).map(Reset::Link) }
    }
}
