//! `wireloom completions`: what a shell needs to complete verbs and options. Made from the same definition as they are.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde::Serialize;

use super::Ending;
use crate::{
    console::{Answer, Console},
    failure::Failure,
    options::Options,
    paint::Paint,
};

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For which shell
    shell: Shell,
}

/// A script for a shell.
#[derive(Debug, Serialize)]
struct Completions {
    shell: String,
    script: String,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Options::command(), "wireloom", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    console.answer(&Completions { shell: args.shell.to_string(), script })?;
    Ok(Ending::Fine)
}

impl Answer for Completions {
    fn text(&self, _: Paint, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.script.as_bytes())
    }
}
