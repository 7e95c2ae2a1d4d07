//! The figures that prove the ledger, and the stored events behind them. Read-only.

use super::cursor::to_hash;
use super::rollups::hourly_row_id;
use crate::time::from_db;
use crate::{Store, StoreError};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::HashMap;
use tallystick_domain::EventId;
use tallystick_domain::ledger::{Fold, HourlySums};
use uuid::Uuid;

/// Up to when answers are complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermark {
    /// Everything admitted before this moment is folded; `None` before anything was heard of.
    pub complete_until: Option<Timestamp>,
    /// When a producer last said something.
    pub last_heartbeat_at: Option<Timestamp>,
}

/// A stored event, as it came from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub event_id: EventId,
    /// Whether it is an adjustment.
    pub adjusted: bool,
    pub cost: Option<Decimal>,
    pub payload: Vec<u8>,
    pub posted_at: Timestamp,
}

/// One page of stored events, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<StoredEvent>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<EventId>,
}

/// One lane of one producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneFigure {
    pub producer: Uuid,
    pub lane: u8,
    pub last_seq: u64,
    pub received: u64,
}

/// The result of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub name: &'static str,
    /// Groups or rows compared.
    pub checked: u64,
    /// What differs, one line each, the first twenty.
    pub findings: Vec<String>,
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFigure {
    pub partition: u32,
    pub from: u64,
    pub to: u64,
    pub rolling_hash: [u8; 32],
}

impl Store {
    /// Stored events in the order of their ids, after `after`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_event_page(
        &self,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT event_id, target_id IS NOT NULL AS "adjusted!", cost, payload, posted_at
                 FROM usage_event WHERE $1::uuid IS NULL OR event_id > $1 ORDER BY event_id LIMIT $2"#,
            after.map(|id| id.as_uuid()),
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        let full = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
        let events: Vec<StoredEvent> = rows
            .into_iter()
            .map(|row| StoredEvent {
                event_id: EventId::from_uuid(row.event_id),
                adjusted: row.adjusted,
                cost: row.cost,
                payload: row.payload,
                posted_at: from_db(row.posted_at),
            })
            .collect();
        let next = if full { events.last().map(|event| event.event_id) } else { None };
        Ok(EventPage { events, next })
    }

    /// Every lane of every producer.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_lanes(&self) -> Result<Vec<LaneFigure>, StoreError> {
        let rows =
            sqlx::query!("SELECT producer_id, lane, last_seq, received FROM lane_progress ORDER BY 1, 2")
                .fetch_all(&self.pool)
                .await?;
        Ok(rows
            .into_iter()
            .map(|row| LaneFigure {
                producer: row.producer_id,
                lane: u8::try_from(row.lane).unwrap_or(u8::MAX),
                last_seq: row.last_seq.unsigned_abs(),
                received: row.received.unsigned_abs(),
            })
            .collect())
    }

    /// Every batch, by partition and offset.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_batches(&self) -> Result<Vec<BatchFigure>, StoreError> {
        let rows = sqlx::query!(
            "SELECT partition, from_offset, to_offset, rolling_hash FROM ledger_batch ORDER BY partition, from_offset"
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| BatchFigure {
                partition: row.partition.unsigned_abs(),
                from: row.from_offset.unsigned_abs(),
                to: row.to_offset.unsigned_abs(),
                rolling_hash: to_hash(&row.rolling_hash),
            })
            .collect())
    }

    /// Every comparison that the database can make by itself, each with how many groups it compared.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_comparisons(&self) -> Result<Vec<Comparison>, StoreError> {
        let pool = &self.pool;
        let mut all = Vec::new();
        macro_rules! compare {
            ($name:literal, $file:literal) => {{
                let row = sqlx::query_file!($file).fetch_one(pool).await?;
                all.push(Comparison {
                    name: $name,
                    checked: row.checked.unsigned_abs(),
                    findings: row.findings,
                });
            }};
        }
        compare!("journals are zero-sum", "src/ledger/sql/check_journals.sql");
        compare!("books cross-foot", "src/ledger/sql/check_crossfoot.sql");
        compare!("rollups equal postings", "src/ledger/sql/check_rollups.sql");
        compare!("rollups equal events", "src/ledger/sql/check_events.sql");
        compare!("priced quantities equal rollups", "src/ledger/sql/check_priced.sql");
        Ok(all)
    }

    /// Compares a fold over all events with the stored hourly rollup, row by row: how many rows, and what differs.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_compare_fold(&self, fold: &Fold) -> Result<Comparison, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT lane, row_id, requests, failed, retries, estimated, unrated, input_tokens, output_tokens,
                      cache_read_tokens, cost, failed_cost, retry_cost, estimated_cost
                 FROM usage_hourly"#
        )
        .fetch_all(&self.pool)
        .await?;
        let mut stored: HashMap<(i16, Uuid), HourlySums> = HashMap::with_capacity(rows.len());
        for row in rows {
            let sums = HourlySums {
                requests: row.requests,
                failed: row.failed,
                retries: row.retries,
                estimated: row.estimated,
                unrated: row.unrated,
                input_tokens: row.input_tokens,
                output_tokens: row.output_tokens,
                cache_read_tokens: row.cache_read_tokens,
                cost: row.cost,
                failed_cost: row.failed_cost,
                retry_cost: row.retry_cost,
                estimated_cost: row.estimated_cost,
            };
            stored.insert((row.lane, row.row_id), sums);
        }
        let checked = u64::try_from(stored.len().max(fold.hourly.len())).unwrap_or(u64::MAX);
        let mut findings = Vec::new();
        for (key, sums) in &fold.hourly {
            let found = stored.remove(&(i16::from(key.lane.get()), hourly_row_id(key)));
            if found != Some(*sums) {
                findings.push(format!(
                    "hour {} of team {}, model {}: stored {found:?}, events say {sums:?}",
                    key.hour, key.team, key.model
                ));
            }
        }
        findings.extend(stored.iter().map(|((lane, row_id), sums)| {
            format!("row {row_id} of lane {lane} has no events behind it: {sums:?}")
        }));
        findings.truncate(FINDINGS);
        Ok(Comparison { name: "rollups equal a fold of all events", checked, findings })
    }
}

/// Findings that a comparison lists at most.
const FINDINGS: usize = 20;
