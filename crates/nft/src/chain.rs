//! Chains, and where the kernel calls them.

use crate::Rule;
use crate::wire::{Reader, Writer};

const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_POLICY: u16 = 5;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;

/// A chain with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where the kernel calls it; a chain without is only jumped to.
    pub hooked: Option<Hooked>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// Where the kernel calls a chain: `type nat hook prerouting priority -100; policy accept;`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hooked {
    /// What it may do.
    pub kind: ChainType,
    /// Where.
    pub hook: Hook,
    /// Lower ones are called first.
    pub priority: i32,
    /// What becomes of packets that no rule decides on.
    pub policy: Policy,
}

/// What a chain may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainType {
    /// Accept and drop.
    Filter,
    /// Change addresses, of the first packet of a flow and with it of all.
    Nat,
    /// Decide on a route again.
    Route,
}

/// A place in the path of packets (NF_INET_…).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kernel's own names")]
pub enum Hook {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
}

/// What becomes of packets that no rule decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kernel's own names")]
pub enum Policy {
    Accept,
    Drop,
}

const HOOKS: [Hook; 5] = [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

impl ChainType {
    fn name(self) -> &'static str {
        match self {
            ChainType::Filter => "filter",
            ChainType::Nat => "nat",
            ChainType::Route => "route",
        }
    }
}

impl Hooked {
    pub(crate) fn write(&self, writer: Writer) -> Writer {
        let number = HOOKS.iter().position(|hook| *hook == self.hook).expect("all hooks are listed");
        let hook = Writer::new()
            .u32(NFTA_HOOK_HOOKNUM, u32::try_from(number).expect("five hooks"))
            .u32(NFTA_HOOK_PRIORITY, self.priority.cast_unsigned());
        let policy = match self.policy {
            Policy::Drop => 0,
            Policy::Accept => 1,
        };
        writer.nest(NFTA_CHAIN_HOOK, hook).u32(NFTA_CHAIN_POLICY, policy).text(NFTA_CHAIN_TYPE, self.kind.name())
    }

    pub(crate) fn read(chain: Reader<'_>) -> Option<Hooked> {
        let hook = chain.nest(NFTA_CHAIN_HOOK)?;
        let name = chain.text(NFTA_CHAIN_TYPE)?;
        let kinds = [ChainType::Filter, ChainType::Nat, ChainType::Route];
        Some(Hooked {
            kind: kinds.into_iter().find(|kind| kind.name() == name)?,
            hook: *HOOKS.get(hook.u32(NFTA_HOOK_HOOKNUM)? as usize)?,
            priority: hook.u32(NFTA_HOOK_PRIORITY)?.cast_signed(),
            policy: if chain.u32(NFTA_CHAIN_POLICY) == Some(0) { Policy::Drop } else { Policy::Accept },
        })
    }
}
