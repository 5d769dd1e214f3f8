//! From the parser's places, which count characters, to ours, which also know bytes.

use saphyr_parser::Marker;

use crate::source::{FileId, Span};

/// The byte of every 256th character, so that finding one in a long line stays cheap; none if all are ASCII.
pub(super) struct Places<'a> {
    file: FileId,
    text: &'a str,
    marks: Option<Vec<usize>>,
    /// The byte that each line begins at.
    lines: Vec<usize>,
}

const STEP: usize = 256;

impl<'a> Places<'a> {
    pub(super) fn new(file: FileId, text: &'a str) -> Places<'a> {
        let marks = || text.char_indices().step_by(STEP).map(|(byte, _)| byte).collect();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Places { file, text, marks: (!text.is_ascii()).then(marks), lines }
    }

    pub(super) fn file(&self) -> FileId {
        self.file
    }

    /// The byte that a character begins at.
    fn byte(&self, character: usize) -> usize {
        let Some(marks) = &self.marks else { return character.min(self.text.len()) };
        let Some(start) = marks.get(character / STEP) else { return self.text.len() };
        let rest = &self.text[*start..];
        rest.char_indices().nth(character % STEP).map_or(self.text.len(), |(byte, _)| start + byte)
    }

    /// A place of no extent. The parser ends a line at a lone carriage return, too, and begins one behind the last byte;
    /// editors do not: where it counts other lines than they do, the column is counted anew.
    pub(super) fn at(&self, marker: &Marker) -> Span {
        let offset = self.byte(marker.index());
        let line = self.lines.partition_point(|start| *start <= offset);
        let column = match line == marker.line() {
            true => marker.col(),
            false => self.text[self.lines[line - 1]..offset].chars().count(),
        };
        Span {
            file: self.file,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
            offset,
            len: 0,
        }
    }

    /// What an event covers, without the white space at its end.
    pub(super) fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.at(&span.start);
        let end = self.byte(span.end.index()).max(start.offset);
        let len = self.text[start.offset..end].trim_end().len();
        Span { len, ..start }
    }
}
