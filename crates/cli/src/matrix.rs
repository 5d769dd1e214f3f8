//! A table of who reached whom: with round trip times where it fits into the terminal, else a mark a cell. Does not know
//! why somebody was not reached.

use std::io::{self, Write};

use crate::{paint::Paint, words};

/// Columns where the width of the terminal is not known.
const WIDTH: usize = 110;

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Whether it came out as wanted.
    pub(crate) ok: bool,
    /// How long the answer took, microseconds.
    pub(crate) rtt_us: Option<u64>,
}

/// Who asked whom. A column is a node, and `NODE:PORT` or `NODE ADDRESS` where it is asked in several ways.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    rows: Vec<String>,
    columns: Vec<String>,
    cells: Vec<Vec<Option<Cell>>>,
}

impl Matrix {
    /// Takes note of an answer. Of several, the worst counts.
    pub(crate) fn note(&mut self, from: &str, to: &str, cell: Cell) {
        let (row, column) = (position(&mut self.rows, from), position(&mut self.columns, to));
        if self.cells.len() <= row {
            self.cells.resize(row + 1, Vec::new());
        }
        let cells = &mut self.cells[row];
        if cells.len() <= column {
            cells.resize(column + 1, None);
        }
        cells[column] = Some(cells[column].map_or(cell, |known| worst(known, cell)));
    }

    /// How many nodes have asked, or how many were asked.
    pub(crate) fn size(&self) -> usize {
        self.rows.len().max(self.columns.len())
    }

    /// Writes it, as wide as the terminal or narrower.
    pub(crate) fn text(mut self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        self.sort();
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        self.write(terminal.unwrap_or(WIDTH), paint, out)
    }

    /// Brings rows and columns into the order in which people count.
    fn sort(&mut self) {
        let order = |names: &[String]| {
            let mut order: Vec<usize> = (0..names.len()).collect();
            order.sort_by_cached_key(|index| words::natural(&names[*index]));
            order
        };
        let (rows, columns) = (order(&self.rows), order(&self.columns));
        let line = |row: &usize| columns.iter().map(|column| self.cell(*row, *column)).collect();
        self.cells = rows.iter().map(line).collect();
        self.rows = rows.iter().map(|row| self.rows[*row].clone()).collect();
        self.columns = columns.iter().map(|column| self.columns[*column].clone()).collect();
    }

    fn write(&self, most: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let names = self.rows.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = self.columns.iter().map(|name| name.chars().count().max(6) + 2).collect();
        if names + widths.iter().sum::<usize>() <= most {
            return self.with_times(names, &widths, paint, out);
        }
        self.with_marks(names, paint, out)
    }

    fn with_times(&self, names: usize, widths: &[usize], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{:names$}", "")?;
        for (column, width) in self.columns.iter().zip(widths) {
            write!(out, "{column:>width$}")?;
        }
        writeln!(out)?;
        for (row, name) in self.rows.iter().enumerate() {
            write!(out, "{name:names$}")?;
            for (column, width) in widths.iter().enumerate() {
                write!(out, "{}", self.painted(row, column, *width, time, paint))?;
            }
            writeln!(out)?;
        }
        writeln!(out, "{}", paint.faint("round trips in milliseconds"))
    }

    fn with_marks(&self, names: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let numbers = self.columns.len().to_string().len();
        write!(out, "{:names$}", "")?;
        for number in 1..=self.columns.len() {
            write!(out, " {number:>numbers$}")?;
        }
        writeln!(out)?;
        for (row, name) in self.rows.iter().enumerate() {
            write!(out, "{name:names$}")?;
            for column in 0..self.columns.len() {
                write!(out, "{}", self.painted(row, column, numbers + 1, mark, paint))?;
            }
            writeln!(out)?;
        }
        let legend = self.columns.iter().enumerate().map(|(at, name)| format!("{} {name}", at + 1));
        writeln!(out, "{}", paint.faint(&legend.collect::<Vec<_>>().join(", ")))
    }

