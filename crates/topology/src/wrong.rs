//! What is wrong with the text of one value. Does not know where the text stands.

use std::fmt;

use thiserror::Error;

/// A value that cannot be taken, and what would be right. Written as two lines, which the reader takes apart again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) struct Wrong {
    /// What is wrong, lower case.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) help: String,
}

impl Wrong {
    /// A value that is wrong for the reason `message`; `help` says what would be right.
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Wrong {
        Wrong { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.message, self.help)
    }
}

/// `, did you mean X?` where a known word is near, else nothing.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = 1 + word.len() / 4;
    let near = known.into_iter().map(|k| (strsim::osa_distance(word, k), k)).filter(|(d, _)| *d <= far);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Help that names the nearest known word first, then all of them (or how many there are).
pub(crate) fn known_words<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const SHOWN: usize = 16;
    let mut all: Vec<&str> = known.clone().into_iter().take(SHOWN + 1).collect();
    let more = if all.len() > SHOWN { all.pop().map_or("", |_| ", ...") } else { "" };
    let list = format!("{}{more}", all.join(", "));
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`? known here: {list}"),
        None if all.is_empty() => "none is known here".into(),
        None => format!("known here: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        assert_eq!(nearest("mtuu", ["mac", "mtu"]), Some("mtu"));
        assert_eq!(nearest("speed", ["mac", "mtu"]), None);
        assert_eq!(known_words("r4", ["r1", "h1"]), "did you mean `r1`? known here: r1, h1");
    }
}
