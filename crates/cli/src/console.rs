//! Where answers and talk go: answers to stdout, as text or as JSON; everything else to stderr, where a failure to
//! write is nobody's business. Does not know what is answered.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufWriter, IsTerminal, Write},
};

use serde::Serialize;
use wireloom_topology::mistake::Mistakes;

use crate::{
    failure::Failure,
    options::{Format, General},
    paint::Paint,
};

/// What a verb answers: for programs by serde, for people as text.
pub(crate) trait Answer: Serialize {
    /// Writes it for people.
    fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()>;
}

/// Both outputs.
#[derive(Debug)]
pub(crate) struct Console {
    format: Format,
    out: Paint,
    talk: Paint,
    /// Whether there has been an answer: one run of the program gives one.
    answered: Cell<bool>,
}

impl Console {
    /// As the user wants it.
    pub(crate) fn new(general: &General) -> Console {
        let out = Paint::new(general.color, io::stdout().is_terminal());
        let talk = Paint::new(general.color, io::stderr().is_terminal());
        Console { format: general.output, out, talk, answered: Cell::new(false) }
    }

    /// Writes the answer of a verb.
    pub(crate) fn answer(&self, answer: &impl Answer) -> Result<(), Failure> {
        self.answered.set(true);
        let mut out = BufWriter::new(io::stdout().lock());
        let written = match self.format {
            Format::Text => answer.text(self.out, &mut out),
            Format::Json => write_json(&mut out, answer),
        };
        written.and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// Tells something that is no answer.
    pub(crate) fn say(&self, text: impl fmt::Display) {
        talk(format_args!("{text}\n"));
    }

    /// Tells something that the user should look at.
    pub(crate) fn warn(&self, text: impl fmt::Display) {
        talk(format_args!("{} {text}\n", self.talk.odd("warning:")));
    }

    /// Tells what is odd in a document.
    pub(crate) fn warnings(&self, warnings: &Mistakes) {
        talk(format_args!("{}", warnings.render_warnings(self.talk.is_on())));
    }

    /// Whether a program reads the answer.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes one of many answers, for programs, on a line of its own that is there at once.
    pub(crate) fn line(&self, row: &impl Serialize) -> Result<(), Failure> {
        self.answered.set(true);
        let mut text = serde_json::to_vec(row).map_err(|error| Failure::Output(error.into()))?;
        text.push(b'\n');
        let mut out = io::stdout().lock();
        out.write_all(&text).and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// The same for people.
    pub(crate) fn text_line(&self, row: &impl fmt::Display) -> Result<(), Failure> {
        self.answered.set(true);
        // One write, and there at once.
        let mut out = io::stdout().lock();
        out.write_all(format!("{row}\n").as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// Tells what went wrong, of a verb that goes on.
    pub(crate) fn complain(&self, failure: &Failure) {
        match failure.mistakes() {
            Some(mistakes) => talk(format_args!("{}", mistakes.render(self.talk.is_on()))),
            None => talk(format_args!("{} {failure}\n", self.talk.bad("error:"))),
        }
    }

    /// Tells why a verb failed; a program that wants JSON and has had no answer yet gets it as JSON too.
    pub(crate) fn fail(&self, failure: &Failure) {
        self.complain(failure);
        if self.format == Format::Json && !self.answered.get() {
            // There is nobody left to tell when this fails.
            write_json(&mut io::stdout().lock(), &failure.row()).ok();
        }
    }

    /// How talk is coloured.
    pub(crate) fn talk_paint(&self) -> Paint {
        self.talk
    }
}

fn write_json(out: &mut impl Write, answer: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, answer)?;
    out.write_all(b"\n")
}

fn talk(text: fmt::Arguments<'_>) {
    // One write, so that lines of several processes do not mix.
    io::stderr().lock().write_all(text.to_string().as_bytes()).ok();
}
