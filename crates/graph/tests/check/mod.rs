//! Whether pictures are what they claim to be: small readers of XML and of Graphviz's language, which are not our
//! writers, and the boxes of a picture.

#![allow(missing_docs, unreachable_pub, dead_code, reason = "each test program uses a part of what is shared")]

/// All elements, opened and closed in turn, with attributes in quotes and texts without anything that XML forbids.
pub fn well_formed(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        character_data(&rest[..start])?;
        let end = rest.find('>').ok_or("a tag without an end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        match tag.strip_prefix('/') {
            Some(name) => match open.pop() {
                Some(opened) if opened == name => {}
                opened => return Err(format!("</{name}> closes {opened:?}")),
            },
            None => {
                let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
                let name = tag.split_whitespace().next().ok_or("a tag without a name")?;
                attributes(tag[name.len()..].trim()).map_err(|why| format!("<{tag}>: {why}"))?;
                if !empty {
                    open.push(name);
                }
            }
        }
    }
    character_data(rest)?;
    if open.is_empty() { Ok(()) } else { Err(format!("never closed: {open:?}")) }
}

fn character_data(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}')) {
        return Err(format!("{c:?} is not allowed"));
    }
    for (at, _) in text.match_indices('&') {
        let entity = text[at + 1..].split(';').next().unwrap_or_default();
        if !["amp", "lt", "gt", "quot"].contains(&entity) {
            return Err(format!("&{entity}"));
        }
    }
    Ok(())
}

fn attributes(mut text: &str) -> Result<(), String> {
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").ok_or_else(|| format!("no value: {text}"))?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("the name {name:?}"));
        }
        let (value, rest) = rest.split_once('"').ok_or("no end of a value")?;
        character_data(value)?;
        text = rest.trim_start();
    }
    Ok(())
}

/// Left, top, right, bottom.
pub type Area = (f64, f64, f64, f64);

/// The outlines of all nodes.
pub fn boxes(svg: &str) -> Vec<Area> {
    svg.lines().filter(|line| line.contains("class=\"box\"")).map(area).collect()
}

fn area(line: &str) -> Area {
    let value = |name: &str| {
        let after = line.split(&format!(" {name}=\"")).nth(1).expect("an attribute");
        after.split('"').next().expect("a value").to_owned()
    };
    if line.starts_with("<rect") {
        let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| value(name).parse::<f64>().expect("a number"));
        return (x, y, x + w, y + h);
    }
    let points = value("points");
    let numbers: Vec<f64> = points.split([' ', ',']).map(|number| number.parse().expect("a number")).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = numbers.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (least(&x), least(&y), most(&x), most(&y))
}

/// Two boxes that lie on each other.
pub fn overlapping(boxes: &[Area]) -> Option<(Area, Area)> {
    let meets = |a: &Area, b: &Area| a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3;
    let pairs = boxes.iter().enumerate().flat_map(|(at, a)| boxes[at + 1..].iter().map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| meets(a, b))
}

/// `graph "…" { … }` of statements with attributes, and nothing else.
pub fn is_dot(text: &str) -> Result<(), String> {
    let words = words(text)?;
    let mut words = words.iter().map(String::as_str).peekable();
    let mut expect = |wanted: &dyn Fn(&str) -> bool| {
        let word = words.next().unwrap_or_default();
        if wanted(word) { Ok(word.to_owned()) } else { Err(format!("unexpected {word:?}")) }
    };
    let id = |word: &str| word.starts_with('"') || word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    expect(&|word| word == "graph")?;
    expect(&id)?;
    expect(&|word| word == "{")?;
    loop {
        let word = expect(&|word| word == "}" || id(word))?;
        if word == "}" {
            return expect(&str::is_empty).map(drop);
        }
        let mut next = expect(&|word| word == "--" || word == "[")?;
        if next == "--" {
            expect(&id)?;
            next = expect(&|word| word == "[")?;
        }
        while next != "]" {
            expect(&id)?;
            expect(&|word| word == "=")?;
            expect(&id)?;
            next = expect(&|word| word == "," || word == "]")?;
        }
    }
}

fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '"' => {
                let mut word = String::from('"');
                loop {
                    match chars.next().ok_or("a string without an end")? {
                        '"' => break,
                        '\\' => drop(chars.next()),
                        '\n' => return Err("a string over several lines".into()),
                        c => word.push(c),
                    }
                }
                words.push(word);
            }
            '{' | '}' | '[' | ']' | '=' | ',' => words.push(c.to_string()),
            '-' if chars.next_if_eq(&'-').is_some() => words.push("--".into()),
            c => {
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '.') {
                    word.push(c);
                }
                words.push(word);
            }
        }
    }
    Ok(words)
}
