//! Usage added up: the one function behind tile, table, file, report and CLI.
//!
//! Owns the shape of the answer ([`UsageAnswer`]) and its file. Does not own the sums (`Store::usage_rollup`).
//!
//! Invariants: an answer states its zone, its half-open bounds and up to when data is folded; the rows add up to the
//! total; `unassigned` is in sight wherever usage can be without the dimension that was asked for.

mod answer;
mod file;
mod period;

pub use answer::{UsageAnswer, UsageQuery, UsageRow, UsageTotal, usage_rollup};
pub(crate) use file::usage_csv;
pub(crate) use period::day;
pub use period::{PeriodAsked, period_of};
