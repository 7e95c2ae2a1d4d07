//! One table: drawn on a terminal, tab-separated in a pipe, or CSV.

use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

use crate::error::{Doing as _, Outcome};

/// Rows under titles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    titles: Vec<String>,
    /// Columns that are aligned to the right.
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A title that begins with `>` makes a column of numbers, aligned to the right.
    pub(crate) fn new(titles: &[&str]) -> Self {
        Self {
            titles: titles.iter().map(|title| title.trim_start_matches('>').to_owned()).collect(),
            right: titles.iter().map(|title| title.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// For a terminal: aligned columns under their titles, two spaces apart.
    pub(crate) fn drawn(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.titles.iter().enumerate().map(|(index, title)| self.cell(index, title)));
        for row in &self.rows {
            table.add_row(row.iter().enumerate().map(|(index, text)| self.cell(index, text)));
        }
        // Every cell has a space on both sides; the first one's is not wanted.
        table
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end()))
            .collect()
    }

    fn cell(&self, index: usize, text: &str) -> Cell {
        let right = self.right.get(index).copied().unwrap_or(false);
        Cell::new(text).set_alignment(if right { CellAlignment::Right } else { CellAlignment::Left })
    }

    /// For a pipe: a header, then one line a row, columns apart by tabs.
    pub(crate) fn plain(&self) -> String {
        let clean = |text: &String| text.replace(['\t', '\n', '\r'], " ");
        let lines = std::iter::once(&self.titles).chain(&self.rows);
        lines.map(|row| format!("{}\n", row.iter().map(clean).collect::<Vec<_>>().join("\t"))).collect()
    }

    /// As CSV. A cell that a spreadsheet would read as a formula gets a quote in front.
    pub(crate) fn csv(&self) -> Outcome<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.titles).chain(&self.rows) {
            let cells = row.iter().map(|cell| harmless(cell));
            writer.write_record(cells).doing(|| "writing CSV".to_owned())?;
        }
        writer.into_inner().map_err(|error| crate::error::CliError::because("writing CSV", error.error()))
    }
}

fn harmless(cell: &str) -> String {
    let is_number = cell.parse::<rust_decimal::Decimal>().is_ok();
    if !is_number && cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["name", ">cost"]);
        table.row(["Acme Corp", "12.50"]);
        table.row(["=cmd|x", "-3.00"]);
        table
    }

    #[test]
    fn numbers_stand_to_the_right_on_a_terminal() {
        let drawn = table().drawn();
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines[1].starts_with("Acme Corp") && lines[1].ends_with("12.50"), "{drawn}");
        assert_eq!(lines[0].len(), lines[1].len(), "{drawn}");
    }

    #[test]
    fn a_pipe_gets_tabs_and_whole_cells() {
        assert_eq!(table().plain(), "name\tcost\nAcme Corp\t12.50\n=cmd|x\t-3.00\n");
    }

    #[test]
    fn a_formula_is_disarmed_in_csv_and_a_number_is_not() {
        let csv = String::from_utf8(table().csv().unwrap()).unwrap();
        assert_eq!(csv, "name,cost\nAcme Corp,12.50\n'=cmd|x,-3.00\n");
    }
}
