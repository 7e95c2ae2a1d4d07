//! Invoices: drafts, the frozen documents, and what they took from the ledger.
//!
//! Owns the rows of an invoice ([`InvoiceRow`]), the reading of unbilled usage ([`Store::invoice_basis`]), the
//! transaction that numbers and freezes ([`Store::invoice_finalize`]) and what may follow. Does not own how usage becomes
//! lines (`tallystick_domain::invoice`) nor who may do what.
//!
//! Phases of finalising, all in one transaction: (1) the client is locked and the counter of the
//! series moves, so that other finalisations wait; (2) unbilled usage is read anew, so nothing is billed twice; (3) the document is
//! composed and frozen; (4) what it took is written down; (5) the client's account moves from unbilled to billed.
//!
//! Invariants: numbers have no gap, because a number commits with its document or not at all; a frozen row never changes
//! but in where it stands (a trigger holds it); ledger sum = billed + unbilled, per client, project, model and month.
//!
//! Where to read next: `finalize.rs`; `check.rs` for the proof.

mod basis;
mod check;
mod draft;
mod finalize;
mod journal;
mod row;
mod state;

pub use basis::{BasisQuery, InvoiceBasis, UnbilledEvidence, UnbilledUsage};
pub use check::InvoiceFigures;
pub use draft::DraftContent;
pub use finalize::{Finalization, Numbered};
pub use row::{InvoiceFilter, InvoiceRow};
pub use state::InvoiceMove;

#[cfg(test)]
mod tests;
