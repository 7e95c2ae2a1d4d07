//! The ledger fold: events in, postings and rollups out.
//!
//! Three books, each double-entry and zero-sum on its own: `member`, `project` and `client`. An event debits one account
//! of each book and credits `accrued:{provider}` of that book, so the books cross-foot provider by provider. An absent
//! dimension is the account `unassigned`, never a missing row.
//!
//! Phases of [`Fold::apply`]: (1) duplicates are told apart by event id; (2) the event is checked (exact at 18
//! decimals, lines add up to the cost, never cost and unrated at once); (3) its contributions are merged into a short
//! list; (4) every sum is tried; (5) every sum is made. An error in 1 to 4 leaves the fold untouched. Cost: O(lines) per
//! event, about ten map entries.
//!
//! The fold has no I/O and reads nothing but the event. Four laws hold and are property-tested in `tests`: applying twice
//! equals once; cutting a batch anywhere changes nothing; events of different accounts commute; every batch sums to zero
//! per book and currency.
//!
//! Where to read next: [`rows`] for the shapes that the store writes, crate `projector` for the transaction around it.

mod contribution;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::{Account, Book, HourlyKey, HourlySums, PostingKey, PricedKey, PricedSums};

use crate::event::{Event, UsageAdjusted, UsageRecorded};
use crate::ids::EventId;
use contribution::Contribution;
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};

/// Decimals that amounts are exact at.
pub const AMOUNT_SCALE: u32 = 18;

/// What applying an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It changed the ledger.
    Folded,
    /// It had been applied before; nothing changed.
    Duplicate,
    /// It carries no usage (a refusal, a heartbeat).
    NotForLedger,
}

/// An event that can not be folded. It belongs in the dead letters, with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    #[error("event {0} has both a cost and a reason for having none")]
    RatedAndUnrated(EventId),
    #[error("event {0} has neither a cost nor a reason for having none")]
    NeitherRatedNorUnrated(EventId),
    #[error("event {0} costs less than nothing")]
    NegativeCost(EventId),
    #[error("the lines of event {0} do not add up to its cost")]
    LinesDoNotAddUp(EventId),
    #[error("event {0} has an amount with more than 18 decimals")]
    Inexact(EventId),
    #[error("event {0} takes a sum out of its range")]
    Overflow(EventId),
    #[error("adjustment {0} names another lane than its key has")]
    WrongLane(EventId),
}

/// The change that a batch of events makes to the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    seen: HashSet<EventId>,
    /// Debits positive, credits negative. Like the maps below in no order: the store sorts what it writes.
    pub postings: HashMap<PostingKey, Decimal>,
    /// Requests, tokens and cost per hour and dimension.
    pub hourly: HashMap<HourlyKey, HourlySums>,
    /// Quantities and amounts per day, price version and bucket: the evidence behind invoice lines.
    pub priced: HashMap<PricedKey, PricedSums>,
}

impl Fold {
    /// Adds one event.
    ///
    /// # Errors
    /// When the event contradicts itself or a sum leaves its range; the fold is unchanged then.
    pub fn apply(&mut self, event: &Event) -> Result<Applied, FoldError> {
        let id = event.id();
        if self.seen.contains(&id) {
            return Ok(Applied::Duplicate);
        }
        let contribution = match event {
            Event::Recorded(event) => Self::recorded(event)?,
            Event::Adjusted(event) => Self::adjusted(event)?,
            Event::Refused(_) | Event::Heartbeat(_) => {
                self.seen.insert(id);
                return Ok(Applied::NotForLedger);
            }
        };
        if !contribution.fits(self) {
            return Err(FoldError::Overflow(id));
        }
        contribution.commit(self);
        self.seen.insert(id);
        Ok(Applied::Folded)
    }

    /// Marks an event as applied before (found in the store), so that it is not folded again.
    pub fn forget(&mut self, id: EventId) {
        self.seen.insert(id);
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.postings.is_empty() && self.hourly.is_empty() && self.priced.is_empty()
    }

    fn recorded(event: &UsageRecorded) -> Result<Contribution, FoldError> {
        let id = event.event_id;
        let position = contribution::View::of_recorded(event);
        position.check(id)?;
        let mut contribution = Contribution::default();
        contribution.add(&position, contribution::Sign::Post).ok_or(FoldError::Overflow(id))?;
        Ok(contribution)
    }

    fn adjusted(event: &UsageAdjusted) -> Result<Contribution, FoldError> {
        let id = event.event_id;
        let mut contribution = Contribution::default();
        let before = contribution::View::of_position(event.team, event.lane, &event.before);
        before.check(id)?;
        contribution.add(&before, contribution::Sign::Reverse).ok_or(FoldError::Overflow(id))?;
        if let Some(after) = &event.after {
            if after.key != event.before.key {
                return Err(FoldError::WrongLane(id));
            }
            let after = contribution::View::of_position(event.team, event.lane, after);
            after.check(id)?;
            contribution.add(&after, contribution::Sign::Post).ok_or(FoldError::Overflow(id))?;
        }
        Ok(contribution)
    }
}
