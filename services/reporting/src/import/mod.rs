//! Usage from elsewhere: another gateway's log, a provider's export.
//!
//! Owns the reading of foreign events in every form they come in ([`batch`]), their checks and their rating ([`admit`]),
//! and the relay from the inbox to the log ([`relay`]). Does not own the inbox's numbers (`store::inbox`).
//!
//! Phases of an import: (1) the body is cut into events, each with its line or place; (2) each is checked, named and rated
//! by the prices in force when it happened; (3) all good ones go into the inbox in one transaction; (4) the relay appends
//! them to the log. A bad event is reported and never stops its neighbours.
//!
//! Invariants: sending an event twice changes nothing; the same id with another content is a reported conflict; what was
//! accepted reaches the log.

mod admit;
mod batch;
mod foreign;
mod prices;
mod relay;
mod run;

pub use batch::MediaKind;
pub use foreign::ForeignEvent;
pub(crate) use prices::PriceBooks;
pub use relay::Relay;
pub(crate) use run::import;
pub use run::{ImportReport, ImportResult, ImportStatus};

use tokio::sync::Notify;

/// What imports and corrections share in a process.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Rung when something waits for the log.
    pub(crate) wake: Notify,
    /// Price books by team.
    pub(crate) books: PriceBooks,
}
