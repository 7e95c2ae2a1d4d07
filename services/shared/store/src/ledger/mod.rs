//! The ledger's tables: what the projector writes and what `verify` reads.
//!
//! Owns the batch transaction ([`Store::ledger_batch_commit`]), the cursor with its fencing ([`Store::cursor_claim`]),
//! dead letters and the figures that prove the ledger. Does not own the fold (`tallystick_domain::ledger`) nor the reading
//! of the log.
//!
//! Phases of a batch, all in one transaction: (1) the cursor moves by compare-and-set, which also locks out a second
//! owner; (2) events go in by `COPY`, and where the unique index objects, what was there before is told apart; (3) only
//! what is new is folded; (4) postings, rollups, progress, dead letters and the batch row are written, each set sorted by
//! its key. Cost: one statement per table, whatever the size of the batch.
//!
//! Invariants: offsets are taken in without holes (a batch begins where the cursor stands); an event id is folded once at
//! any distance in time; every row belongs to one lane or one partition.

mod batch;
mod copy;
mod cursor;
mod dead_letter;
mod events;
mod figures;
mod progress;
mod rollups;

pub use batch::{Batch, BatchOutcome, LoggedEvent, Planted};
pub use cursor::{Claim, CursorPosition};
pub use dead_letter::{DeadLetter, NewDeadLetter};
pub use figures::{BatchFigure, Comparison, EventPage, LaneFigure, StoredEvent, Watermark};
