//! From file names to one tree: reads files, refuses what is no text, and runs text through parsing, interpolation,
//! lifting and merging. The only place of this crate, next to `variables` and `beside`, that touches files.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    interpolate::interpolate,
    lift::{Part, lift},
    merge::merge,
    mistake::{Mistake, Mistakes},
    parse::parse,
    source::{FileId, Sources, Span},
    tree::{Node, Tree},
    variables::{Unread, Variables},
};

/// The largest file that is read.
pub const LARGEST: usize = 16 << 20;
/// How many files a document may consist of.
pub const MOST_FILES: usize = 1000;

/// Reads and merges files, each path being a file, a list of them with colons between, or `-` for standard input.
/// Mistakes that leave a tree to go on with are in [`Tree::mistakes`]: they make the document wrong all the same.
pub fn load(paths: &[PathBuf], variables: &Variables) -> Result<Tree, Mistakes> {
    let mut load = Load::new(variables);
    let names: Vec<&Path> = paths.iter().flat_map(|path| split(path)).collect();
    if names.is_empty() || names.len() > MOST_FILES {
        let message = format!("a document is 1 to {MOST_FILES} files, these are {}", names.len());
        load.mistakes.push(Mistake::at(Span::default(), message, "name the files of one topology"));
        return Err(load.into_mistakes());
    }
    for name in names {
        load.file(name);
    }
    load.environment();
    load.finish()
}

/// The same for a text that is already there, under the name that messages are to show.
pub fn load_text(name: &str, text: &str, variables: &Variables) -> Result<Tree, Mistakes> {
    let mut load = Load::new(variables);
    load.bytes(name, text.as_bytes().to_vec());
    load.environment();
    load.finish()
}

/// `a.yaml:b.yaml` are two files.
fn split(path: &Path) -> Vec<&Path> {
    match path.to_str() {
        Some(text) => text.split(':').filter(|name| !name.is_empty()).map(Path::new).collect(),
        None => vec![path],
    }
}

struct Load<'a> {
    variables: &'a Variables,
    sources: Sources,
    parts: Vec<Part>,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    /// A file, or the list under a key of the top, could not be read to its end.
    lost: bool,
}

impl<'a> Load<'a> {
    fn new(variables: &'a Variables) -> Load<'a> {
        Load {
            variables,
            sources: Sources::default(),
            parts: Vec::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            lost: false,
        }
    }

    fn file(&mut self, path: &Path) {
        let (name, read) = match path.to_str() {
            Some("-") => ("standard input".to_owned(), whole(io::stdin().lock())),
            _ => (path.display().to_string(), File::open(path).and_then(whole)),
        };
        match read {
            Ok(bytes) => self.bytes(&name, bytes),
            Err(error) => {
                let file = self.sources.add(name, "");
                let message = format!("cannot be read: {}", reason(&error));
                self.mistakes.push(Mistake::at(Span::whole(file), message, remedy(&error)));
                self.lost = true;
            }
        }
    }

    /// Notes what is wrong with the file of variables. After the documents, the first of which stands for all.
    fn environment(&mut self) {
        if let Some(Unread { path, reason }) = self.variables.unread() {
            let file = self.sources.add(path.display().to_string(), "");
            let help = "make it a text file of lines such as `NAME=value`, or take it away";
            self.mistakes.push(Mistake::at(Span::whole(file), reason.clone(), help));
        }
    }

    fn bytes(&mut self, name: &str, bytes: Vec<u8>) {
        let root = self.text(name, bytes).and_then(|file| {
            let before = self.mistakes.len();
            let root = parse(&self.sources, file, &mut self.mistakes);
            self.lost |= self.mistakes[before..].iter().any(|mistake| !mistake.field.contains('.'));
            root
        });
        let Some(mut root) = root else {
            self.lost = true;
            return;
        };
        interpolate(&mut root, &self.sources, self.variables, &mut self.mistakes, &mut self.warnings);
        let before = self.mistakes.len();
        self.parts.extend(lift(root, &mut self.mistakes));
        self.lost |= self.mistakes.len() > before;
    }

    /// Keeps the text of a file, unless it is none.
    fn text(&mut self, name: &str, mut bytes: Vec<u8>) -> Option<FileId> {
        if bytes.len() > LARGEST {
            let file = self.sources.add(name, "");
            let message = format!("the file is larger than {} MiB", LARGEST >> 20);
            self.mistakes.push(Mistake::at(Span::whole(file), message, "use ranges such as `leaf[1-100]`"));
            return None;
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let (text, bad) = match String::from_utf8(bytes) {
            Ok(text) => {
                let nul = text.find('\0').map(|at| (at, "a NUL byte"));
                (text, nul)
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some((at, "a byte that is not UTF-8")))
            }
        };
        let before = bad.map(|(at, what)| (text[..at].to_owned(), what));
        let file = self.sources.add(name, text);
        let Some((before, what)) = before else { return Some(file) };
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
        let span = Span { file, line, column, offset: before.len(), len: 1 };
        self.mistakes.push(Mistake::at(span, format!("{what} stands here"), "save the file as UTF-8 text"));
        None
    }

    fn into_mistakes(self) -> Mistakes {
        let mut mistakes = Mistakes { list: self.mistakes, sources: Arc::new(self.sources) };
        mistakes.sort();
        mistakes
    }

    fn finish(mut self) -> Result<Tree, Mistakes> {
        let nothing = || {
            let span = Span { line: 1, column: 1, ..Span::default() };
            Node::new(crate::tree::Value::Mapping(Vec::new()), span)
        };
        let parts = std::mem::take(&mut self.parts);
        if parts.is_empty() {
            return Err(self.into_mistakes());
        }
        let root = merge(parts).unwrap_or_else(nothing);
        let sources = Arc::new(self.sources);
        let mut mistakes = Mistakes { list: self.mistakes, sources: Arc::clone(&sources) };
        let mut warnings = Mistakes { list: self.warnings, sources: Arc::clone(&sources) };
        let tree =
            Tree { sources, root, mistakes: Mistakes::default(), warnings: Mistakes::default(), whole: !self.lost };
        tree.name_fields(&mut mistakes);
        tree.name_fields(&mut warnings);
        mistakes.sort();
        warnings.sort();
        Ok(Tree { mistakes, warnings, ..tree })
    }
}

/// Everything, or one byte more than is allowed: a device or a pipe may have no end.
fn whole(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The reason in words, without the number that the standard library adds.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_lowercase()
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path; it counts from the folder that the command runs in",
        io::ErrorKind::PermissionDenied => "make the file readable for the user who runs this",
        io::ErrorKind::IsADirectory => "name a file in the folder",
        _ => "check the file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &[u8])], names: &str) -> Result<Tree, Mistakes> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let names: Vec<_> = names.split(':').map(|name| folder.path().join(name).display().to_string()).collect();
        load(&[PathBuf::from(names.join(":"))], &Variables::none())
    }

