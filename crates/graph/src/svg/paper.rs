//! Writing SVG: numbers, texts and elements, so that whatever a name contains, the picture is well-formed. Does not
//! know what is drawn.

use std::fmt::Write;

use crate::layout::{Point, Rect, Wire};

/// The text of a picture.
#[derive(Default)]
pub(super) struct Paper(pub(super) String);

impl Paper {
    /// As it is.
    pub(super) fn raw(&mut self, text: &str) {
        self.0 += text;
    }

    /// A line of markup.
    pub(super) fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(text);
        self.0.push('\n');
    }

    /// What is said when the mouse points at the group.
    pub(super) fn tip(&mut self, lines: &[String]) {
        let text = lines.iter().filter(|line| !line.is_empty()).map(|line| escaped(line)).collect::<Vec<_>>();
        if !text.is_empty() {
            self.line(format_args!("<title>{}</title>", text.join("\n")));
        }
    }

    pub(super) fn text(&mut self, at: Point, class: &str, size: Option<f64>, text: &str) {
        let size = size.map(|size| format!(" font-size=\"{}\"", number(size))).unwrap_or_default();
        let text = escaped(text);
        self.line(format_args!(
            "<text x=\"{}\" y=\"{}\" class=\"{class}\"{size}>{text}</text>",
            number(at.x),
            number(at.y)
        ));
    }

    pub(super) fn rect(&mut self, rect: &Rect, radius: f64, class: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.line(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"{class}/>",
            number(rect.x),
            number(rect.y),
            number(rect.w),
            number(rect.h),
            number(radius)
        ));
    }
}

/// The way of a wire, as path data.
pub(super) fn way(wire: &Wire) -> String {
    let point = |point: Point| format!("{} {}", number(point.x), number(point.y));
    match wire.bend {
        Some([a, b]) => format!("M{}C{} {} {}", point(wire.from), point(a), point(b), point(wire.to)),
        None => format!("M{}L{}", point(wire.from), point(wire.to)),
    }
}

/// A tenth of a pixel is fine enough.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Text that means nothing to XML. What XML does not allow at all (control characters) becomes a mark.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_are_plain() {
        assert_eq!(escaped("<a & \"b\">\u{1}"), "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}");
        assert_eq!([1.0, -0.04, 2.25, 3.96].map(number), ["1", "0", "2.2", "4"]);
    }
}
