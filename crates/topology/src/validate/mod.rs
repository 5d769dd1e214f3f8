//! What only shows once everything is there: clashes on a segment, MTUs that do not fit, routes that lead nowhere.
//! Does not change anything.

mod mtu;
mod route;
mod segment;
mod setting;
mod stacked;

pub(crate) use self::{mtu::mtus, route::routes, segment::segments, setting::settings, stacked::stacked};
