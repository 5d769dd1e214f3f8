//! macvlan: a further MAC address on the interface `outer-dev`. Does not know whether that exists.

use std::str::FromStr;

use wireloom_engine::{LinkKind, Macvlan, MacvlanMode};

use super::{Base, Kind};
use crate::{
    lower::{Builder, Copied, Mtu},
    read::nearest,
    wrong::Wrong,
};

/// `type: macvlan`
pub(super) static KIND: Kind = Kind { name: "macvlan", keys: &["outer-dev", "mode", "base"], lower };

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let parent = link.below(builder, &at, Base::Host)?;
    let mode = link.spec.mode.get().map_or(MacvlanMode::Bridge, |mode| mode.0.0);
    let kind = LinkKind::Macvlan(Macvlan { parent: Some(parent.clone()), mode });
    builder.single(link, at, kind, Mtu::Parent(parent), false)
}

/// Who may talk to whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mode(MacvlanMode);

impl FromStr for Mode {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        Ok(Mode(match text {
            "bridge" => MacvlanMode::Bridge,
            "private" => MacvlanMode::Private,
            "vepa" => MacvlanMode::Vepa,
            "passthru" => MacvlanMode::Passthru,
            _ => {
                let help = nearest(text, &["bridge", "private", "vepa", "passthru"]);
                return Err(Wrong::new(format!("unknown mode `{text}` of a macvlan"), help));
            }
        }))
    }
}