    fn refused(bytes: &[u8]) -> (u32, u32, String) {
        let mistakes = of(&[("a.yaml", bytes)], "a.yaml").unwrap_err().list;
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        (mistakes[0].span.line, mistakes[0].span.column, mistakes[0].message.clone())
    }

    #[test]
    fn files_with_colons_between_are_merged() {
        let tree =
            of(&[("a.yaml", b"\xef\xbb\xbfname: a\nlinks: []\n"), ("b.json", b"{\"name\": \"b\"}")], "a.yaml:b.json")
                .unwrap();
        assert_eq!(tree.root.get("name").and_then(Node::as_text), Some("b"));
        assert!(tree.root.get("links").is_some());
        assert!(tree.mistakes.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_a_mistake_of_its_file() {
        let mistakes = of(&[("a.yaml", b"links: []\n")], "a.yaml:b.yaml:.").unwrap().mistakes;
        let rendered = mistakes.render(false);
        assert!(
            rendered.contains("b.yaml: cannot be read: no such file or directory\n  help: check the path"),
            "{rendered}"
        );
        assert!(rendered.contains("/.: cannot be read: is a directory\n  help: name a file"), "{rendered}");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(refused(b"a: 1\nb\xff: 2\n"), (2, 2, "a byte that is not UTF-8 stands here".to_owned()));
        assert_eq!(refused(b"a: 1\nb: \0\n"), (2, 4, "a NUL byte stands here".to_owned()));
        assert_eq!(refused(b""), (0, 0, "the file is empty".to_owned()));
        assert_eq!(refused(&vec![b' '; LARGEST + 1]), (0, 0, "the file is larger than 16 MiB".to_owned()));
        assert!(load(&[PathBuf::from("/dev/zero")], &Variables::none()).is_err());
    }

    #[test]
    fn mistakes_of_all_files_and_steps_come_together() {
        let tree = of(
            &[("a.yaml", b"name: ${X\nlinks: []\nlinks: []\n"), ("b.yaml", b"name: [1\n"), ("c.yaml", b"a: $Y\n")],
            "a.yaml:b.yaml:c.yaml",
        )
        .unwrap();
        let lines: Vec<_> = tree.mistakes.list.iter().map(|m| (m.span.file.0, m.span.line, &*m.field)).collect();
        assert_eq!(lines, [(0, 1, "name"), (0, 3, "links"), (1, 1, "name")]);
        assert_eq!(tree.warnings.list[0].field, "a");
    }
}
