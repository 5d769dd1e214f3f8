//! Addresses and MACs that two interfaces of one segment have.

use std::fmt::Display;

use wireloom_engine::LinkRef;

use crate::{lower::Builder, lower::Wire, read::Spanned};

/// Notes what is given twice on one segment.
pub(crate) fn segments(builder: &mut Builder) {
    let segments = std::mem::take(&mut builder.segments);
    for wire in &segments {
        let addresses = wire.ends.iter().flat_map(|end| {
            end.addresses.iter().map(|given| (Spanned { value: given.value.addr(), span: given.span }, &end.at))
        });
        twice(builder, wire, "address", addresses.collect());
        let macs = wire.ends.iter().filter_map(|end| Some((end.mac?, &end.at)));
        twice(builder, wire, "MAC address", macs.collect());
    }
    builder.segments = segments;
}

fn twice<T: Ord + Display>(builder: &mut Builder, wire: &Wire, what: &str, mut given: Vec<(Spanned<T>, &LinkRef)>) {
    // Equal ones come together; among them the first of the document stays first.
    given.sort_by(|(a, _), (b, _)| a.value.cmp(&b.value));
    let place = wire.bridge.as_ref().map_or("on one link".into(), |bridge| format!("at bridge `{}`", bridge.ifname));
    for pair in given.windows(2) {
        let [(first, first_at), (second, second_at)] = pair else { continue };
        if first.value == second.value {
            let message = format!("{what} {} is given twice {place}: to {first_at} and {second_at}", second.value);
            builder.wrong(second.span, message, format!("give {second_at} another one"));
        }
    }
}
