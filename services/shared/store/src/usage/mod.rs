//! Reading the ledger: the one rollup behind every sum, and the events behind every row of it.
//!
//! Owns the grouping and filtering of usage ([`Store::usage_rollup`]) and the present standing of single events
//! ([`Store::usage_events`], [`Store::usage_event`]). Does not own what is written (`ledger`), nor names of periods,
//! files or pages (service `reporting`).
//!
//! Invariants: a query sees one team; an absent dimension is a group of its own and never left out; both sources of a
//! rollup (hourly sums; single events, where tasks are asked for) give the same totals.
//!
//! Where to read next: `rollup.rs`; view `usage_standing` for what an adjusted event counts as.

mod dimension;
mod events;
mod prices;
mod rollup;

pub use dimension::{Dimension, Wanted};
pub use events::{Adjustment, EventFilter, EventKeyset, StandingEvent};
pub use rollup::{KeyLastUsed, RollupQuery, RollupRow, RollupSums};
