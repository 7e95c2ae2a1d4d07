//! The order of the sections.

use super::conditions::Conditions;
use super::table::Table;
use super::{fold, projector, proxy};
use anyhow::Context;
use std::path::PathBuf;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Letters of the sections: `a` fold, `b` projector, `c` proxy.
    pub sections: String,
    /// Events of a projector round.
    pub events: usize,
    /// Where the table goes as JSON.
    pub json: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { sections: "abc".to_owned(), events: 300_000, json: None }
    }
}

/// Measures and gives the table as text.
///
/// # Errors
/// When a section of our own code fails, or the JSON can not be written. A gateway that does not start is a line below
/// the table, so that the other figures are not lost.
pub async fn run(options: &Options) -> anyhow::Result<String> {
    let mut table = Table { conditions: Conditions::now(), rows: Vec::new(), skipped: Vec::new() };
    if options.sections.contains('a') {
        let (size, rows) = fold::measure();
        table.conditions.sizes.push(size);
        table.rows.extend(rows);
    }
    if options.sections.contains('b') {
        let (server, sizes, rows) =
            projector::measure(options.events).await.context("measuring the projector")?;
        table.conditions.postgres(server);
        table.conditions.sizes.extend(sizes);
        table.rows.extend(rows);
    }
    if options.sections.contains('c') {
        let (sizes, rows, failed) = proxy::measure().await.context("measuring the proxy")?;
        table.conditions.sizes.extend(sizes);
        table.rows.extend(rows);
        table.skipped.extend(failed.map(|why| format!("the gateway, {why:#}")));
    }
    if let Some(file) = &options.json {
        let json = serde_json::to_vec_pretty(&table)?;
        std::fs::write(file, json).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(table.text())
}
