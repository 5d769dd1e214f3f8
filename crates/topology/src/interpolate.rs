//! Variables in the values of a document, as docker compose writes them: `$$`, `$V`, `${V}`, `${V:-default}`,
//! `${V-default}`, `${V:?error}`, `${V?error}`. Keys are left alone. Knows nothing of where values come from.

use std::fmt::Write;

use crate::{
    mistake::Mistake,
    source::{Sources, Span},
    tree::{Node, Scalar, Value, push_key},
    variables::Variables,
};

/// Replaces the variables in every scalar of a tree. A variable that is not set and has no default is no text at all,
/// and a warning.
pub fn interpolate(
    root: &mut Node,
    sources: &Sources,
    variables: &Variables,
    mistakes: &mut Vec<Mistake>,
    warnings: &mut Vec<Mistake>,
) {
    Walk { sources, variables, mistakes, warnings, path: String::new() }.node(root);
}

/// How many variables of one text are worth a warning each.
const MOST_WARNINGS: usize = 20;

struct Walk<'a> {
    sources: &'a Sources,
    variables: &'a Variables,
    mistakes: &'a mut Vec<Mistake>,
    warnings: &'a mut Vec<Mistake>,
    path: String,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        let base = self.path.len();
        match &mut node.value {
            Value::Sequence(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let _ = write!(self.path, "[{index}]");
                    self.node(item);
                    self.path.truncate(base);
                }
            }
            Value::Mapping(entries) => {
                for entry in entries {
                    push_key(&mut self.path, &entry.key);
                    self.node(&mut entry.value);
                    self.path.truncate(base);
                }
            }
            Value::Scalar(scalar) if scalar.text.contains('$') => self.scalar(scalar, node.span),
            Value::Scalar(_) => {}
        }
    }

    fn scalar(&mut self, scalar: &mut Scalar, span: Span) {
        let mut unset = Vec::new();
        match expand(&scalar.text, self.variables, &mut unset, 0) {
            Ok(text) => {
                scalar.interpolated = !scalar.quoted || is_one(&scalar.text);
                scalar.text = text.into();
            }
            Err(Problem { expression, message, help }) => {
                let place = self.place(span, &expression);
                self.mistakes.push(Mistake::at(place, message, help).in_field(self.path.as_str()));
            }
        }
        unset.sort_unstable();
        unset.dedup();
        for name in unset.into_iter().take(MOST_WARNINGS) {
            let message = format!("variable {name} is not set, and taken as empty");
            let help = format!("set it, or write ${{{name}:-default}}; a `$` itself is written `$$`");
            let place = self.place(span, &format!("${{{name}"));
            let place = if place == span { self.place(span, &format!("${name}")) } else { place };
            self.warnings.push(Mistake::at(place, message, help).in_field(self.path.as_str()));
        }
    }

    /// Where in the scalar an expression stands, or the scalar if it is written in another way there.
    fn place(&self, span: Span, expression: &str) -> Span {
        let source = self.sources.slice(span);
        match source.find(expression).filter(|at| !source[..*at].contains('\n')) {
            Some(at) => {
                let column = span.column + source[..at].chars().count() as u32;
                Span { column, offset: span.offset + at, len: expression.len(), ..span }
            }
            None => span,
        }
    }
}

/// What is wrong with an expression.
#[derive(Debug, PartialEq)]
struct Problem {
    expression: String,
    message: String,
    help: String,
}

/// How deep defaults may stand inside each other.
const DEEPEST: usize = 32;

fn expand(text: &str, variables: &Variables, unset: &mut Vec<String>, depth: usize) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        rest = if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            after
        } else if let Some(inside) = after.strip_prefix('{') {
            let end = closing(inside).ok_or_else(|| unclosed(&rest[at..]))?;
            out.push_str(&braced(&inside[..end], variables, unset, depth)?);
            &inside[end + 1..]
        } else {
            let length = name_length(after);
            match length {
                0 => out.push('$'),
                _ => out.push_str(&value_or_empty(&after[..length], variables, unset)),
            }
            &after[length..]
        };
    }
    out.push_str(rest);
    Ok(out)
}

fn unclosed(text: &str) -> Problem {
    let expression: String = text.chars().take(40).collect();
    let message = format!("`{expression}` has no closing brace");
    Problem { expression, message, help: "write ${NAME}, or $$ for a `$` itself".to_owned() }
}

