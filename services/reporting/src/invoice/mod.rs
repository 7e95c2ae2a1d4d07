//! Invoices: drafted from the ledger, finalised once, never changed again.
//!
//! Owns how a client's terms and unbilled usage become a document ([`compose`]), the steps of an invoice ([`draft`],
//! [`finalize`], [`advance`]), its files, and their proof ([`verify_invoices`]). Does not own rounding and lines
//! (`domain::invoice`), numbers and frozen rows (`store::invoice`), nor the page (a [`crate::DocumentRenderer`]).
//!
//! Invariants: what is finalised was read under the lock that gives the number, so nothing is billed twice; an invoice
//! says up to when usage is in, and what it lacks; an unassigned client is never billed, and internal ones neither.
//!
//! Where to read next: `terms.rs` (who and how), `compose.rs` (what), `finalize.rs` (when it becomes final).

mod compose;
mod draft;
mod file;
mod finalize;
mod terms;
mod verify;
mod view;

pub(crate) use draft::{DraftAsked, draft, draft_all};
pub use draft::{Drafted, Skipped};
pub(crate) use file::{invoice_csv, invoice_pdf};
pub(crate) use finalize::{advance, finalize};
pub use verify::{InvoiceCheck, verify_invoices};
pub use view::{InvoiceSummary, InvoiceView};
