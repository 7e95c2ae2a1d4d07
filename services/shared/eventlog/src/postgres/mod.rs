//! The log in PostgreSQL: one partition for all lanes, one row per block.
//!
//! An append is one statement, and so one transaction and one round trip: it moves the partition's head row (the lock
//! on that row is what puts appenders in line until they commit), stores the blocks below the offsets it got, and
//! notifies. Because the lock is held to the commit, offsets become visible in their order: a reader that sees offset
//! `n` sees every one below. Records are cut into blocks by named limits; every block of an append is in the same
//! statement.
//!
//! A read takes the block that holds `from` and what follows, up to the limits, and checks that every block begins
//! where the one before ended. A wait listens for the notification, with a poll behind it ([`wake`]).
//!
//! Costs: an append compresses what it is given (zstd level 1); a read from the middle of a block decompresses the
//! whole block. What is larger than [`OFF_THREAD`] is done on a blocking thread.

mod blocks;
mod metrics;
mod wake;

use crate::block::{self, Frames};
use crate::error::LogError;
use crate::log::EventLog;
use crate::record::{LogRecord, ReadLimit, Record};
use async_trait::async_trait;
use blocks::{Blocks, StoredBlock, damaged, from_db, open_blocks, to_db};
use metrics::Metrics;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use wake::Wake;

/// The one partition.
const PARTITION: u32 = 0;
const PARTITION_ROW: i32 = 0;

/// Work on more bytes than this does not run on a thread of the async runtime.
const OFF_THREAD: usize = 256 << 10;

/// The most blocks that one read looks at.
const READ_BLOCKS: i64 = 512;

/// Limits of the log in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresLogLimits {
    /// The largest record, in bytes of content.
    pub record_bytes: usize,
    /// The most headers of one record.
    pub record_headers: u16,
    /// The largest append, in bytes of content.
    pub append_bytes: usize,
    /// A block is closed at this many records.
    pub block_records: u32,
    /// A block is closed once it holds this many bytes, before compression.
    pub block_bytes: usize,
    /// How often a waiting reader looks by itself, in case a notification got lost.
    pub poll: Duration,
}

impl Default for PostgresLogLimits {
    fn default() -> Self {
        Self {
            record_bytes: 4 << 20,
            record_headers: 256,
            append_bytes: 64 << 20,
            block_records: 4_000,
            block_bytes: 2 << 20,
            poll: Duration::from_millis(500),
        }
    }
}

/// The log in PostgreSQL. It needs the schema of `create_event_log`.
#[derive(Debug)]
pub struct PostgresLog {
    pool: PgPool,
    limits: PostgresLogLimits,
    wake: Wake,
    metrics: Metrics,
}

impl PostgresLog {
    /// A log on this pool, with the default limits. It opens one connection of its own, to listen, once it waits.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self::with_limits(pool, PostgresLogLimits::default())
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(pool: PgPool, limits: PostgresLogLimits) -> Self {
        let wake = Wake::new(&pool);
        Self { pool, limits, wake, metrics: Metrics::new() }
    }

    /// Removes the blocks that lie wholly below `keep_from`; gives how many. A later read below is `Trimmed`.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn trim(&self, keep_from: u64) -> Result<u64, LogError> {
        let removed =
            sqlx::query_scalar!(r#"SELECT log_trim($1, $2) AS "removed!""#, PARTITION_ROW, to_db(keep_from))
                .fetch_one(&self.pool)
                .await?;
        Ok(from_db(removed))
    }

    /// Cuts the records into blocks; what is over a limit is refused as a whole.
    fn cut(&self, records: &[Record]) -> Result<Vec<Frames>, LogError> {
        let mut total = 0_usize;
        let mut closed = Vec::new();
        let mut open = Frames::new();
        for record in records {
            let bytes = record.content_bytes();
            let limit = self.limits.record_bytes;
            if bytes > limit || record.headers.len() > usize::from(self.limits.record_headers) {
                return Err(LogError::TooLarge { what: "a record", bytes, limit });
            }
            total = total.saturating_add(bytes);
            open.push(record);
            if open.count() >= self.limits.block_records || open.len() >= self.limits.block_bytes {
                closed.push(std::mem::replace(&mut open, Frames::new()));
            }
        }
        if open.count() > 0 {
            closed.push(open);
        }
        let limit = self.limits.append_bytes;
        if total > limit {
            Err(LogError::TooLarge { what: "an append", bytes: total, limit })
        } else {
            Ok(closed)
        }
    }

