//! Checks of single files: every Rust file opens by saying what it owns, none says where it was written, and long ones
//! are named. Deliberately a matter of text, not of syntax.

use super::Source;

/// Places on the machine of whoever wrote it. In halves, so that this list is not a finding of its own.
const FORBIDDEN: [&str; 3] = [concat!("/wor", "k/"), concat!("/tmp/", "target"), concat!(".cargo/", "registry")];

/// Past this, look for the seam.
const LONG: usize = 400;

/// The findings about all files.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let headless = sources.iter().filter(|it| it.path.ends_with(".rs") && !it.text.starts_with("//!"));
    let headless = headless.map(|it| format!("{} does not open with //! and what it owns", it.path));
    headless.chain(sources.iter().flat_map(forbidden)).collect()
}

/// The Rust files that are worth a second look.
pub(super) fn long(sources: &[Source]) -> impl Iterator<Item = &str> {
    let rust = sources.iter().filter(|it| it.path.ends_with(".rs"));
    rust.filter(|it| it.text.lines().count() > LONG).map(|it| it.path.as_str())
}

/// Lines with a word that must not be there.
fn forbidden(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let hits =
        lines.flat_map(|(at, line)| FORBIDDEN.iter().filter(|word| line.contains(**word)).map(move |it| (at, it)));
    hits.map(|(at, word)| format!("{}:{} must not say {word}", source.path, at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.into(), text: text.into() }])
    }

    #[test]
    fn a_rust_file_opens_with_its_purpose() {
        assert_eq!(findings("a.rs", "//! It owns a.\n"), [""; 0]);
        assert_eq!(findings("a.rs", "use b;\n"), ["a.rs does not open with //! and what it owns"]);
        assert_eq!(findings("a.md", "# A\n"), [""; 0]);
    }

    #[test]
    fn a_forbidden_word_is_found_with_its_line() {
        let word = FORBIDDEN[0];
        assert_eq!(findings("a.md", &format!("# A\nsee {word}b\n")), [format!("a.md:2 must not say {word}")]);
    }

    #[test]
    fn only_long_rust_files_are_long() {
        let source = |path: &str, lines| Source { path: path.into(), text: "x\n".repeat(lines) };
        let sources = [source("a.rs", LONG), source("b.rs", LONG + 1), source("c.md", LONG + 1)];
        assert_eq!(long(&sources).collect::<Vec<_>>(), ["b.rs"]);
    }
}
