//! The plot of docs/bench/: time for each link on a logarithmic scale, one bar for each way. Plain SVG.

use std::fmt::Write as _;

use super::results::{ChainResults, Results};

const WIDTH: f64 = 860.0;
/// Where the bars begin, and how much room is left for the figures behind them.
const LEFT: f64 = 250.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 64.0;
const BAR: f64 = 20.0;
const STEP: f64 = 28.0;
const GAP: f64 = 38.0;
const OURS: &str = "#2563eb";
const OTHERS: &str = "#94a3b8";

/// A bar: microseconds for each link.
struct Bar {
    name: &'static str,
    value: f64,
    ours: bool,
}

/// The whole picture.
pub(super) fn svg(results: &Results) -> String {
    let groups: Vec<(usize, Vec<Bar>)> =
        std::iter::once(&results.chain).chain(&results.long).map(|chain| (chain.links, bars(chain))).collect();
    let values = || groups.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.value));
    let scale = Scale::of(values());
    let height = TOP + groups.iter().map(|(_, bars)| GAP + bars.len() as f64 * STEP).sum::<f64>() + 30.0;
    let mut body = String::new();
    scale.draw(&mut body, height);
    let mut y = TOP;
    for (links, bars) in &groups {
        y += GAP;
        text(&mut body, 20.0, y - 10.0, "start", "bold", &format!("{links} links"));
        for bar in bars {
            draw(&mut body, &scale, bar, y);
            y += STEP;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"14\" fill=\"#1e293b\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"20\" y=\"30\" font-size=\"18\" font-weight=\"bold\">Microseconds for each link of a chain</text>\n\
         <text x=\"20\" y=\"52\" fill=\"#64748b\">logarithmic, shorter is better; blue is wireloom</text>\n{body}</svg>\n"
    )
}

fn bars(chain: &ChainResults) -> Vec<Bar> {
    let bar = |name, series: &super::results::Series, ours| Bar {
        name,
        value: series.ms() * 1000.0 / chain.links as f64,
        ours,
    };
    let all = [
        bar("ip -batch, both ends in place", &chain.batch, false),
        bar("bare netlink loop", &chain.bare, false),
        bar("wireloom up, link phase", &chain.links_and_addresses, true),
        bar("wireloom up, all of it", &chain.up, true),
        bar("wireloom up, nothing to do", &chain.again, true),
        bar("wireloom down", &chain.down, true),
    ];
    // What was not measured has no bar.
    all.into_iter().filter(|bar| bar.value.is_finite()).collect()
}

/// From microseconds to pixels.
struct Scale {
    /// Powers of ten.
    from: i32,
    to: i32,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Scale {
        let (mut least, mut most) = (f64::INFINITY, 1.0f64);
        for value in values {
            (least, most) = (least.min(value), most.max(value));
        }
        let from = least.clamp(1.0, most).log10().floor() as i32;
        Scale { from, to: (most.log10().ceil() as i32).max(from + 1) }
    }

    fn x(&self, value: f64) -> f64 {
        let share = (value.max(1.0).log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        LEFT + share.max(0.0) * (WIDTH - LEFT - RIGHT)
    }

    /// A line and a number for each power of ten.
    fn draw(&self, body: &mut String, height: f64) {
        for power in self.from..=self.to {
            let x = self.x(10f64.powi(power));
            // Writing to a String cannot fail.
            let _ = writeln!(
                body,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#e2e8f0\"/>",
                height - 26.0
            );
            text(body, x, height - 8.0, "middle", "normal", &format!("{}", 10f64.powi(power)));
        }
    }
}

fn draw(body: &mut String, scale: &Scale, bar: &Bar, y: f64) {
    let (end, colour) = (scale.x(bar.value), if bar.ours { OURS } else { OTHERS });
    let width = (end - LEFT).max(1.0);
    text(body, LEFT - 10.0, y + 15.0, "end", "normal", bar.name);
    let _ = writeln!(
        body,
        "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>"
    );
    text(body, end + 8.0, y + 15.0, "start", "normal", &format!("{:.0} µs", bar.value));
}

fn text(body: &mut String, x: f64, y: f64, anchor: &str, weight: &str, words: &str) {
    let _ = writeln!(
        body,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-weight=\"{weight}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_every_value() {
        let scale = Scale::of([180.0, 3400.0].into_iter());
        assert_eq!((scale.from, scale.to), (2, 4));
        assert!(scale.x(180.0) > LEFT && scale.x(3400.0) < WIDTH - RIGHT);
        assert!((scale.x(100.0) - LEFT).abs() < 1e-9);
    }
}
