//! bond: the links of a node that name it as their `controller`, as one.

use std::str::FromStr;

use wireloom_engine::{Bond, BondMode, LinkKind, LinkRef};

use super::Kind;
use crate::{
    lower::{Builder, Copied, Mtu},
    read::nearest,
    wrong::Wrong,
};

/// `type: bond`
pub(super) static KIND: Kind = Kind { name: "bond", keys: &["bond-mode", "bond-miimon", "bond-primary"], lower };

/// The kernel's own, 0, means that nobody looks.
const MIIMON_MS: u32 = 100;

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let at = link.at(builder)?;
    let mode = link.spec.bond_mode.get().map_or(BondMode::BalanceRr, |mode| mode.0.0);
    let primary = builder.filled(&link.spec.bond_primary, &link.numbers)?;
    let takes = [BondMode::ActiveBackup, BondMode::BalanceTlb, BondMode::BalanceAlb].contains(&mode);
    if let Some(span) = link.spec.bond_primary.span().filter(|_| !takes) {
        let help = "modes active-backup, balance-tlb and balance-alb have one";
        builder.wrong(span, format!("a bond of mode {mode} has no primary port"), help);
    }
    let primary = primary.map(|ifname| LinkRef::new(&at.netns, ifname)).filter(|_| takes);
    let miimon = link.spec.bond_miimon.get().map_or(MIIMON_MS, |ms| ms.0);
    let kind = LinkKind::Bond(Bond { mode, miimon_ms: Some(miimon), primary });
    builder.single(link, at, kind, Mtu::Usual, false)
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mode(BondMode);

impl FromStr for Mode {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let found = BondMode::ALL.into_iter().find(|mode| mode.name() == text);
        found.map(Mode).ok_or_else(|| {
            let help = nearest(text, &BondMode::ALL.map(BondMode::name));
            Wrong::new(format!("unknown mode `{text}` of a bond"), help)
        })
    }
}
