//! `wireloom impair show`: what the document says, what was set on top of it, and what the kernel has. Changes nothing.

use wireloom_engine::LinkRef;

use super::{Ending, Links};
use crate::{
    capability::{self, NET_ADMIN, SYS_ADMIN},
    changes::Steps,
    console::Console,
    failure::Failure,
    live::{self, Row, Where, rows},
    subject,
};

/// Options of `impair show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// The links; without any, all that something is to be told about
    #[arg(value_name = "NODE:INTERFACE")]
    links: Vec<LinkRef>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let owner = args.place.owner(console, &args.links)?;
    capability::need(&[NET_ADMIN, SYS_ADMIN])?;
    let (record, entry) = subject::up(&owner)?;
    let document = entry.desired;
    for at in &args.links {
        live::link(&document, at)?;
    }
    let links = if args.links.is_empty() {
        let all: Vec<LinkRef> = live::links(&document).map(|(at, _)| at).collect();
        rows(&record, &document, &all)?.into_iter().filter(Row::is_news).collect()
    } else {
        rows(&record, &document, &args.links)?
    };
    console.answer(&Links { topology: &owner, changed: Steps(&live::nothing(&owner)), links })?;
    Ok(Ending::Fine)
}
