//! Results against targets, as a table for the terminal and as a page for docs/bench/. Owns the targets.

use std::fmt::Write as _;

use super::results::{ChainResults, Results};

/// One line: what, how much, and whether that is enough.
struct Row {
    what: String,
    figure: String,
    reached: f64,
    unit: &'static str,
    target: Target,
}

/// What has to be reached; each with the number that it is about.
#[derive(Clone, Copy)]
enum Target {
    /// The smaller the better.
    AtMost(f64),
    /// The larger the better.
    AtLeast(f64),
}

impl Target {
    fn is_met_by(self, reached: f64) -> bool {
        match self {
            Target::AtMost(most) => reached <= most,
            Target::AtLeast(least) => reached >= least,
        }
    }
}

/// The table, in Markdown that reads well as it is.
pub(super) fn rows(results: &Results) -> String {
    let head = ["what", "measured", "result", "target", ""].map(str::to_owned);
    let cells: Vec<[String; 5]> = std::iter::once(head).chain(all(results).iter().map(cells)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for (at, row) in cells.iter().enumerate() {
        let line = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} |"));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "|{}", line.collect::<String>());
        if at == 0 {
            let line = widths.map(|width| format!(" {} |", "-".repeat(width.max(3))));
            let _ = writeln!(text, "|{}", line.concat());
        }
    }
    text
}

/// The page of docs/bench/.
pub(super) fn page(results: &Results) -> String {
    let machine = &results.machine;
    let table = rows(results);
    format!(
        "# Speed and size\n\n\
         Written by `cargo xtask bench` on {}: Linux {}, {} cores of {}, {} GiB; load {} at the start.\n\n\
         {table}\n\
         ![Time for each link, by the way it is made](results.svg)\n\n\
         A chain of N links is N+1 namespaces of wireloom's own, joined by veths with name, MAC, MTU, group, one queue, \
         alias\nand an IPv4 address on both ends. Medians of {} repetitions ({} of the long chain), in each of which \
         everything that is\ncompared runs in turn; ratios are medians of the ratios within each repetition.\n\n\
         - *link phase*: what `wireloom up` reports as its phases `links` and `addresses`.\n\
         - *bare loop*: the same requests, sent by the simplest loop there is into namespaces that are there already\n  \
         (xtask/src/bench/bare.rs).\n\
         - *`ip -batch`*: one `ip -n NETNS -batch -` for each namespace, both ends made in place, into namespaces that \
         are there\n  already.\n\
         - *`up`*, *`down`*: whole processes, with reading the document, making namespaces, looking and verifying; `down` \
         ends when\n  the last link is gone.\n",
        machine.date,
        machine.kernel,
        machine.cores,
        machine.processor,
        machine.memory,
        machine.load,
        results.repetitions,
        results.long.as_ref().map_or(0, |long| long.up.0.len()),
    )
}

fn cells(row: &Row) -> [String; 5] {
    let number = |value: f64| format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    let (sign, target) = match row.target {
        Target::AtMost(most) => ("≤", most),
        Target::AtLeast(least) => ("≥", least),
    };
    let met = if row.target.is_met_by(row.reached) { "met" } else { "NOT MET" };
    [
        row.what.clone(),
        row.figure.clone(),
        format!("{:.2}{}", row.reached, row.unit),
        format!("{sign} {}{}", number(target), row.unit),
        met.to_owned(),
    ]
}

fn all(results: &Results) -> Vec<Row> {
    let chain = &results.chain;
    let mut rows = vec![against_bare(chain), against_batch(chain)];
    rows.extend(again_and_down(chain));
    if let Some(long) = &results.long {
        rows.push(against_bare(long));
        rows.extend(long.resident.map(|bytes| memory(long, bytes)));
    }
    rows.push(Row {
        what: "`up` of one link, whole process".to_owned(),
        figure: ms(results.one_link.ms()),
        reached: results.one_link.ms(),
        unit: " ms",
        target: Target::AtMost(10.0),
    });
    rows.push(Row {
        what: "`ip link del` until `watch` has the link back".to_owned(),
        figure: ms(results.mended.ms()),
        reached: results.mended.ms(),
        unit: " ms",
        target: Target::AtMost(50.0),
    });
    rows.extend(results.binary.map(binary));
    rows.extend(results.fresh.map(|took| fresh(took.as_secs_f64())));
    rows
}

fn against_bare(chain: &ChainResults) -> Row {
    let (ours, bare) = (&chain.links_and_addresses, &chain.bare);
    let links = chain.only_links.over(&chain.bare_links);
    Row {
        what: format!("link phase against the bare loop, {} links", chain.links),
        figure: format!("{} : {} (links alone {links:.2}x)", ms(ours.ms()), ms(bare.ms())),
        reached: ours.over(bare),
        unit: "x",
        target: Target::AtMost(1.3),
    }
}

fn against_batch(chain: &ChainResults) -> Row {
    let (ours, batch) = (&chain.links_and_addresses, &chain.batch);
    Row {
        what: format!("link phase against `ip -batch`, {} links", chain.links),
        figure: format!("{} : {}", ms(batch.ms()), ms(ours.ms())),
        reached: batch.over(ours),
        unit: "x faster",
        target: Target::AtLeast(8.0),
    }
}

fn again_and_down(chain: &ChainResults) -> [Row; 2] {
    let row = |what: &str, series: &super::results::Series, most: f64| Row {
        what: format!("{what} against the first `up`, {} links", chain.links),
        figure: format!("{} : {}", ms(series.ms()), ms(chain.up.ms())),
        reached: series.over(&chain.up),
        unit: "x",
        target: Target::AtMost(most),
    };
    [row("`up` again, nothing to do,", &chain.again, 0.2), row("`down`", &chain.down, 0.7)]
}

fn memory(chain: &ChainResults, bytes: u64) -> Row {
    let megabytes = bytes as f64 / 1e6;
    Row {
        what: format!("memory of `up`, {} links", chain.links),
        figure: format!("{megabytes:.0} MB resident at most"),
        reached: megabytes,
        unit: " MB",
        target: Target::AtMost(200.0),
    }
}

fn binary(bytes: u64) -> Row {
    let (what, figure) = ("static binary, stripped".to_owned(), format!("{bytes} bytes"));
    Row { what, figure, reached: bytes as f64 / 1e6, unit: " MB", target: Target::AtMost(8.0) }
}

fn fresh(seconds: f64) -> Row {
    let (what, figure) = ("clean clone to the triangle".to_owned(), format!("{seconds:.0} s"));
    Row { what, figure, reached: seconds, unit: " s", target: Target::AtMost(90.0) }
}

fn ms(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_can_be_missed_from_either_side() {
        assert!(Target::AtMost(1.3).is_met_by(1.3) && !Target::AtMost(1.3).is_met_by(1.31));
        assert!(Target::AtLeast(8.0).is_met_by(9.0) && !Target::AtLeast(8.0).is_met_by(7.9));
        // What was not measured is not met.
        assert!(!Target::AtMost(1.3).is_met_by(f64::NAN) && !Target::AtLeast(8.0).is_met_by(f64::NAN));
    }
}
