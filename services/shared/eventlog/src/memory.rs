//! A log in memory, for tests. It forgets everything with the process.

use crate::error::LogError;
use crate::log::EventLog;
use crate::record::{Allowance, LogRecord, ReadLimit, Record};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout_at;

type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A log in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryLog {
    partitions: Arc<Vec<Mutex<Vec<LogRecord>>>>,
    appended: Arc<Notify>,
    now: Now,
}

impl MemoryLog {
    /// A log of one partition whose records all carry the same instant, 1970.
    #[must_use]
    pub fn new() -> Self {
        Self::with_partitions(1)
    }

    /// A log of several partitions (at least one): a lane goes to partition `lane % partitions`.
    #[must_use]
    pub fn with_partitions(count: u32) -> Self {
        let partitions = (0..count.max(1)).map(|_| Mutex::default()).collect();
        Self {
            partitions: Arc::new(partitions),
            appended: Arc::default(),
            now: Arc::new(|| Timestamp::UNIX_EPOCH),
        }
    }

    /// With a clock that says when the log took a record.
    #[must_use]
    pub fn with_clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    fn partition(&self, number: u32) -> Result<&Mutex<Vec<LogRecord>>, LogError> {
        let index = usize::try_from(number).ok();
        index.and_then(|index| self.partitions.get(index)).ok_or(LogError::NoPartition(number))
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLog").field("partitions", &self.partitions.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).expect("the count came as a u32")
    }

    async fn append(&self, records: &[Record]) -> Result<(), LogError> {
        let appended_at = (self.now)();
        for record in records {
            let number = u32::from(record.lane.get()) % self.partitions();
            let mut stored = self.partition(number)?.lock().unwrap_or_else(PoisonError::into_inner);
            let offset = stored.len() as u64;
            stored.push(LogRecord { partition: number, offset, appended_at, record: record.clone() });
        }
        self.appended.notify_waiters();
        Ok(())
    }

    async fn read(&self, partition: u32, from: u64, limit: ReadLimit) -> Result<Vec<LogRecord>, LogError> {
        let stored = self.partition(partition)?.lock().unwrap_or_else(PoisonError::into_inner);
        let end = stored.len() as u64;
        let start = usize::try_from(from).ok().filter(|start| *start <= stored.len());
        let Some(start) = start else {
            return Err(LogError::BeyondEnd { partition, asked: from, end });
        };
        let mut allowance = Allowance::new(limit);
        Ok(stored.iter().skip(start).take_while(|there| allowance.admits(&there.record)).cloned().collect())
    }

    async fn end_offset(&self, partition: u32) -> Result<u64, LogError> {
        Ok(self.partition(partition)?.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    async fn wait(&self, partition: u32, from: u64, timeout: Duration) -> Result<bool, LogError> {
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            let appended = self.appended.notified();
            if self.end_offset(partition).await? > from {
                return Ok(true);
            }
            if timeout_at(deadline, appended).await.is_err() {
                return Ok(self.end_offset(partition).await? > from);
            }
        }
    }
}

#[cfg(test)]
mod tests;
