//! The texts that a document was read from, and places in them. Owns names, texts and line starts; knows no YAML.

use serde::{Deserialize, Serialize, de::value::SeqDeserializer};

/// Which file of [`Sources`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub(crate) u16);

/// A place in a file. The order is that of reading: file, line, column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// From 1; 0 stands for the file as a whole.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Bytes from the start of the file.
    pub offset: usize,
    /// Bytes that the place covers, 0 for a value that is not there.
    pub len: usize,
}

impl Span {
    /// The file as a whole, for what has no line: a file that cannot be read, for example.
    pub fn whole(file: FileId) -> Span {
        Span { file, ..Span::default() }
    }

    /// How a span crosses serde, from the reader to a `Spanned`.
    pub(crate) fn parts<E: serde::de::Error>(self) -> SeqDeserializer<std::array::IntoIter<u64, 5>, E> {
        let [line, column] = [self.line, self.column].map(u64::from);
        SeqDeserializer::new([u64::from(self.file.0), line, column, self.offset as u64, self.len as u64].into_iter())
    }
}

/// Name and text of every file of a document.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    name: String,
    text: String,
    lines: Vec<usize>,
}

impl Sources {
    /// As many files as a [`FileId`] can tell apart.
    pub const MOST: usize = u16::MAX as usize;

    /// Keeps a text under the name that messages are to show. Files past [`Sources::MOST`] share the last identity.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        if self.0.len() < Sources::MOST {
            self.0.push(Source { name: name.into(), text, lines });
        }
        FileId((self.0.len() - 1) as u16)
    }

    /// How messages call the file.
    pub fn name(&self, file: FileId) -> &str {
        self.0.get(usize::from(file.0)).map_or("", |source| &source.name)
    }

    /// The whole text of a file.
    pub fn text(&self, file: FileId) -> &str {
        self.0.get(usize::from(file.0)).map_or("", |source| &source.text)
    }

    /// A line of a file without its line break, the first is 1; nothing if there is no such line.
    pub fn line(&self, file: FileId, line: u32) -> Option<&str> {
        let source = self.0.get(usize::from(file.0))?;
        let index = (line as usize).checked_sub(1)?;
        let start = *source.lines.get(index)?;
        let end = source.lines.get(index + 1).copied().unwrap_or(source.text.len());
        Some(source.text[start..end].trim_end_matches(['\n', '\r']))
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.offset..span.offset + span.len).unwrap_or("")
    }

    /// Every file in the order it was read.
    pub fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        (0..self.0.len()).map(|index| FileId(index as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_breaks() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "one\r\ntwo\n\nfour");
        let lines: Vec<_> = (0..6).map(|line| sources.line(file, line)).collect();
        assert_eq!(lines, [None, Some("one"), Some("two"), Some(""), Some("four"), None]);
        assert_eq!(sources.name(file), "a.yaml");
    }

    #[test]
    fn spans_sort_by_place() {
        let at = |file, line, column| Span { file: FileId(file), line, column, offset: 0, len: 1 };
        let mut spans = vec![at(1, 1, 1), at(0, 2, 1), at(0, 1, 9), at(0, 1, 2)];
        spans.sort();
        assert_eq!(spans, [at(0, 1, 2), at(0, 1, 9), at(0, 2, 1), at(1, 1, 1)]);
    }
}
