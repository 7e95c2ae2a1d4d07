//! The facts that the ledger is folded from.
//!
//! Owns the current form of every event kind. Does not own their wire versions, headers or golden examples (crate
//! `schemas`), nor how they are folded ([`crate::ledger`]). An event is immutable: what turns out wrong later is
//! corrected by another event ([`UsageAdjusted`]) that names the one it supersedes.

mod adjusted;
mod notes;
mod outcome;
mod recorded;

pub use adjusted::{AdjustReason, Position, UsageAdjusted};
pub use notes::{ProducerHeartbeat, RequestsRefused};
pub use outcome::{Billing, Outcome, Status};
pub use recorded::{Hold, RawJson, UsageRecorded};

use crate::ids::{EventId, ProducerId};
use crate::lane::Lane;

/// Any event of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// One attempt of one request, with what it used and cost.
    Recorded(Box<UsageRecorded>),
    /// A correction of an event: re-rating, re-attribution, credit or void.
    Adjusted(Box<UsageAdjusted>),
    /// Requests that were refused, counted.
    Refused(RequestsRefused),
    /// A producer's statement of what it still owes.
    Heartbeat(ProducerHeartbeat),
}

/// Where in a producer's stream an event stands. `seq` is dense per (producer, lane) and only raises alarms; whether
/// something is a duplicate is decided by [`EventId`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPosition {
    pub producer: ProducerId,
    pub epoch: u32,
    pub lane: Lane,
    pub seq: u64,
}

impl Event {
    /// The event's identity.
    #[must_use]
    pub fn id(&self) -> EventId {
        match self {
            Self::Recorded(event) => event.event_id,
            Self::Adjusted(event) => event.event_id,
            Self::Refused(event) => event.event_id,
            Self::Heartbeat(event) => event.event_id,
        }
    }

    /// The event's place in its producer's stream.
    #[must_use]
    pub fn stream_position(&self) -> StreamPosition {
        let (producer, epoch, lane, seq) = match self {
            Self::Recorded(e) => (e.producer, e.epoch, e.lane, e.seq),
            Self::Adjusted(e) => (e.producer, e.epoch, e.lane, e.seq),
            Self::Refused(e) => (e.producer, e.epoch, e.lane, e.seq),
            Self::Heartbeat(e) => (e.producer, e.epoch, e.lane, e.seq),
        };
        StreamPosition { producer, epoch, lane, seq }
    }
}

/// A `seq` of 0 is not given yet (they start at 1) and is left out of the JSON.
fn is_unset(seq: &u64) -> bool {
    *seq == 0
}
