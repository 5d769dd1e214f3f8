//! What to do about a syntax error: the parser says what it did not find, here stands what people usually meant.

use crate::{parse::DEEPEST, source::Span};

/// Message and help for a parser's complaint.
pub(super) fn on(info: &str, text: &str, span: Span) -> (String, String) {
    if info.contains("recursion limit") {
        return (
            format!("more than {DEEPEST} levels deep"),
            "no document of ours needs more than a handful".to_owned(),
        );
    }
    let line = line_of(text, span.offset);
    let flow = info.contains("flow") || line.contains(['{', '[']);
    let help = if info.contains("unknown anchor") {
        "give the value a name with `&name` before using it as `*name`"
    } else if info.contains("duplicated anchor") {
        "give each anchor a name of its own"
    } else if flow && line.contains("${") {
        "quote values with `${...}` inside { } and [ ]: \"${...}\"; a number in it stays a number"
    } else if flow && has_template(line) {
        "quote values with { } or [ ] in them: \"eth{n}\""
    } else if info.contains("tab") {
        "indent with spaces"
    } else if info.contains("trailing content") {
        "quote the whole value, not a part of it"
    } else if info.contains("quoted scalar") && info.contains("escape") {
        "inside double quotes \\ begins an escape: write \\\\, or use single quotes"
    } else if info.contains("end of stream") || info.contains("in quoted scalar") || info.contains("document indicator")
    {
        "close the quotes"
    } else if info.contains("unprintable") {
        "remove the character, or write it as an escape in double quotes: \"\\x1b\""
    } else if info.contains("illegal placement of ':'") {
        "close the [ or { of a line above, or quote a value with `: ` in it"
    } else if info.contains("mapping values") {
        "quote a value with `: ` in it, and check the indentation"
    } else if info.contains("','") || info.contains("bracket") || info.contains("eof") {
        "check for a missing comma, bracket or brace"
    } else if info.contains("directive") || info.contains("document") {
        "remove lines that begin with `%`, `---` or `...`"
    } else if line.trim_start().starts_with(['@', '`']) || line.contains(": @") || line.contains(": `") {
        "quote values that begin with @ or `"
    } else {
        "check the indentation: keys of one mapping begin in the same column, items of a list with `- `"
    };
    (format!("not valid YAML: {}", words(info)), help.to_owned())
}

/// Where the cause is, for a complaint that points at the beginning of the text it is in.
pub(super) fn place(info: &str, text: &str, span: Span) -> Span {
    let tab = text
        .get(span.offset..)
        .and_then(|rest| rest.find("\n\t"))
        .filter(|_| info.contains("plain scalar, found a tab"));
    tab.map_or(span, |at| {
        let lines = text[span.offset..=span.offset + at].matches('\n').count();
        Span { line: span.line + lines as u32, column: 1, offset: span.offset + at + 1, len: 1, ..span }
    })
}

/// The bracket that is open at a place and never closed, if it is on a line above: then nothing is wrong at the place.
pub(super) fn unclosed(text: &str, span: Span) -> Option<(char, Span)> {
    let all = brackets(text);
    let mut open: Vec<(usize, char)> = Vec::new();
    let behind = all.iter().position(|(at, _)| *at >= span.offset).unwrap_or(all.len());
    for bracket in &all[..behind] {
        step(&mut open, *bracket);
    }
    let (depth, (at, bracket)) = (open.len(), *open.last()?);
    for bracket in &all[behind..] {
        step(&mut open, *bracket);
        if open.len() < depth {
            return None;
        }
    }
    let line = text[..at].matches('\n').count() as u32 + 1;
    let column = text[..at].rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    let place = Span { file: span.file, line, column, offset: at, len: 1 };
    (line < span.line && !line_of(text, at).contains("${")).then_some((bracket, place))
}

fn step(open: &mut Vec<(usize, char)>, (at, bracket): (usize, char)) {
    match (bracket, open.last()) {
        ('{' | '[', _) => open.push((at, bracket)),
        ('}', Some((_, '{'))) | (']', Some((_, '['))) => _ = open.pop(),
        _ => {}
    }
}

/// The brackets of a text that are YAML's: not those in quotes, comments and plain words like `eth{n}`.
fn brackets(text: &str) -> Vec<(usize, char)> {
    let (mut found, mut quote, mut previous) = (Vec::new(), None, '\n');
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some('"'), '\\') => _ = characters.next(),
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '#') if previous.is_whitespace() => while characters.next_if(|(_, c)| *c != '\n').is_some() {},
            (None, '"' | '\'') if begins(previous) => quote = Some(c),
            (None, '{' | '[') if begins(previous) => found.push((at, c)),
            (None, '}' | ']') => found.push((at, c)),
            (None, _) => {}
        }
        previous = c;
    }
    found
}

/// Whether a value can begin behind a character.
fn begins(previous: char) -> bool {
    previous.is_whitespace() || matches!(previous, '{' | '[' | ',' | ':')
}

/// The parser's own words, without "while parsing".
fn words(info: &str) -> String {
    let info = info.strip_prefix("while parsing node, ").unwrap_or(info);
    let info = info.strip_prefix("while ").unwrap_or(info);
    info.split_once(", ").filter(|_| info.starts_with("parsing") || info.starts_with("scanning")).map_or_else(
        || info.to_owned(),
        |(context, complaint)| {
            let context = context.trim_start_matches("parsing ").trim_start_matches("scanning ");
            format!("in {context}, {complaint}")
        },
    )
}

fn line_of(text: &str, offset: usize) -> &str {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    &text[start..end]
}

/// `{n}`, `{a+1}`, `spine[1-4]`: ours, but also YAML's own brackets.
fn has_template(line: &str) -> bool {
    let inside = |open, close| {
        line.match_indices(open).any(|(at, _)| {
            let glued = line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/'));
            glued && line[at..].contains(close)
        })
    };
    inside('{', '}') || inside('[', ']')
}
