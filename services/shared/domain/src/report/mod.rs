//! The monthly report and the weekly review: what was spent, by whom, and what changed.
//!
//! Owns the models that table, PDF and JSON are made from, and the arithmetic of ranking: shares, changes, averages.
//! Does not own the sums: they come from the one rollup query, so that a report and a chart can not disagree.
//!
//! Invariants: the rows of a table and its unassigned row add up to the total; `unassigned` is in every table, at zero
//! too; a change against nothing is absent, never infinite.
//!
//! Where to read next: `rank` (tables), [`MonthReport`] and [`WeekReport`].

mod model;
mod rank;

#[cfg(test)]
mod tests;

pub use model::{
    DayCost, Dimension, KeyNote, MonthReport, RankedRow, RankedTable, ReportHead, ReportTotals, SpendSummary,
    TaskCost, WeekReport,
};
pub use rank::{Measured, change_percent, rank, share_percent};
