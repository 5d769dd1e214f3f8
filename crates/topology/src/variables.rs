//! Where the values of variables come from: the environment, a `.env` file, or a test's map. Knows nothing of how a
//! document names them.

use std::{collections::HashMap, env, fs, path::Path};

/// Values of variables by name.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: HashMap<String, String>,
    environment: bool,
}

impl Variables {
    /// No variable is set.
    pub fn none() -> Variables {
        Variables::default()
    }

    /// The environment of this process, and below it the `.env` file of a folder, if there is one that can be read.
    pub fn from_env_and(folder: &Path) -> Variables {
        let text = fs::read_to_string(folder.join(".env")).unwrap_or_default();
        Variables { values: parse(&text), environment: true }
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
        Variables { values, environment: false }
    }
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
