//! The projector's limits.

use std::time::Duration;

/// How much a batch holds and how long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorConfig {
    /// Records per batch at most.
    pub batch_records: usize,
    /// Bytes per batch at most (headers and payloads).
    pub batch_bytes: usize,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// How long a claim holds without a sign of life.
    pub lease: Duration,
    /// How long to wait for new records before looking again.
    pub idle_wait: Duration,
    /// Longest pause between attempts while the database or the log fails.
    pub retry_max: Duration,
}

impl Default for ProjectorConfig {
    fn default() -> Self {
        Self {
            batch_records: 20_000,
            batch_bytes: 32 << 20,
            linger: Duration::from_millis(200),
            lease: Duration::from_secs(15),
            idle_wait: Duration::from_secs(2),
            retry_max: Duration::from_secs(10),
        }
    }
}
