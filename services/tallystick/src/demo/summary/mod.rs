//! What the demo prints at the end: who spent what, what went wrong, what is billed, and that it is all true.

mod document;
mod gather;
mod render;

use std::time::Duration;

use rust_decimal::Decimal;
use tallystick_projector::Verification;

use super::documents::Issued;
use super::live::Seen;

pub(super) use gather::gather;

/// The provider's own bill beside the ledger.
pub(super) struct Reconciled {
    /// Calls on the bill.
    pub(super) calls: u64,
    /// What the provider asks for.
    pub(super) bill: Decimal,
    /// What the ledger has.
    pub(super) ledger: Decimal,
    /// Events in the ledger.
    pub(super) ledger_calls: u64,
    /// First day of the live part.
    pub(super) from: String,
    /// The day after its last.
    pub(super) to: String,
}

impl Reconciled {
    /// Whether bill and ledger agree, in money and in number.
    pub(super) fn is_equal(&self) -> bool {
        self.bill == self.ledger && self.calls == self.ledger_calls
    }
}

/// What the steps brought.
pub(super) struct Figures {
    pub(super) issued: Vec<Issued>,
    pub(super) reconciled: Reconciled,
    pub(super) verified: Verification,
    pub(super) seen: Seen,
    /// Answered calls of a replayed trace, and how long they took.
    pub(super) replayed: Option<(u64, Duration)>,
}

/// A row of a ranking.
pub(super) struct Row {
    name: String,
    cost: Decimal,
    requests: u64,
    failed: u64,
}

/// A ranking with its sum.
pub(super) struct Ranking {
    title: &'static str,
    /// The dimension.
    by: &'static str,
    rows: Vec<Row>,
}

/// What went wrong in a period, and what it cost.
#[derive(Default)]
struct Trouble {
    requests: u64,
    failed: u64,
    failed_cost: Decimal,
    retries: u64,
    retry_cost: Decimal,
}

/// The script that loops.
struct Loop {
    /// How often the same prompt was sent today.
    times: u64,
    /// What these calls cost.
    cost: Decimal,
    /// What the key costs on an ordinary day of use.
    usual: Decimal,
}

/// Everything that is printed.
pub(super) struct Summary<'f> {
    title: String,
    currency: String,
    total: Decimal,
    requests: u64,
    rankings: Vec<Ranking>,
    month: Trouble,
    live: Trouble,
    looping: Loop,
    trace_cost: Option<Decimal>,
    figures: &'f Figures,
}
