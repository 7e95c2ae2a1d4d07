//! What is appended and what is read.

use bytes::Bytes;
use jiff::Timestamp;
use tallystick_domain::Lane;

/// One record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Decides the partition; one lane's records stay in order.
    pub lane: Lane,
    /// The record's key (the virtual key's id), for logs that route or compact by it.
    pub key: Option<String>,
    /// Name and value in order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body, opaque here.
    pub payload: Bytes,
}

impl Record {
    /// Bytes that the record's own content takes (without framing).
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.key.as_ref().map_or(0, String::len) + headers + self.payload.len()
    }
}

/// One record as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// The partition it stands in.
    pub partition: u32,
    /// Its position there, from zero.
    pub offset: u64,
    /// When the log took it, by the log's own clock.
    pub appended_at: Timestamp,
    /// The record.
    pub record: Record,
}

/// How much one read gives at most. A read that has anything to give gives at least one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Records.
    pub records: usize,
    /// Bytes of content; the record that crosses the limit is left for the next read.
    pub bytes: usize,
}

impl Default for ReadLimit {
    /// Ten thousand records or 16 MiB, what comes first.
    fn default() -> Self {
        Self { records: 10_000, bytes: 16 << 20 }
    }
}

/// Counts what is given out against a [`ReadLimit`].
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: ReadLimit,
    records: usize,
    bytes: usize,
}

impl Allowance {
    pub(crate) fn new(limit: ReadLimit) -> Self {
        Self { limit, records: 0, bytes: 0 }
    }

    /// Whether one more record of this size may be given.
    pub(crate) fn admits(&mut self, record: &Record) -> bool {
        let bytes = self.bytes.saturating_add(record.content_bytes());
        let fits = self.records < self.limit.records && bytes <= self.limit.bytes;
        if !fits && self.records > 0 {
            return false;
        }
        self.records += 1;
        self.bytes = bytes;
        true
    }
}
