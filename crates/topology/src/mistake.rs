//! What is wrong with a document, where, and what would be right: collected, sorted, and rendered for people and for
//! programs. Knows nothing of how mistakes are found.

use std::{fmt, fmt::Write, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeSeq};

use crate::source::{Sources, Span};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where.
    pub span: Span,
    /// The path of the field, `links[2].endpoints[0]`; empty for the document as a whole.
    pub field: String,
    /// What is wrong, lower case.
    pub message: String,
    /// What would be right; empty if the message says it already.
    pub help: String,
}

impl Mistake {
    /// A mistake whose field path is filled later by `Tree::name_fields`, from the place.
    pub fn at(span: Span, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { span, field: String::new(), message: message.into(), help: help.into() }
    }

    /// The same mistake, of this field.
    pub fn in_field(self, field: impl Into<String>) -> Mistake {
        Mistake { field: field.into(), ..self }
    }
}

/// All mistakes found, with the texts that they point into. Serialises to a list of
/// `{file, line, column, field, message, help}`.
#[derive(Debug, Clone, Default)]
pub struct Mistakes {
    /// The mistakes, in order after [`Mistakes::sort`].
    pub list: Vec<Mistake>,
    /// The texts.
    pub sources: Arc<Sources>,
}

impl Mistakes {
    /// How many are rendered for people; programs get all.
    pub const SHOWN: usize = 1000;

    /// No mistakes yet.
    pub fn new(sources: Arc<Sources>) -> Mistakes {
        Mistakes { list: Vec::new(), sources }
    }

    /// Notes one more.
    pub fn push(&mut self, mistake: Mistake) {
        self.list.push(mistake);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorts by file, line and column, and drops what is said twice of one place (an alias stands in many fields).
    pub fn sort(&mut self) {
        self.list.sort();
        self.list.dedup_by(|later, first| later.span == first.span && later.message == first.message);
    }

    /// For people: `FILE:LINE:COLUMN: FIELD: message`, the line with the place underlined, and what would be right.
    pub fn render(&self, colours: bool) -> String {
        self.render_as("", colours)
    }

    /// The same for warnings, which say that they are.
    pub fn render_warnings(&self, colours: bool) -> String {
        self.render_as("warning: ", colours)
    }

    fn render_as(&self, prefix: &str, colours: bool) -> String {
        let paint = if colours { Paint::ANSI } else { Paint::default() };
        let mut out = String::new();
        for mistake in self.list.iter().take(Mistakes::SHOWN) {
            let _ = paint.mistake(&mut out, prefix, mistake, &self.sources);
        }
        if let Some(more) = self.list.len().checked_sub(Mistakes::SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(out, "{prefix}and {more} more like these");
        }
        out
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Mistakes {}

impl Serialize for Mistakes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            file: &'a str,
            line: u32,
            column: u32,
            field: &'a str,
            message: &'a str,
            help: &'a str,
        }
        let mut list = serializer.serialize_seq(Some(self.list.len()))?;
        for Mistake { span, field, message, help } in &self.list {
            let file = self.sources.name(span.file);
            list.serialize_element(&Row { file, line: span.line, column: span.column, field, message, help })?;
        }
        list.end()
    }
}

#[derive(Default)]
struct Paint {
    place: &'static str,
    message: &'static str,
    mark: &'static str,
    help: &'static str,
    off: &'static str,
}

impl Paint {
    const ANSI: Paint =
        Paint { place: "\x1b[1m", message: "\x1b[31m", mark: "\x1b[1;31m", help: "\x1b[36m", off: "\x1b[0m" };

    fn mistake(&self, out: &mut String, prefix: &str, mistake: &Mistake, sources: &Sources) -> fmt::Result {
        let Mistake { span, field, message, help } = mistake;
        write!(out, "{}{}", self.place, clean(sources.name(span.file)))?;
        if span.line > 0 {
            write!(out, ":{}:{}", span.line, span.column)?;
        }
        let field = if field.is_empty() { String::new() } else { format!("{}: ", clean(field)) };
        writeln!(out, ":{} {prefix}{field}{}{}{}", self.off, self.message, clean(message), self.off)?;
        if let Some(line) = sources.line(span.file, span.line) {
            self.excerpt(out, line, *span)?;
        }
        if !help.is_empty() {
            for (index, line) in wrapped(&clean(help)).iter().enumerate() {
                match index {
                    0 => writeln!(out, "  {}help:{} {line}", self.help, self.off)?,
                    _ => writeln!(out, "        {line}")?,
                }
            }
        }
        Ok(())
    }

    fn excerpt(&self, out: &mut String, line: &str, span: Span) -> fmt::Result {
        let excerpt = Excerpt::new(line, span);
        let number = span.line.to_string();
        writeln!(out, "  {number} | {}", excerpt.text)?;
        let (gap, before, marks) = (" ".repeat(number.len()), " ".repeat(excerpt.before), "^".repeat(excerpt.marked));
        writeln!(out, "  {gap} | {before}{}{marks}{}", self.mark, self.off)
    }
}

/// The part of a line that is shown: at most [`Excerpt::WIDTH`] characters around the place.
struct Excerpt {
    text: String,
    before: usize,
    marked: usize,
}

impl Excerpt {
    const WIDTH: usize = 110;

