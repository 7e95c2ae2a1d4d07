//! A report as CSV: every table, one line per row.

use crate::csv_file::{Cell, csv_file};
use tallystick_domain::report::{ReportHead, SpendSummary};

const COLUMNS: [&str; 13] = [
    "from",
    "to",
    "dimension",
    "name",
    "cost",
    "currency",
    "requests",
    "failed",
    "input_tokens",
    "output_tokens",
    "share_percent",
    "previous_cost",
    "change_percent",
];

pub(crate) fn report_csv(head: &ReportHead, summary: &SpendSummary) -> Vec<u8> {
    let place = || [Cell::exact(head.period.from), Cell::exact(head.period.to)];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for table in &summary.tables {
        for row in &table.rows {
            let mut cells = place().to_vec();
            cells.extend([
                Cell::exact(table.dimension.as_str()),
                Cell::text(row.name.clone()),
                Cell::exact(row.cost),
                Cell::exact(head.currency),
                Cell::exact(row.requests),
                Cell::exact(row.failed),
                Cell::exact(row.input_tokens),
                Cell::exact(row.output_tokens),
                Cell::maybe(row.share_percent),
                Cell::exact(row.previous_cost),
                Cell::maybe(row.change_percent),
            ]);
            rows.push(cells);
        }
    }
    let totals = &summary.totals;
    let mut cells = place().to_vec();
    cells.extend([
        Cell::exact("total"),
        Cell::Empty,
        Cell::exact(totals.cost),
        Cell::exact(head.currency),
        Cell::exact(totals.requests),
        Cell::exact(totals.failed),
        Cell::exact(totals.input_tokens),
        Cell::exact(totals.output_tokens),
        Cell::Empty,
        Cell::exact(summary.previous_totals.cost),
        Cell::maybe(summary.change_percent),
    ]);
    rows.push(cells);
    csv_file(COLUMNS, rows)
}
