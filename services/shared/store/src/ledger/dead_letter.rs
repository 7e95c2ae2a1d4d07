//! Records that could not be folded: kept whole, with where they stand and why.

use super::cursor::{Claim, to_db_partition};
use super::{LoggedEvent, batch::offset};
use crate::time::from_db;
use crate::{Store, StoreError};
use jiff::Timestamp;
use sqlx::PgConnection;

/// A record on its way to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeadLetter {
    pub log_offset: u64,
    pub lane: u8,
    /// Stable code: `undecodable`, `unfoldable`, `refused_by_database`, `head_moved`.
    pub reason: String,
    /// For people.
    pub detail: String,
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
}

/// A dead letter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeadLetter {
    pub id: i64,
    pub partition: u32,
    pub log_offset: u64,
    pub lane: u8,
    pub reason: String,
    pub detail: String,
    pub headers: serde_json::Value,
    /// The record's bytes, as text where they are text.
    pub payload: String,
    pub recorded_at: Timestamp,
    pub redriven_at: Option<Timestamp>,
}

impl NewDeadLetter {
    /// The dead letter of an event that decoded; its headers are told by its type alone.
    #[must_use]
    pub fn of_logged(logged: &LoggedEvent, reason: &str, detail: String) -> Self {
        Self {
            log_offset: logged.log_offset,
            lane: logged.event.stream_position().lane.get(),
            reason: reason.to_owned(),
            detail,
            headers: logged.headers.clone(),
            payload: logged.payload.to_vec(),
        }
    }
}

pub(super) async fn dead_letters_insert_in_tx(
    tx: &mut PgConnection,
    claim: &Claim,
    letters: &[NewDeadLetter],
) -> Result<(), StoreError> {
    for letter in letters {
        sqlx::query!(
            "INSERT INTO dead_letter (projection, partition, log_offset, lane, reason, detail, headers, payload)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT DO NOTHING",
            claim.projection,
            to_db_partition(claim.partition)?,
            offset(letter.log_offset)?,
            i16::from(letter.lane),
            letter.reason,
            storable(&letter.detail),
            storable_headers(&letter.headers),
            letter.payload
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Text columns take no NUL; a dead letter must always be writable.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn storable_headers(headers: &[(String, String)]) -> serde_json::Value {
    headers.iter().map(|(name, value)| serde_json::json!([storable(name), storable(value)])).collect()
}

impl Store {
    /// Dead letters, newest first, below `before` when given; at most `limit`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn dead_letter_list(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT dead_letter_id, partition, log_offset, lane, reason, detail, headers, payload, recorded_at, redriven_at
               FROM dead_letter WHERE dead_letter_id < $1 ORDER BY dead_letter_id DESC LIMIT $2",
            before.unwrap_or(i64::MAX),
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(DeadLetter::from).collect())
    }

    /// One dead letter.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn dead_letter_get(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "SELECT dead_letter_id, partition, log_offset, lane, reason, detail, headers, payload, recorded_at, redriven_at
               FROM dead_letter WHERE dead_letter_id = $1",
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(DeadLetter::from))
    }

    /// How many dead letters wait to be re-driven.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn dead_letter_open_count(&self) -> Result<u64, StoreError> {
        let count =
            sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM dead_letter WHERE redriven_at IS NULL"#)
                .fetch_one(&self.pool)
                .await?;
        Ok(count.unsigned_abs())
    }
}

struct Row {
    dead_letter_id: i64,
    partition: i32,
    log_offset: i64,
    lane: i16,
    reason: String,
    detail: String,
    headers: serde_json::Value,
    payload: Vec<u8>,
    recorded_at: time::OffsetDateTime,
    redriven_at: Option<time::OffsetDateTime>,
}

impl From<Row> for DeadLetter {
    fn from(row: Row) -> Self {
        Self {
            id: row.dead_letter_id,
            partition: row.partition.unsigned_abs(),
            log_offset: row.log_offset.unsigned_abs(),
            lane: u8::try_from(row.lane).unwrap_or(u8::MAX),
            reason: row.reason,
            detail: row.detail,
            headers: row.headers,
            payload: String::from_utf8_lossy(&row.payload).into_owned(),
            recorded_at: from_db(row.recorded_at),
            redriven_at: row.redriven_at.map(from_db),
        }
    }
}
