//! Where the values of variables come from: the environment, a `.env` file, or a test's map. Knows nothing of how a
//! document names them.

use std::{
    collections::HashMap,
    env,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::load::reason;

/// The largest `.env` file that is read.
const LARGEST: u64 = 1 << 20;

/// Values of variables by name.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: HashMap<String, String>,
    environment: bool,
    unread: Option<Unread>,
}

/// A `.env` file that is there and cannot be used. A document that goes on without it would mean something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl Variables {
    /// No variable is set.
    pub fn none() -> Variables {
        Variables::default()
    }

    /// The environment of this process, and below it the `.env` file of a folder, if there is one. One that cannot be
    /// read makes every document that is loaded with it wrong.
    pub fn from_env_and(folder: &Path) -> Variables {
        let path = folder.join(".env");
        let (text, unread) = match read(&path) {
            Ok(text) => (text, None),
            Err(reason) => (String::new(), Some(Unread { path, reason })),
        };
        Variables { values: parse(&text), environment: true, unread }
    }

    /// What is wrong with the file.
    pub(crate) fn unread(&self) -> Option<&Unread> {
        self.unread.as_ref()
    }

    /// The value of a variable that is set; the environment wins over the file.
    pub fn get(&self, name: &str) -> Option<String> {
        let from_environment = || env::var(name).ok().filter(|_| self.environment);
        from_environment().or_else(|| self.values.get(name).cloned())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Variables {
        let values = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Variables { values, environment: false, unread: None }
    }
}

/// The text of the file, none if there is no file, or what is wrong with it. Asked before it is opened, as opening a pipe
/// waits for its other end, and a device has no end.
fn read(path: &Path) -> Result<String, String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(format!("cannot be read: {}", reason(&error))),
        Ok(found) if !found.is_file() => return Err("is no regular file".to_owned()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    file.map_err(|error| format!("cannot be read: {}", reason(&error)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("is larger than {} MiB", LARGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("has a byte on line {line} that is not UTF-8")
    })
}

/// The lines of a `.env` file as docker compose reads them; a line that is none of them is passed over.
fn parse(text: &str) -> HashMap<String, String> {
    let mut values = HashMap::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            values.insert(key.trim().to_owned(), unquote(value.trim()));
        }
    }
    values
}

fn unquote(value: &str) -> String {
    if let Some((text, _)) = value.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        return text.to_owned();
    }
    if let Some(text) = value.strip_prefix('"').and_then(double_quoted) {
        return text;
    }
    // A comment needs white space before it: a value may well have a # inside.
    let comment = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    let value = if value.starts_with('#') { "" } else { &value[..comment] };
    value.trim_end().to_owned()
}

/// What stands before the closing quote, with escapes resolved; nothing if there is no closing quote.
fn double_quoted(rest: &str) -> Option<String> {
    let (mut text, mut chars) = (String::new(), rest.chars());
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                c @ ('"' | '\\' | '$') => text.push(c),
                c => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load_text;

    /// What a document says that is loaded beside this `.env`.
    fn refused(make: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        make(&folder.path().join(".env"));
        let tree = load_text("lab.yaml", "name: lab\nlinks: []\n", &Variables::from_env_and(folder.path())).unwrap();
        tree.mistakes.render(false).replace(&folder.path().display().to_string(), "FOLDER")
    }

    #[test]
    fn a_file_that_is_there_and_cannot_be_used_is_a_mistake() {
        let large = refused(|path| fs::write(path, vec![b'A'; LARGEST as usize + 1]).unwrap());
        assert!(large.starts_with("FOLDER/.env: is larger than 1 MiB\n"), "{large}");
        let bytes = refused(|path| fs::write(path, b"A=1\nB=\xff\n").unwrap());
        assert!(bytes.starts_with("FOLDER/.env: has a byte on line 2 that is not UTF-8\n"), "{bytes}");
        for device in ["/dev/zero", "/dev"] {
            let other = refused(|path| std::os::unix::fs::symlink(device, path).unwrap());
            assert!(other.starts_with("FOLDER/.env: is no regular file\n"), "{other}");
        }
        let circle = refused(|path| std::os::unix::fs::symlink(path, path).unwrap());
        assert!(circle.starts_with("FOLDER/.env: cannot be read: "), "{circle}");
        let socket = refused(|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()));
        assert!(socket.starts_with("FOLDER/.env: is no regular file\n"), "{socket}");
        assert_eq!(refused(|path| fs::write(path, vec![b'\n'; LARGEST as usize]).unwrap()), "");
        assert_eq!(refused(|_| ()), "");
    }

    #[test]
    fn env_files_have_quotes_comments_and_export() {
        let text = "# comment\nA=1\nexport B = two words # three\n\nC='a # $b'\nD=\"x\\n\\\"y\\\"\" # z\nE=\nF=a#b\nno line\nG=#x\nH='open\n";
        let values = parse(text);
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "a # $b"),
            ("D", "x\n\"y\""),
            ("E", ""),
            ("F", "a#b"),
            ("G", ""),
            ("H", "'open"),
        ];
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), "PATH=nowhere\nWIRELOOM_TEST_ONLY_IN_FILE=yes\n").unwrap();
        let variables = Variables::from_env_and(folder.path());
        assert_eq!(variables.get("PATH"), env::var("PATH").ok());
        assert_eq!(variables.get("WIRELOOM_TEST_ONLY_IN_FILE").as_deref(), Some("yes"));
        assert_eq!(variables.get("WIRELOOM_TEST_NOWHERE"), None);
    }
}
