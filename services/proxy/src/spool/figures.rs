//! What the spool tells about itself: figures for metrics and `/readyz`, and what a heartbeat may state.

use super::Position;
use tallystick_domain::Lane;

/// What a heartbeat states: everything admitted before [`until_us`](Self::until_us) is settled, and its events have
/// numbers up to `last_seq`. A note made from it comes after all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// The moment of the statement.
    pub at_us: u64,
    /// Admission time of the oldest request that is not settled on disk.
    pub oldest_unsettled_us: Option<u64>,
    /// Last durable `seq` by lane; 0 where there is none.
    pub last_seq: [u64; Lane::COUNT as usize],
}

impl Completeness {
    /// The moment up to which nothing is missing.
    #[must_use]
    pub fn until_us(&self) -> u64 {
        self.oldest_unsettled_us.map_or(self.at_us, |oldest| oldest.min(self.at_us))
    }
}

/// Figures of the spool. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolStats {
    /// A write or fsync failed; nothing is accepted.
    pub poisoned: bool,
    /// Bytes behind the checkpoint.
    pub backlog_bytes: u64,
    /// Time of the oldest entry that is durable and not acknowledged (its batch's oldest).
    pub oldest_unshipped_us: Option<u64>,
    /// Admission time of the oldest request without a durable settlement.
    pub oldest_unsettled_us: Option<u64>,
    /// Requests without a durable settlement.
    pub unsettled: usize,
    /// Intents whose handle was dropped unsettled since the start. Above 0 is a bug of the caller.
    pub abandoned: u64,
    /// Bytes that wait for the disk.
    pub queued_bytes: u64,
    /// Bytes set aside for intents and settlements.
    pub reserved_bytes: u64,
    /// Free bytes on the disk.
    pub free_bytes: u64,
    /// Segments on disk, the current one included.
    pub kept_segments: usize,
    /// Last durable `seq` by lane; 0 where there is none.
    pub last_seq: [u64; Lane::COUNT as usize],
    /// End of what is durable.
    pub durable: Position,
    /// End of what is acknowledged.
    pub acknowledged: Position,
}
