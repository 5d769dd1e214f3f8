//! `wireloom schema`: the JSON Schema of documents, for editors.

use std::io::{self, Write};

use serde::Serialize;

use super::Ending;
use crate::{
    console::{Answer, Console},
    failure::Failure,
    paint::Paint,
};

/// `schema` takes no options of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// A schema is JSON in either format.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Schema(serde_json::Value);

pub(crate) fn run(console: &Console, _: &Args) -> Result<Ending, Failure> {
    console.answer(&Schema(wireloom_topology::schema()))?;
    Ok(Ending::Fine)
}

impl Answer for Schema {
    fn text(&self, _: Paint, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.0)?;
        out.write_all(b"\n")
    }
}
