//! Between records and rows of `log_block`.

use super::PARTITION;
use crate::block::{self, Frames};
use crate::error::LogError;
use crate::record::{Allowance, LogRecord, ReadLimit};
use jiff::Timestamp;

/// The blocks of one append, as columns.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) total: i64,
    pub(super) skip: Vec<i64>,
    pub(super) count: Vec<i32>,
    pub(super) raw_bytes: Vec<i32>,
    pub(super) body: Vec<Vec<u8>>,
}

impl Blocks {
    pub(super) fn compress(frames: Vec<Frames>) -> Result<Self, LogError> {
        let mut blocks = Self::default();
        for frames in frames {
            blocks.skip.push(blocks.total);
            blocks.total += i64::from(frames.count());
            blocks.count.push(i32::try_from(frames.count()).expect("a block's records are limited"));
            blocks.raw_bytes.push(i32::try_from(frames.len()).expect("a block's bytes are limited"));
            blocks.body.push(frames.compress().map_err(|error| LogError::Other(error.into()))?);
        }
        Ok(blocks)
    }
}

/// One row of `log_block`.
#[derive(Debug)]
pub(super) struct StoredBlock {
    pub(super) first_offset: i64,
    pub(super) count: i32,
    pub(super) codec: i16,
    pub(super) raw_bytes: i32,
    pub(super) body: Vec<u8>,
    pub(super) appended_micros: i64,
}

pub(super) fn damaged(offset: u64, reason: String) -> LogError {
    LogError::Damaged { partition: PARTITION, offset, reason }
}

/// Decodes blocks that must follow each other, and keeps what was asked for.
pub(super) fn open_blocks(
    rows: &[StoredBlock],
    from: u64,
    limit: ReadLimit,
) -> Result<Vec<LogRecord>, LogError> {
    let mut allowance = Allowance::new(limit);
    let mut records = Vec::new();
    let mut expected = None;
    for row in rows {
        let first = from_db(row.first_offset);
        if expected.is_some_and(|expected| expected != first) {
            return Err(damaged(expected.unwrap_or(first), format!("the next block begins at {first}")));
        }
        let count = u32::try_from(row.count).unwrap_or(0);
        expected = Some(first + u64::from(count));
        if expected.is_some_and(|end| end <= from) {
            continue;
        }
        let raw_bytes = usize::try_from(row.raw_bytes).unwrap_or(0);
        let decoded =
            block::decode(row.codec, raw_bytes, count, &row.body).map_err(|why| damaged(first, why))?;
        let appended_at = Timestamp::from_microsecond(row.appended_micros)
            .map_err(|_| damaged(first, "the time of the append is out of range".to_owned()))?;
        for (offset, record) in (first..).zip(decoded).skip_while(|(offset, _)| *offset < from) {
            if !allowance.admits(&record) {
                return Ok(records);
            }
            records.push(LogRecord { partition: PARTITION, offset, appended_at, record });
        }
    }
    Ok(records)
}

/// Offsets are `bigint` in the database; one beyond its range is beyond any end.
pub(super) fn to_db(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

pub(super) fn from_db(offset: i64) -> u64 {
    u64::try_from(offset).expect("a check in the schema keeps offsets at or above zero")
}
