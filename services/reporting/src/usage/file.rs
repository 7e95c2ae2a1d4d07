//! The answer as CSV.

use super::{UsageAnswer, UsageQuery};
use crate::csv_file::{Cell, csv_file};
use tallystick_store::usage::Dimension;

/// One line per row: the dimensions (objects with their id), the sums, the currency.
pub(crate) fn usage_csv(query: &UsageQuery, answer: &UsageAnswer) -> Vec<u8> {
    let mut header: Vec<String> = Vec::new();
    for dimension in &query.by {
        header.push(dimension.as_str().to_owned());
        if dimension.is_object() {
            header.push(id_column(*dimension));
        }
    }
    let dimensions = header.len();
    header.extend(
        ["requests", "failed", "unrated", "input_tokens", "output_tokens", "cost", "currency"]
            .map(str::to_owned),
    );
    let rows = answer.rows.iter().map(|row| {
        let named = header.iter().take(dimensions).map(|name| match row.dimensions.get(name) {
            Some(value) => Cell::text(value.clone()),
            None => Cell::Empty,
        });
        let total = &row.total;
        let counts = [total.requests, total.failed, total.unrated, total.input_tokens, total.output_tokens];
        let counts = counts.map(Cell::exact);
        named.chain(counts).chain([Cell::exact(total.cost), Cell::exact(answer.currency)]).collect()
    });
    csv_file(header.iter().map(String::as_str), rows)
}

fn id_column(dimension: Dimension) -> String {
    format!("{}_id", dimension.as_str())
}
