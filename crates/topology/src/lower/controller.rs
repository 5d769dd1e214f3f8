//! Links that are ports of a bond or a vrf of their node. Does not know ports of bridges that `bridge` names.

use wireloom_engine::{Bond, IfName, Link, LinkKind, LinkRef, Vrf};

use crate::{
    lower::Builder,
    read::{Spanned, nearest_or},
};

/// RT_TABLE_MAIN of linux/rtnetlink.h.
const MAIN: u32 = 254;

impl Builder {
    /// Notes that a link wants to be a port.
    pub(super) fn join_controller(&mut self, at: &LinkRef, link: &mut Link, controller: Option<Spanned<IfName>>) {
        if let Some(controller) = controller {
            link.controller = Some(controller.value);
            self.joined.push((at.clone(), controller));
        }
    }

    /// Ports of a bond have its MAC address and its MTU; routes by ports of a vrf are in its table.
    pub(super) fn settle_controllers(&mut self) {
        for (at, Spanned { value: controller, span }) in std::mem::take(&mut self.joined) {
            let found = self.state.link(&LinkRef::new(&at.netns, controller));
            match found.map(|link| (link.kind.clone(), link.mtu)) {
                Some((LinkKind::Bond(_), mtu)) => {
                    if let Some(port) = self.link_mut(&at) {
                        (port.mac, port.mtu) = (None, mtu);
                    }
                }
                Some((LinkKind::Vrf(Vrf { table }), _)) => {
                    let out_of_it = |wanted: &&mut crate::lower::Wanted| {
                        wanted.netns == at.netns && wanted.route.hops.iter().any(|hop| hop.dev == Some(at.ifname))
                    };
                    let routes = self.routes.iter_mut().filter(out_of_it);
                    routes.filter(|wanted| wanted.route.table == MAIN).for_each(|wanted| wanted.route.table = table);
                }
                other => {
                    let namespace = self.state.namespaces.get(&at.netns);
                    let links = namespace.into_iter().flat_map(|namespace| &namespace.links);
                    let controls = |link: &Link| matches!(link.kind, LinkKind::Bond(Bond { .. }) | LinkKind::Vrf(_));
                    let known: Vec<_> =
                        links.filter(|(_, link)| controls(link)).map(|(name, _)| name.as_str()).collect();
                    let help =
                        nearest_or(controller.as_str(), &known, "add one, like {type: bond, node: NODE, dev: NAME}");
                    let message = match other {
                        Some(_) => format!("`{controller}` of `{}` is no bond and no vrf", at.netns),
                        None => format!("`{}` has no bond or vrf `{controller}`", at.netns),
                    };
                    self.wrong(span, message, help);
                }
            }
        }
    }
}
