//! Corrections of many events at once: moved to somebody else, or rated anew.
//!
//! Owns which events a correction concerns, what they become ([`Change`]) and the answer that shows the difference before
//! anything is posted. Does not own the fold of an adjustment (`domain::ledger`) nor its order in the log (`import`).
//!
//! Phases: (1) events are read page by page as they stand now; (2) each gets its new position; what would not change is
//! left alone; (3) sums are made; (4) with `apply`, adjustments that name the head they supersede go into the inbox.
//!
//! Invariants: nothing is posted without `apply`; the same correction twice posts once (its id is derived from target,
//! head and content); an adjustment whose head moved meanwhile is put aside by the projector, never folded.

mod change;
mod run;

pub(crate) use change::{Change, MoveTo};
pub(crate) use run::CorrectionAnswer;
pub(crate) use run::{Correction, correct};
