//! Budgets: the place where money is held before a call and given back after it.
//!
//! Every admitted request passes [`Holds::hold`] and gets a [`HeldBudget`], which ends exactly once: settled with what the
//! call cost, or released when nothing was sent. A team without budgets holds nothing, and the guard's rule is the same.
//! The budgets themselves, their escrow and their refusals join here; the path around it does not change.
//!
//! Invariant: `open = settled + released` once nothing is in flight. A guard that is dropped without an end settles with
//! what was last noted; that is a bug of ours, which debug builds assert and release builds count.

use jiff::Timestamp;
use rust_decimal::Decimal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tallystick_domain::attribution::Attribution;
use tallystick_domain::event::Hold;
use tallystick_domain::price::PriceVersion;

use crate::refusal::Refusal;

/// What a hold is worked out from.
#[derive(Debug)]
pub(crate) struct HoldRequest<'a> {
    /// Whose budgets apply.
    pub(crate) pays: &'a Attribution,
    /// When the request was admitted: fixes the periods.
    pub(crate) at: Timestamp,
    /// The price in force; absent for a model without one.
    pub(crate) price: Option<&'a PriceVersion>,
    /// Bytes of input: the first bound on its tokens.
    pub(crate) input_bytes: u64,
    /// The client's own cap on output tokens, over all choices.
    pub(crate) output_cap: Option<u64>,
}

/// Takes holds and counts how they end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holds {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    held: AtomicU64,
    settled: AtomicU64,
    released: AtomicU64,
    leaked: AtomicU64,
}

/// How many guards were given out, and how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HoldCounts {
    pub(crate) held: u64,
    pub(crate) settled: u64,
    pub(crate) released: u64,
    pub(crate) leaked: u64,
}

impl Holds {
    /// Holds the worst case of a request in every budget that applies to it.
    ///
    /// # Errors
    /// The refusal of the budget that has too little left.
    pub(crate) fn hold(&self, request: &HoldRequest<'_>) -> Result<HeldBudget, Refusal> {
        tracing::trace!(
            team.id = %request.pays.team, hold.at = %request.at, hold.priced = request.price.is_some(),
            hold.input_bytes = request.input_bytes, hold.output_cap = request.output_cap, "no budget applies"
        );
        self.counts.held.fetch_add(1, Ordering::Relaxed);
        Ok(HeldBudget { holds: Vec::new(), known: None, counts: Some(Arc::clone(&self.counts)) })
    }

    pub(crate) fn counts(&self) -> HoldCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        HoldCounts {
            held: read(&self.counts.held),
            settled: read(&self.counts.settled),
            released: read(&self.counts.released),
            leaked: read(&self.counts.leaked),
        }
    }
}

/// What is held for one attempt. Ends by [`settle`](Self::settle) or [`release`](Self::release).
#[must_use]
#[derive(Debug)]
pub(crate) struct HeldBudget {
    holds: Vec<Hold>,
    known: Option<Decimal>,
    /// Taken by the end.
    counts: Option<Arc<Counts>>,
}

impl HeldBudget {
    /// What stands in the event.
    pub(crate) fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// Notes what the call costs as far as is known.
    pub(crate) fn note(&mut self, cost: Option<Decimal>) {
        self.known = cost.or(self.known);
    }

    /// The call cost so much (`None`: it could not be priced). The rest of the hold is free again.
    pub(crate) fn settle(mut self, cost: Option<Decimal>) {
        self.note(cost);
        if let Some(counts) = self.counts.take() {
            counts.settled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nothing was sent: all of the hold is free again.
    pub(crate) fn release(mut self) {
        if let Some(counts) = self.counts.take() {
            counts.released.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for HeldBudget {
    fn drop(&mut self) {
        let Some(counts) = self.counts.take() else { return };
        counts.settled.fetch_add(1, Ordering::Relaxed);
        counts.leaked.fetch_add(1, Ordering::Relaxed);
        tracing::error!(hold.known = ?self.known, "a hold was dropped without an end and settled with what was known");
        debug_assert!(std::thread::panicking(), "every hold is settled or released");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallystick_domain::TeamId;

    fn held(holds: &Holds) -> HeldBudget {
        let pays = Attribution {
            team: TeamId::derived("test", &[]),
            key: None,
            member: None,
            project: None,
            client: None,
            environment: None,
            tool: None,
        };
        let request = HoldRequest {
            pays: &pays,
            at: Timestamp::UNIX_EPOCH,
            price: None,
            input_bytes: 0,
            output_cap: None,
        };
        holds.hold(&request).unwrap()
    }

    #[test]
    fn every_hold_ends_once() {
        let holds = Holds::default();
        held(&holds).settle(Some(Decimal::ONE));
        held(&holds).release();
        assert_eq!(holds.counts(), HoldCounts { held: 2, settled: 1, released: 1, leaked: 0 });
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_hold_that_is_dropped_without_an_end_is_caught() {
        let holds = Holds::default();
        let held = held(&holds);
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(held)));
        assert!(dropped.is_err());
        assert_eq!(holds.counts(), HoldCounts { held: 1, settled: 1, released: 0, leaked: 1 });
    }
}
