//! netkit: a pair between two nodes, made for BPF programs.

use wireloom_engine::{LinkKind, LinkRef, Netkit, NetkitMode, NetkitPolicy};

use super::Kind;
use crate::lower::{Builder, Copied};

/// `type: netkit`
pub(super) static KIND: Kind =
    Kind { name: "netkit", keys: &["endpoints", "pairs", "mode", "policy", "subnet"], lower };

static MODES: [(&str, NetkitMode); 2] = [("l3", NetkitMode::L3), ("l2", NetkitMode::L2)];

static POLICIES: [(&str, NetkitPolicy); 2] =
    [("forward", NetkitPolicy::Forward), ("blackhole", NetkitPolicy::Blackhole)];

fn lower(builder: &mut Builder, link: &Copied<'_>) -> Option<()> {
    let mode = link.word(builder, &link.spec.mode, "mode", &MODES);
    let policies = link.words_of_ends(builder, &link.spec.policy, "policy", &POLICIES);
    if link.spec.endpoints.is_absent() {
        let help = "write `endpoints: [NODE:INTERFACE, NODE:INTERFACE]`; into a bridge goes a veth";
        builder.wrong(link.span, "a netkit with one end", help);
        return None;
    }
    let (mode, policies) = mode.zip(policies)?;
    let kind =
        |end: usize, peer: &LinkRef| LinkKind::Netkit(Netkit { peer: Some(peer.clone()), mode, policy: policies[end] });
    builder.pair(link, &kind)
}
