//! What nodes have beside their network. Does not put it there.

use std::collections::BTreeMap;

use wireloom_engine::Label;

use crate::{
    beside,
    document::{
        node::NodeSpec,
        room::{FileKeys, FileSpec, FolderKeys, FolderSpec, InsidePath, RunKeys, RunSpec},
        text::{Text, parse},
    },
    expand::{Numbers, Template},
    lower::{Builder, command::literal},
    lowered::{CommandLine, Inside, OnChange, OwnFile, OwnFolder},
    read::{Shape, Spanned},
    source::Span,
};

/// How much the files of all nodes may have in them together, in bytes.
const MOST: usize = 64 << 20;

/// Where the paths of a node stand.
type Places = BTreeMap<String, (Span, &'static str)>;

impl Builder {
    pub(super) fn add_inside(&mut self, label: &Label, spec: &NodeSpec, numbers: &Numbers) {
        let keys = [spec.files.is_absent(), spec.private.is_absent(), spec.run.is_absent()];
        let room = keys.contains(&false);
        if !room && spec.hostname.is_absent() {
            return;
        }
        let hostname = self.filled(&spec.hostname, numbers).flatten().map(|name| name.0);
        let mut places = Places::new();
        let mut folders: Vec<OwnFolder> = Vec::new();
        for folder in spec.private.get().into_iter().flatten() {
            folders.extend(self.folder(folder, numbers, &mut places));
        }
        // A folder comes before those in it.
        folders.sort_by(|a, b| a.path.cmp(&b.path));
        let mut files = Vec::new();
        for (path, file) in spec.files.get().into_iter().flatten() {
            files.extend(self.file(path, file, numbers, &mut places));
        }
        self.no_file_is_a_folder(&files, &places);
        let hostname = hostname.unwrap_or_else(|| label.to_string());
        self.insides.insert(label.clone(), Inside { hostname, room, folders, files });
        for run in spec.run.get().into_iter().flatten() {
            self.add_run(label, run, numbers);
        }
    }

    fn folder(&mut self, spec: &Spanned<FolderSpec>, numbers: &Numbers, places: &mut Places) -> Option<OwnFolder> {
        let empty = FolderKeys::default();
        let (path, keys) = match &spec.value.0 {
            Shape::Scalar(path) => (self.noted(spec.span, path.fill(numbers))?, &empty),
            Shape::Mapping(keys) => {
                if keys.path.is_absent() {
                    self.wrong(spec.span, "a private folder without `path`", "add `path: /run/frr`");
                }
                (self.filled(&keys.path, numbers)??, keys)
            }
            Shape::List(never) => match *never {},
        };
        let mode = self.filled(&keys.mode, numbers)?.map(|mode| mode.0);
        let owner = self.filled(&keys.owner, numbers)?.map(|owner| owner.0);
        self.take_path(&path, spec.span, "private", places)?;
        Some(OwnFolder { path: path.0, owner, mode })
    }

    fn file(
        &mut self,
        key: &Spanned<String>,
        spec: &Spanned<FileSpec>,
        numbers: &Numbers,
        places: &mut Places,
    ) -> Option<OwnFile> {
        let template = Template::parse(key);
        let filled = template.map_or(Ok(key.value.clone()), |template| template.fill(numbers));
        let path = self.noted(key.span, filled.and_then(|text| parse::<InsidePath>(&text)));
        let empty = FileKeys::default();
        let (content, keys) = match &spec.value.0 {
            Shape::Scalar(text) => (self.noted(spec.span, literal(text, numbers)), &empty),
            Shape::Mapping(keys) => (self.content(keys, spec.span, numbers), keys),
            Shape::List(never) => match *never {},
        };
        let mode = self.filled(&keys.mode, numbers)?.map(|mode| mode.0);
        let owner = self.filled(&keys.owner, numbers)?.map(|owner| owner.0);
        let (path, content) = (path?, content?);
        self.take_path(&path, key.span, "files", places)?;
        self.weigh(content.len(), spec.span)?;
        Some(OwnFile { path: path.0, content, owner, mode })
    }

    fn content(&mut self, keys: &FileKeys, span: Span, numbers: &Numbers) -> Option<String> {
        match (keys.content.spanned(), keys.from.spanned()) {
            (Some(content), None) => self.noted(content.span, literal(content, numbers)),
            (None, Some(from)) => {
                let name = self.noted(from.span, from.fill(numbers))?;
                let document = self.sources.name(from.span.file).to_owned();
                self.noted(from.span, beside::read(&document, &name))
            }
            (Some(_), Some(from)) => {
                self.wrong(from.span, "a file with both `content` and `from`", "keep one of them");
                None
            }
            (None, None) => {
                if !keys.has_bad() {
                    self.wrong(span, "a file without content", "add `content: TEXT`, or `from: FILE`");
                }
                None
            }
        }
    }

    fn weigh(&mut self, bytes: usize, span: Span) -> Option<()> {
        let before = self.weight;
        self.weight += bytes;
        if before <= MOST && self.weight > MOST {
            let help = "nodes see the files of the machine: leave large ones where they are";
            self.wrong(span, "the files of all nodes are larger than 64 MiB together", help);
        }
        (self.weight <= MOST).then_some(())
    }

    fn take_path(&mut self, path: &InsidePath, span: Span, list: &'static str, places: &mut Places) -> Option<()> {
        if let Some((first, other)) = places.get(&path.0) {
            let line = first.line;
            let message = match *other == list {
                true => format!("`{path}` is given twice, first in line {line}"),
                false => format!("`{path}` is a folder of `private` and a file, in line {line}"),
            };
            self.wrong(span, message, "keep one of them");
            return None;
        }
        places.insert(path.0.clone(), (span, list));
        Some(())
    }

    /// `/etc/frr` cannot be a file where there is to be `/etc/frr/frr.conf`.
    fn no_file_is_a_folder(&mut self, files: &[OwnFile], places: &Places) {
        for file in files {
            let inside = format!("{}/", file.path);
            let below = places.range(inside.clone()..).next().filter(|(path, _)| path.starts_with(&inside));
            if let Some((path, (span, _))) = below {
                let message = format!("`{path}` lies in `{}`, which is a file", file.path);
                self.wrong(*span, message, "give one of them another path");
            }
        }
    }

    fn add_run(&mut self, label: &Label, spec: &Spanned<RunSpec>, numbers: &Numbers) -> Option<()> {
        let words = |words: &[Spanned<Text<String>>]| -> Result<CommandLine, crate::wrong::Wrong> {
            words.iter().map(|word| literal(&word.value, numbers)).collect::<Result<_, _>>().map(CommandLine::Argv)
        };
        let shell = |text| literal(text, numbers).map(CommandLine::Shell);
        let (line, on_change) = match &spec.value.0 {
            Shape::Scalar(text) => (shell(text), OnChange::default()),
            Shape::List(list) => (words(list), OnChange::default()),
            Shape::Mapping(RunKeys { command, on_change }) => {
                if command.is_absent() {
                    self.wrong(
                        spec.span,
                        "no command is given",
                        "add `command: TEXT` or `command: [PROGRAM, ARGUMENT]`",
                    );
                }
                let line = match &command.get()?.0 {
                    Shape::Scalar(text) => shell(text),
                    Shape::List(list) => words(list),
                    Shape::Mapping(never) => match *never {},
                };
                (line, on_change.get().copied().unwrap_or_default())
            }
        };
        self.push_command(label, line, (true, Some(on_change)), spec.span)
    }
}
