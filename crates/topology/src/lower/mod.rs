//! From the document to the engine's state. Each part notes what is wrong and goes on. Does not know files.

mod bridge;
mod bridge_port;
mod builder;
mod cable;
mod check;
mod command;
mod controller;
mod detection;
mod doubt;
mod forward;
mod interface;
mod link;
mod mtu;
mod node;
mod outer;
mod room;
mod script;
mod segment;
mod tunnel;
mod uplink;
mod wireguard;

use wireloom_engine::{Owner, State};

use self::doubt::Doubt;
pub(crate) use self::{
    builder::{Builder, Place, Wanted},
    doubt::Gap,
    link::Copied,
    mtu::Mtu,
    script::script,
    segment::{End, Wire},
};
use crate::{
    document::Document,
    lowered::Lowered,
    mistake::{Mistake, Mistakes},
    pool,
    tree::Tree,
    validate,
};

/// IANA's port of vxlan.
pub(crate) const VXLAN_PORT: u16 = 4789;
/// The UDP port of geneve (IANA).
pub(crate) const GENEVE_PORT: u16 = 6081;

/// Lowers a document. `mistakes` are those of reading it; `tree` is what it was read from; `found` is what is known of
/// namespaces that exist.
pub(crate) fn lower(
    document: &Document,
    owner: Owner,
    tree: &Tree,
    found: &State,
    mistakes: Vec<Mistake>,
) -> (Lowered, Vec<Mistake>) {
    let doubt = Doubt::new(tree.whole, &mistakes);
    let mut builder = Builder::new(owner, document.nodes.get().is_none(), doubt, mistakes);
    builder.sources = tree.sources.clone();
    builder.found = found.clone();
    builder.add_nodes(document);
    builder.add_bridges(document);
    builder.add_links(document);
    builder.add_tunnels(document);
    builder.finish_patches();
    builder.settle_vlans();
    let unreached = builder.unreached();
    builder.add_uplinks(unreached);
    validate::segments(&mut builder);
    pool::hand_out(&mut builder);
    builder.add_translations();
    builder.settle_peers();
    builder.settle_detection();
    builder.settle_mtus();
    builder.settle_controllers();
    builder.spread_doubt();
    validate::mtus(&mut builder);
    validate::stacked(&mut builder);
    validate::settings(&mut builder);
    validate::routes(&mut builder);
    builder.add_routes();
    builder.add_commands(document);
    builder.add_checks(document);
    builder.finish()
}

impl Builder {
    fn finish(self) -> (Lowered, Vec<Mistake>) {
        let below = self.below_elsewhere();
        let segments = self.segments.into_iter().map(Wire::into_segment).collect();
        let lowered = Lowered {
            owner: self.owner,
            desired: self.state,
            nodes: self.nodes,
            insides: self.insides,
            commands: self.commands,
            checks: self.checks,
            segments,
            below,
            warnings: Mistakes::default(),
        };
        (lowered, self.mistakes)
    }

    /// Routes without a gateway first: those with one may need them.
    fn add_routes(&mut self) {
        let mut routes = std::mem::take(&mut self.routes);
        routes.sort_by_key(|wanted| wanted.route.hops.iter().any(|hop| hop.via.is_some()));
        for wanted in routes {
            if let Some(namespace) = self.state.namespaces.get_mut(&wanted.netns) {
                namespace.routes.push(wanted.route);
            }
        }
    }
}
