//! Settings of interfaces: whether these exist. Does not know what the settings do.

use wireloom_engine::IfName;

use crate::{
    lower::{Builder, Gap},
    read::nearest,
};

/// Notes settings of interfaces that our own nodes do not have.
pub(crate) fn settings(builder: &mut Builder) {
    for (netns, key, span) in std::mem::take(&mut builder.settings) {
        let Some(ifname) = interface(&key) else { continue };
        if !builder.is_own(&netns) || builder.doubt.about(&netns, Gap::Interfaces) {
            continue;
        }
        let links = builder.state.namespaces.get(&netns).into_iter().flat_map(|namespace| namespace.links.keys());
        let known: Vec<&str> = links.map(IfName::as_str).chain(["all", "default"]).collect();
        if !known.contains(&ifname.as_str()) {
            let help = nearest(&ifname, &known);
            builder.wrong(span, format!("`{netns}` has no interface `{ifname}` to set this for"), help);
        }
    }
}

/// The interface in `net.ipv4.conf.INTERFACE.forwarding`; a dot in its name is written as `/`.
fn interface(key: &str) -> Option<String> {
    let words: Vec<&str> = key.split('.').collect();
    match words.as_slice() {
        ["net", "ipv4" | "ipv6", "conf" | "neigh", ifname, _] => Some(ifname.replace('/', ".")),
        _ => None,
    }
}
