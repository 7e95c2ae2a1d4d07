//! The trait that every event log fulfils.

use crate::error::LogError;
use crate::record::{LogRecord, ReadLimit, Record};
use async_trait::async_trait;
use std::time::Duration;

/// An append-only log of records in numbered partitions.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// How many partitions there are; they are numbered from zero.
    fn partitions(&self) -> u32;

    /// Appends the records, each to the partition of its lane, in the order given. On `Ok` they are durable and every
    /// later read sees them. An empty slice does nothing.
    ///
    /// # Errors
    /// All or nothing, but after an error (or when the call is dropped half way) the caller cannot know which, and
    /// appends the same records again. `TooLarge` alone says for certain that nothing was stored.
    async fn append(&self, records: &[Record]) -> Result<(), LogError>;

    /// Records from offset `from` on, in order, without a hole. Empty only when `from` is the end of the partition.
    ///
    /// # Errors
    /// `Trimmed`, `BeyondEnd` or `Damaged` when the record at `from` cannot be given.
    async fn read(&self, partition: u32, from: u64, limit: ReadLimit) -> Result<Vec<LogRecord>, LogError>;

    /// The offset that the next record of the partition will get.
    ///
    /// # Errors
    /// `Unavailable` when the log does not answer.
    async fn end_offset(&self, partition: u32) -> Result<u64, LogError>;

    /// Waits until the partition has a record at `from`, or `timeout` has passed; says whether it has one.
    ///
    /// # Errors
    /// `Unavailable` when the log does not answer.
    async fn wait(&self, partition: u32, from: u64, timeout: Duration) -> Result<bool, LogError>;
}

#[async_trait]
impl<L: EventLog + ?Sized> EventLog for std::sync::Arc<L> {
    fn partitions(&self) -> u32 {
        (**self).partitions()
    }

    async fn append(&self, records: &[Record]) -> Result<(), LogError> {
        (**self).append(records).await
    }

    async fn read(&self, partition: u32, from: u64, limit: ReadLimit) -> Result<Vec<LogRecord>, LogError> {
        (**self).read(partition, from, limit).await
    }

    async fn end_offset(&self, partition: u32) -> Result<u64, LogError> {
        (**self).end_offset(partition).await
    }

    async fn wait(&self, partition: u32, from: u64, timeout: Duration) -> Result<bool, LogError> {
        (**self).wait(partition, from, timeout).await
    }
}