/// The closing brace of what stands inside `${`, past the expressions in it.
fn closing(inside: &str) -> Option<usize> {
    let (mut depth, mut previous) = (0_usize, ' ');
    for (at, c) in inside.char_indices() {
        match c {
            '{' if previous == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        previous = c;
    }
    None
}

/// Whether a text is one variable and nothing else.
fn is_one(text: &str) -> bool {
    match (text.strip_prefix("${"), text.strip_prefix('$')) {
        (Some(inside), _) => closing(inside).is_some_and(|end| end + 1 == inside.len()),
        (None, Some(name)) => !name.is_empty() && name_length(name) == name.len(),
        (None, None) => false,
    }
}

/// How many bytes of a text are a variable's name.
fn name_length(text: &str) -> usize {
    let name = |(index, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit());
    text.chars().enumerate().take_while(|pair| name(*pair)).count()
}

fn value_or_empty(name: &str, variables: &Variables, unset: &mut Vec<String>) -> String {
    variables.get(name).unwrap_or_else(|| {
        unset.push(name.to_owned());
        String::new()
    })
}

/// What stands inside `${` and `}`.
fn braced(inside: &str, variables: &Variables, unset: &mut Vec<String>, depth: usize) -> Result<String, Problem> {
    let problem =
        |message: String, help: &str| Problem { expression: format!("${{{inside}}}"), message, help: help.to_owned() };
    let (name, rest) = inside.split_at(name_length(inside));
    if name.is_empty() {
        return Err(problem(format!("`${{{inside}}}` names no variable"), "write ${NAME}, or $$ for a `$` itself"));
    }
    if depth > DEEPEST {
        return Err(problem(format!("defaults more than {DEEPEST} deep"), "write the default itself"));
    }
    let value = variables.get(name);
    let (operator, word) = operator(rest);
    match (operator, value) {
        ("", _) if rest.is_empty() => Ok(value_or_empty(name, variables, unset)),
        (":-" | ":?", Some(value)) if !value.is_empty() => Ok(value),
        ("-" | "?", Some(value)) => Ok(value),
        (":-" | "-", _) => expand(word, variables, unset, depth + 1),
        (":?" | "?", _) => {
            let message = expand(word, variables, unset, depth + 1)?;
            let what = if operator == ":?" { "not set or empty" } else { "not set" };
            let message = if message.is_empty() { "it is needed here".to_owned() } else { message };
            Err(problem(
                format!("variable {name} is {what}: {message}"),
                &format!("set {name} in the environment or in .env"),
            ))
        }
        _ => Err(problem(
            format!("`{rest}` after the variable {name} has no meaning"),
            "write ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?error} or ${NAME?error}",
        )),
    }
}

fn operator(rest: &str) -> (&str, &str) {
    let found = [":-", ":?", "-", "?"].into_iter().find(|operator| rest.starts_with(operator));
    rest.split_at(found.map_or(0, str::len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables() -> Variables {
        [("V", "val"), ("EMPTY", ""), ("N", "9000"), ("D", "$V")].into_iter().collect()
    }

    fn expanded(text: &str) -> Result<String, String> {
        expand(text, &variables(), &mut Vec::new(), 0).map_err(|problem| problem.message)
    }

    #[test]
    fn every_form_expands_as_compose_does() {
        let cases = [
            ("a$V-b", "aval-b"),
            ("${V}x", "valx"),
            ("$$V $${V}", "$V ${V}"),
            ("${NO:-d}", "d"),
            ("${NO-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NO:-${NO:-${V}}}", "val"),
            ("${NO:-${NO:-deep}-x}", "deep-x"),
            ("${V:?e}${V?e}${EMPTY?e}", "valval"),
            ("${V:-${NO:?never asked}}", "val"),
            ("${NO}$NO", ""),
            ("100$ $1 $", "100$ $1 $"),
            ("${D}", "$V"),
            ("${NO:-a:b/c}", "a:b/c"),
            ("{n} eth{n}", "{n} eth{n}"),
        ];
        for (text, expected) in cases {
            assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn one_variable_is_told_from_more() {
        for (text, one) in
            [("$V", true), ("${V}", true), ("${V:-${N}}", true), ("$V0", true), ("${V}0", false), ("$V$N", false)]
        {
            assert_eq!(is_one(text), one, "{text}");
        }
        assert!(!is_one("${") && !is_one("$") && !is_one("$$") && !is_one("x$V"));
    }

    #[test]
    fn errors_say_what_the_document_says() {
        assert_eq!(
            expanded("${NO:?give the ${V} MTU}").unwrap_err(),
            "variable NO is not set or empty: give the val MTU"
        );
        assert_eq!(expanded("${EMPTY:?}").unwrap_err(), "variable EMPTY is not set or empty: it is needed here");
        assert_eq!(expanded("${NO?}").unwrap_err(), "variable NO is not set: it is needed here");
        assert_eq!(expanded("a ${V").unwrap_err(), "`${V` has no closing brace");
        assert_eq!(expanded("${}").unwrap_err(), "`${}` names no variable");
        assert_eq!(expanded("${1}").unwrap_err(), "`${1}` names no variable");
        assert_eq!(expanded("${V+x}").unwrap_err(), "`+x` after the variable V has no meaning");
        assert!(expanded(&format!("{}x{}", "${NO:-".repeat(100), "}".repeat(100))).unwrap_err().contains("deep"));
    }

    #[test]
    fn places_are_those_of_the_expression() {
        let mut sources = Sources::default();
        let file = sources.add("t.yaml", "name: x\nip: \"ü/${MASK:?no mask}\"\nmtu: $MTU\n");
        let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
        let mut root = crate::parse::parse(&sources, file, &mut mistakes).unwrap();
        interpolate(&mut root, &sources, &Variables::none(), &mut mistakes, &mut warnings);
        let place = |mistake: &Mistake| (mistake.span.line, mistake.span.column, mistake.span.len);
        assert_eq!(mistakes.iter().map(place).collect::<Vec<_>>(), [(2, 8, 16)]);
        assert_eq!(warnings.iter().map(place).collect::<Vec<_>>(), [(3, 6, 4)]);
        assert!(root.get("mtu").unwrap().is_null());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[${}:?\\-VNaü_1]{0,40}") {
            let _ = expanded(&text);
        }
    }
}