    fn new(line: &str, span: Span) -> Excerpt {
        let column = (span.column as usize).saturating_sub(1);
        let covered = line.chars().skip(column).scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            Some((*bytes, c))
        });
        let marked = covered.take_while(|(bytes, _)| *bytes <= span.len).count();
        let from = if column < Excerpt::WIDTH - 20 { 0 } else { column - Excerpt::WIDTH / 2 };
        let shown: Vec<char> = line.chars().skip(from).take(Excerpt::WIDTH).map(printable).collect();
        let cut = (from > 0, line.chars().nth(from + Excerpt::WIDTH).is_some());
        let (left, right) = (if cut.0 { "..." } else { "" }, if cut.1 { "..." } else { "" });
        let before = column - from;
        let marked = marked.min(shown.len().saturating_sub(before)).max(1);
        let text = format!("{left}{}{right}", shown.into_iter().collect::<String>().trim_end());
        Excerpt { text, before: before + left.len(), marked }
    }
}

/// Lines that are read with ease.
fn wrapped(text: &str) -> Vec<String> {
    const WIDTH: usize = 100;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("the first is there");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A document must not steer the terminal that shows it.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        // Marks that turn the direction of writing: what is shown would not be what is read.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// What came out of a document, for a terminal, and not without end.
fn clean(text: &str) -> String {
    const MOST: usize = 1500;
    let end = if text.chars().nth(MOST).is_some() { "..." } else { "" };
    text.chars().take(MOST).map(printable).chain(end.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str, span: Span) -> Mistakes {
        let mut sources = Sources::default();
        let file = sources.add("lab.yaml", text);
        let mut mistakes = Mistakes::new(Arc::new(sources));
        mistakes
            .push(Mistake::at(Span { file, ..span }, "unknown key `mtuu`", "did you mean `mtu`?").in_field("links[0]"));
        mistakes
    }

    fn place(line: u32, column: u32, len: usize) -> Span {
        Span { line, column, len, ..Span::default() }
    }

    #[test]
    fn the_first_line_can_be_grepped_and_the_place_is_underlined() {
        let expected = "lab.yaml:2:5: links[0]: unknown key `mtuu`\n  2 |   - mtuu: 9000\n    |     ^^^^\n  help: did you mean `mtu`?\n";
        assert_eq!(mistakes("links:\n  - mtuu: 9000\n", place(2, 5, 4)).render(false), expected);
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let mistakes = mistakes("links:\n  - mtuu: 9000\n", place(2, 5, 4));
        assert!(mistakes.render(true).contains("\x1b[1;31m^^^^\x1b[0m"));
        assert!(!mistakes.render(false).contains('\x1b'));
    }

    #[test]
    fn a_document_cannot_steer_the_terminal() {
        let rendered = mistakes("a: \x1b[2J\u{7}mtuu", place(1, 9, 4)).render(false);
        assert!(!rendered.contains(['\x1b', '\u{7}']), "{rendered:?}");
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let line = format!("{}mtuu{}", "x".repeat(5000), "y".repeat(5000));
        let rendered = mistakes(&line, place(1, 5001, 4)).render(false);
        let lines: Vec<_> = rendered.lines().collect();
        let under = lines[2].find('^').unwrap();
        assert_eq!(&lines[1][under..under + 4], "mtuu");
        assert_eq!(lines[2].matches('^').count(), 4);
        assert!(lines[1].len() < 130);
    }

    #[test]
    fn a_long_help_is_wrapped() {
        let mut mistakes = mistakes("a\n", place(1, 1, 1));
        mistakes.list[0].help = vec!["abcd"; 40].join(" ");
        let help: Vec<_> = mistakes.render(false).lines().skip(3).map(str::to_owned).collect();
        assert_eq!(help.len(), 2);
        assert!(help[0].starts_with("  help: abcd") && help[1].starts_with("        abcd"));
        assert!(help.iter().all(|line| line.len() <= 108));
    }

    #[test]
    fn many_mistakes_end_in_a_number() {
        let mut mistakes = mistakes("a\n", place(1, 1, 1));
        mistakes.list = vec![mistakes.list[0].clone(); Mistakes::SHOWN + 7];
        assert!(mistakes.render(false).ends_with("\nand 7 more like these\n"));
    }

    #[test]
    fn a_whole_file_has_no_line() {
        let rendered = mistakes("", place(0, 0, 0)).render(false);
        assert!(rendered.starts_with("lab.yaml: links[0]: unknown key"), "{rendered}");
    }

    #[test]
    fn sorting_drops_what_is_said_twice() {
        let mut mistakes = mistakes("a\nb\n", place(2, 1, 1));
        let again = mistakes.list[0].clone();
        mistakes.push(Mistake { span: place(1, 1, 1), ..again.clone() });
        mistakes.push(again.in_field("links[1]"));
        mistakes.sort();
        assert_eq!(mistakes.list.iter().map(|mistake| mistake.span.line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn programs_get_rows() {
        let row = serde_json::json!([{"file": "lab.yaml", "line": 2, "column": 5, "field": "links[0]",
            "message": "unknown key `mtuu`", "help": "did you mean `mtu`?"}]);
        assert_eq!(serde_json::to_value(mistakes("", place(2, 5, 4))).unwrap(), row);
    }
}
