//! Tables with columns that line up, Chinese text included.

use console::measure_text_width;

use super::Out;

/// Which side of its column a value keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table that is laid out when all its rows are known.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let (head, align) = columns.iter().map(|(name, align)| ((*name).to_owned(), *align)).unzip();
        Self { head, align, rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it.
    pub(crate) fn show(&self, out: &Out) {
        out.line(self.render(out).trim_end_matches('\n'));
    }

    /// The lines of the table, a heading first unless all its names are empty.
    pub(crate) fn render(&self, out: &Out) -> String {
        let has_head = self.head.iter().any(|name| !name.is_empty());
        let all = has_head.then_some(&self.head).into_iter().chain(&self.rows);
        let mut widths = vec![0; self.head.len()];
        for row in all {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        let mut text = String::new();
        if has_head {
            let line = self.line(&self.head, &widths);
            text.push_str(&out.bold(&line));
            text.push('\n');
        }
        for row in &self.rows {
            text.push_str(&self.line(row, &widths));
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (i, ((cell, width), align)) in cells.iter().zip(widths).zip(&self.align).enumerate() {
            let pad = " ".repeat(width - measure_text_width(cell));
            if i > 0 {
                line.push_str("  ");
            }
            match align {
                Align::Left => line.extend([cell.as_str(), &pad]),
                Align::Right => line.extend([pad.as_str(), cell]),
            }
        }
        line.trim_end().to_owned()
    }
}
