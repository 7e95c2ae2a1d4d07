//! The monthly report and the weekly review.
//!
//! Owns how rollups become the report models and their CSV. Does not own sums ([`crate::usage`]) nor ranking and shares
//! (`domain::report`).
//!
//! Invariants: every figure of a report comes from the one rollup function; the tables, their unassigned rows included,
//! add up to the total.

mod build;
mod file;
mod keys;

pub(crate) use build::{month_report, week_report};
pub(crate) use file::report_csv;
