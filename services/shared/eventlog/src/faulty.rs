//! A log that fails on request, for the tests of whoever appends.

use crate::error::LogError;
use crate::log::EventLog;
use crate::record::{LogRecord, ReadLimit, Record};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How an append fails. To the caller both look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was stored.
    BeforeStore,
    /// Everything was stored, only the answer was lost.
    AfterStore,
}

/// Another log, whose next appends fail as told.
#[derive(Debug, Default)]
pub struct FaultyLog<L> {
    inner: L,
    faults: Mutex<VecDeque<Fault>>,
}

impl<L: EventLog> FaultyLog<L> {
    /// A log that does not fail yet.
    pub fn new(inner: L) -> Self {
        Self { inner, faults: Mutex::default() }
    }

    /// Makes one more append fail; several faults are used up in order, one per append.
    pub fn fail_next_append(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// The log beneath.
    pub fn inner(&self) -> &L {
        &self.inner
    }

    fn next_fault(&self) -> Option<Fault> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

#[async_trait]
impl<L: EventLog> EventLog for FaultyLog<L> {
    fn partitions(&self) -> u32 {
        self.inner.partitions()
    }

    async fn append(&self, records: &[Record]) -> Result<(), LogError> {
        match self.next_fault() {
            None => return self.inner.append(records).await,
            Some(Fault::BeforeStore) => {}
            Some(Fault::AfterStore) => self.inner.append(records).await?,
        }
        Err(LogError::Unavailable("the connection was cut on request".into()))
    }

    async fn read(&self, partition: u32, from: u64, limit: ReadLimit) -> Result<Vec<LogRecord>, LogError> {
        self.inner.read(partition, from, limit).await
    }

    async fn end_offset(&self, partition: u32) -> Result<u64, LogError> {
        self.inner.end_offset(partition).await
    }

    async fn wait(&self, partition: u32, from: u64, timeout: Duration) -> Result<bool, LogError> {
        self.inner.wait(partition, from, timeout).await
    }
}
