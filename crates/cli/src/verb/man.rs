//! `wireloom man`: man pages, one for the program and one for each verb, made from the same definition as the options.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use serde::Serialize;

use super::Ending;
use crate::{
    console::{Answer, Console},
    failure::Failure,
    options::Options,
    paint::Paint,
};

/// Options of `man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The verb whose page is wanted; without it, the program's
    verb: Vec<String>,
    /// Write the pages of all verbs into this folder
    #[arg(short, long, value_name = "FOLDER", env = "WIRELOOM_WRITE", hide_env_values = true)]
    #[arg(conflicts_with = "verb")]
    write: Option<PathBuf>,
}

/// Pages, in the language of man(7).
#[derive(Debug, Serialize)]
struct Pages {
    pages: Vec<Page>,
    /// They went there, and not to stdout.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Page {
    name: String,
    text: String,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<Ending, Failure> {
    let mut command = Options::command().disable_help_subcommand(true);
    command.build();
    let pages = match &args.write {
        Some(folder) => {
            let pages = all(&command)?;
            pages.iter().try_for_each(|page| write(folder, page))?;
            pages
        }
        None => vec![page(find(&command, &args.verb)?)?],
    };
    console.answer(&Pages { pages, folder: args.write.clone() })?;
    Ok(Ending::Fine)
}

/// The verb of these words: `impair set` is a verb of a verb.
fn find<'a>(command: &'a Command, words: &[String]) -> Result<&'a Command, Failure> {
    words.iter().try_fold(command, |command, word| {
        command.find_subcommand(word).ok_or_else(|| Failure::UnknownVerb { verb: words.join(" ") })
    })
}

/// The page of a command, and of all below it.
fn all(command: &Command) -> Result<Vec<Page>, Failure> {
    let mut pages = vec![page(command)?];
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        pages.extend(all(verb)?);
    }
    Ok(pages)
}

fn page(command: &Command) -> Result<Page, Failure> {
    let man = Man::new(command.clone()).manual("Wireloom");
    let mut text = Vec::new();
    man.render(&mut text).map_err(Failure::Output)?;
    Ok(Page { name: man.get_filename(), text: String::from_utf8_lossy(&text).into_owned() })
}

fn write(folder: &Path, page: &Page) -> Result<(), Failure> {
    let path = folder.join(&page.name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, &page.text));
    written.map_err(|cause| Failure::Write { path, cause })
}

impl Answer for Pages {
    fn text(&self, _: Paint, out: &mut dyn Write) -> io::Result<()> {
        let shown = self.pages.iter().filter(|_| self.folder.is_none());
        shown.map(|page| &page.text).try_for_each(|text| out.write_all(text.as_bytes()))
    }
}