    /// Colours come after padding: they take no room.
    fn painted(&self, row: usize, column: usize, width: usize, word: impl Fn(Cell) -> String, paint: Paint) -> String {
        match self.cell(row, column) {
            None if is_oneself(&self.rows[row], &self.columns[column]) => paint.faint(&format!("{:>width$}", "-")),
            None => format!("{:>width$}", ""),
            Some(cell) if cell.ok => paint.good(&format!("{:>width$}", word(cell))),
            Some(cell) => paint.bad(&format!("{:>width$}", word(cell))),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Option<Cell> {
        self.cells.get(row)?.get(column).copied().flatten()
    }
}

fn position(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// Nodes' names have neither colons nor blanks.
fn is_oneself(row: &str, column: &str) -> bool {
    column.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
}

fn worst(a: Cell, b: Cell) -> Cell {
    Cell { ok: a.ok && b.ok, rtt_us: a.rtt_us.max(b.rtt_us) }
}

fn time(cell: Cell) -> String {
    match cell {
        Cell { ok: false, .. } => "FAILS".to_owned(),
        Cell { ok: true, rtt_us: None } => "as set".to_owned(),
        Cell { ok: true, rtt_us: Some(us) } if us < 10_000 => format!("{:.2}", us as f64 / 1000.0),
        Cell { ok: true, rtt_us: Some(us) } => format!("{:.1}", us as f64 / 1000.0),
    }
}

fn mark(cell: Cell) -> String {
    if cell.ok { ".".to_owned() } else { "X".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::When;

    fn text(matrix: &Matrix, width: usize) -> String {
        let mut out = Vec::new();
        matrix.write(width, Paint::new(When::Never, false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn cell(ok: bool, rtt_us: Option<u64>) -> Cell {
        Cell { ok, rtt_us }
    }

    #[test]
    fn a_small_one_shows_times() {
        let mut matrix = Matrix::default();
        matrix.note("r1", "web", cell(false, None));
        matrix.note("r1", "r2", cell(true, Some(40)));
        matrix.note("r2", "r1", cell(true, Some(12_340)));
        matrix.note("r2", "r1", cell(true, Some(7)));
        matrix.sort();
        let expected = "        r1      r2     web\nr1       -    0.04   FAILS\nr2    12.3       -        \nround trips in milliseconds\n";
        assert_eq!(text(&matrix, 80), expected);
    }

    #[test]
    fn rows_and_columns_are_in_the_order_of_counting() {
        let mut matrix = Matrix::default();
        for (from, to) in [("n10", "n2"), ("n2", "n10"), ("n10", "n1:80"), ("n1", "n2"), ("n2", "n1")] {
            matrix.note(from, to, cell(true, None));
        }
        matrix.sort();
        let text = text(&matrix, 80);
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["n1", "n1:80", "n2", "n10"]);
        assert_eq!(words[1..4].iter().map(|row| row[0]).collect::<Vec<_>>(), ["n1", "n2", "n10"]);
        assert_eq!(words[1], ["n1", "-", "-", "as", "set"]);
        assert_eq!(matrix.size(), 4);
    }

    #[test]
    fn thirty_nodes_fit_into_a_terminal() {
        let names: Vec<String> = (1..=30).map(|n| format!("leaf{n}")).collect();
        let mut matrix = Matrix::default();
        for from in &names {
            names.iter().filter(|to| *to != from).for_each(|to| matrix.note(from, to, cell(from != "leaf7", Some(50))));
        }
        let text = text(&matrix, 110);
        let table: Vec<&str> = text.lines().take(31).collect();
        assert!(table.iter().all(|line| line.len() <= 100), "{text}");
        let row = table.iter().find(|line| line.starts_with("leaf7 ")).unwrap();
        assert_eq!(row.matches('X').count(), 29);
    }
}
