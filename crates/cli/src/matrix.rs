//! A table of who reached whom: with round trip times where it fits into the terminal, else a mark a cell. Does not know
//! why somebody was not reached.

use std::io::{self, Write};

use crate::paint::Paint;

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

/// Who asked whom, in the order of first mention.
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

    /// Writes it, as wide as the terminal or narrower.
    pub(crate) fn text(mut self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        self.align();
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        self.write(terminal.unwrap_or(WIDTH), paint, out)
    }

    /// Brings the columns into the order of the rows, and those that are no rows behind them.
    fn align(&mut self) {
        let place = |name: &String| self.rows.iter().position(|row| row == name).unwrap_or(self.rows.len());
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|column| place(&self.columns[*column]));
        let cell = |cells: &Vec<Option<Cell>>, column: &usize| cells.get(*column).copied().flatten();
        self.cells = self.cells.iter().map(|cells| order.iter().map(|column| cell(cells, column)).collect()).collect();
        self.columns = order.iter().map(|column| self.columns[*column].clone()).collect();
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
                write!(out, "{}", painted(self.cell(row, column), *width, time, paint))?;
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
                write!(out, "{}", painted(self.cell(row, column), numbers + 1, mark, paint))?;
            }
            writeln!(out)?;
        }
        let legend = self.columns.iter().enumerate().map(|(at, name)| format!("{} {name}", at + 1));
        writeln!(out, "{}", paint.faint(&legend.collect::<Vec<_>>().join(", ")))
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

fn worst(a: Cell, b: Cell) -> Cell {
    Cell { ok: a.ok && b.ok, rtt_us: a.rtt_us.max(b.rtt_us) }
}

/// Colours come after padding: they take no room.
fn painted(cell: Option<Cell>, width: usize, word: impl Fn(Cell) -> String, paint: Paint) -> String {
    let padded = format!("{:>width$}", cell.map_or(String::new(), word));
    match cell {
        None => padded,
        Some(Cell { ok: true, .. }) => paint.good(&padded),
        Some(Cell { ok: false, .. }) => paint.bad(&padded),
    }
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
        matrix.align();
        let expected = "        r1      r2     web\nr1            0.04   FAILS\nr2    12.3                \nround trips in milliseconds\n";
        assert_eq!(text(&matrix, 80), expected);
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