    async fn store(&self, blocks: &Blocks) -> Result<(), LogError> {
        sqlx::query_file!(
            "src/postgres/append.sql",
            PARTITION_ROW,
            blocks.total,
            &blocks.skip,
            &blocks.count,
            &blocks.raw_bytes,
            &blocks.body,
            block::CODEC,
            wake::CHANNEL,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(())
    }

    /// Why there is nothing at `from`: the end (nothing to say), or an error.
    async fn nothing_at(&self, from: u64) -> Result<Vec<LogRecord>, LogError> {
        let end = self.end_offset(PARTITION).await?;
        match from.cmp(&end) {
            std::cmp::Ordering::Equal => Ok(Vec::new()),
            std::cmp::Ordering::Greater => {
                Err(LogError::BeyondEnd { partition: PARTITION, asked: from, end })
            }
            std::cmp::Ordering::Less => match self.first_offset().await? {
                // Appended between our two looks: the next read gives it.
                Some(_) if self.holds(from).await? => Ok(Vec::new()),
                Some(first) if first <= from => {
                    Err(damaged(from, format!("no block holds it, the end is {end}")))
                }
                first => {
                    Err(LogError::Trimmed { partition: PARTITION, asked: from, first: first.unwrap_or(end) })
                }
            },
        }
    }

    async fn holds(&self, offset: u64) -> Result<bool, LogError> {
        let held = sqlx::query_scalar!(
            r#"
            SELECT EXISTS (
                SELECT FROM log_block
                WHERE partition = $1 AND first_offset <= $2 AND first_offset + count > $2
            ) AS "held!"
            "#,
            PARTITION_ROW,
            to_db(offset)
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(held)
    }

    async fn first_offset(&self) -> Result<Option<u64>, LogError> {
        let first = sqlx::query_scalar!(
            "SELECT min(first_offset) FROM log_block WHERE partition = $1",
            PARTITION_ROW
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(first.map(from_db))
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    fn partitions(&self) -> u32 {
        1
    }

    async fn append(&self, records: &[Record]) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let frames = self.cut(records)?;
        let raw = frames.iter().map(Frames::len).sum();
        let blocks = off_thread(raw, move || Blocks::compress(frames)).await?;
        self.store(&blocks).await?;
        self.wake.appended();
        self.metrics.append.record(started.elapsed().as_secs_f64(), &[]);
        self.metrics.records.add(records.len() as u64, &[]);
        self.metrics.bytes.add(blocks.body.iter().map(|body| body.len() as u64).sum(), &[]);
        Ok(())
    }

    async fn read(&self, partition: u32, from: u64, limit: ReadLimit) -> Result<Vec<LogRecord>, LogError> {
        must_be_ours(partition)?;
        let rows = sqlx::query_file_as!(
            StoredBlock,
            "src/postgres/read.sql",
            PARTITION_ROW,
            to_db(from),
            i64::try_from(limit.records.max(1)).unwrap_or(i64::MAX),
            i64::try_from(limit.bytes.max(1)).unwrap_or(i64::MAX),
            READ_BLOCKS,
        )
        .fetch_all(&self.pool)
        .await?;
        let Some(first) = rows.first().map(|row| from_db(row.first_offset)) else {
            return self.nothing_at(from).await;
        };
        if first > from {
            return Err(LogError::Trimmed { partition, asked: from, first });
        }
        let raw = rows.iter().map(|row| usize::try_from(row.raw_bytes).unwrap_or(0)).sum();
        let records = off_thread(raw, move || open_blocks(&rows, from, limit)).await?;
        if records.is_empty() { self.nothing_at(from).await } else { Ok(records) }
    }

    async fn end_offset(&self, partition: u32) -> Result<u64, LogError> {
        must_be_ours(partition)?;
        let next =
            sqlx::query_scalar!("SELECT next_offset FROM log_head WHERE partition = $1", PARTITION_ROW)
                .fetch_one(&self.pool)
                .await?;
        Ok(from_db(next))
    }

    async fn wait(&self, partition: u32, from: u64, timeout: Duration) -> Result<bool, LogError> {
        must_be_ours(partition)?;
        let deadline = tokio::time::Instant::now() + timeout;
        self.wake.listen().await;
        loop {
            let appended = self.wake.subscribe();
            if self.end_offset(partition).await? > from {
                return Ok(true);
            }
            let now = tokio::time::Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            self.wake.next(appended, self.limits.poll.min(deadline - now)).await;
        }
    }
}

async fn off_thread<T, F>(bytes: usize, work: F) -> Result<T, LogError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, LogError> + Send + 'static,
{
    if bytes <= OFF_THREAD {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(LogError::Other(error.into())))
}

fn must_be_ours(partition: u32) -> Result<(), LogError> {
    if partition == PARTITION { Ok(()) } else { Err(LogError::NoPartition(partition)) }
}

#[cfg(test)]
mod tests;
