//! The fenced blocks of docs/document.md as tests. `yaml` is a whole document: it comes up, a second `up` finds nothing to
//! do, its checks pass, and `down` leaves nothing; `yaml guest` the same where the running kernel lacks something; `yaml part`
//! is only shown. `sh` is run before the document that follows it. Does not know what the documents are about.

use std::{fs, path::Path};

use wireloom_testkit::{assert_same_dump, host_dump, sandbox, sh};

use crate::common::Folder;

/// A document of the manual.
pub(crate) struct Example {
    /// The heading that it stands under, and the line that it begins at.
    place: String,
    /// What is to be there already.
    before: String,
    text: String,
    pub(crate) guest: bool,
}

/// All whole documents of the manual.
pub(crate) fn examples() -> Vec<Example> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/document.md");
    let manual = fs::read_to_string(&path).expect("read docs/document.md");
    let mut heading = "";
    let mut before = String::new();
    let mut examples = Vec::new();
    let mut lines = manual.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if line.starts_with('#') {
            heading = line.trim_start_matches(['#', ' ']);
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
        let text: String = block.flat_map(|line| [line, "\n"]).collect();
        let place = format!("docs/document.md:{number}, {heading}");
        match info {
            "sh" => before = text,
            "yaml" | "yaml guest" => {
                let before = std::mem::take(&mut before);
                examples.push(Example { place, before, text, guest: info == "yaml guest" });
            }
            "yaml part" => {}
            other => panic!("{place}: a block of `{other}`, which no test reads"),
        }
    }
    examples
}

impl Example {
    /// Brings it up, and takes it away again.
    pub(crate) fn lives(&self) {
        sandbox(|| {
            sh(&self.before);
            let folder = Folder::with(&[("lab.yaml", &self.text)]);
            let before = host_dump();
            self.run(&folder, "up lab.yaml");
            let again = self.run(&folder, "up lab.yaml");
            assert!(again.ends_with(": nothing to do\n"), "{}: up again: {again}", self.place);
            if self.text.contains("\nchecks:") {
                self.run(&folder, "check lab.yaml");
            }
            self.run(&folder, "down lab.yaml");
            assert_same_dump(&before, &host_dump());
        });
    }

    fn run(&self, folder: &Folder, args: &str) -> String {
        let run = folder.wireloom(args);
        assert_eq!(run.status, 0, "{}: wireloom {args}: {}{}", self.place, run.stdout, run.stderr);
        run.stdout
    }
}
