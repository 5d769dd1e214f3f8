//! Names as people read them: n2 before n10, and spine1 to spine4 as four of a kind. Does not know what is named.

/// What names are sorted by so that n2 comes before n10.
pub fn natural(name: &str) -> Vec<(String, u64, String)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(digits);
        let (number, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()));
        // Numbers too long to be one are compared as they are written.
        let value = if number.is_empty() { 0 } else { number.parse().unwrap_or(u64::MAX) };
        parts.push((word.to_owned(), value, number.to_owned()));
        rest = tail;
    }
    parts
}

/// The name without its numbers: the same for all that are of a kind.
pub(crate) fn stem(name: &str) -> String {
    let mut stem = String::new();
    for c in name.chars() {
        match (c.is_ascii_digit(), stem.ends_with('#')) {
            (true, true) => {}
            (true, false) => stem.push('#'),
            (false, _) => stem.push(c),
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_and_grouped() {
        let mut names = ["n10", "n2", "n1"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["n1", "n2", "n10"]);
        assert_eq!(stem("pod12-leaf3"), stem("pod1-leaf40"));
        assert_ne!(stem("leaf3"), stem("spine3"));
    }
}
