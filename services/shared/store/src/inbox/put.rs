//! Taking events in.

use crate::time::to_db;
use crate::{Store, StoreError};
use jiff::Timestamp;
use sqlx::PgConnection;
use std::collections::HashMap;
use tallystick_domain::{EventId, Lane, ProducerId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

/// An event for the log, without its number.
#[derive(Clone, Debug)]
pub struct InboxEntry {
    pub event_id: EventId,
    /// `None` for a statement of the inbox itself.
    pub team: Option<TeamId>,
    pub lane: Lane,
    /// SHA-256 over what was sent.
    pub content_hash: [u8; 32],
    pub recorded_at: Timestamp,
    /// The packed event.
    pub frame: Vec<u8>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxOutcome {
    /// It is new and will reach the log.
    Accepted,
    /// It was taken in before.
    Duplicate,
    /// Another content was taken in under its id.
    Conflict,
}

impl Store {
    /// Who the inbox is as a producer: the same for ever.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_producer(&self) -> Result<ProducerId, StoreError> {
        let id = sqlx::query_scalar!("SELECT producer_id FROM inbox_head").fetch_one(&self.pool).await?;
        Ok(ProducerId::from_uuid(id))
    }

    /// Takes entries in, in order, all in one transaction; says for each what became of it. An id that stands twice
    /// among the entries is judged like one that was there before.
    ///
    /// # Errors
    /// When the database is away or refuses the data; nothing was taken in then.
    pub async fn inbox_put(&self, entries: &[InboxEntry]) -> Result<Vec<InboxOutcome>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.run_tx("inbox.event.put", |tx| {
            Box::pin(async move {
                sqlx::query!("SELECT one FROM inbox_head FOR UPDATE").fetch_one(&mut **tx).await?;
                let mut known = known_in_tx(tx, entries).await?;
                let mut outcomes = Vec::with_capacity(entries.len());
                let mut fresh = Vec::new();
                for entry in entries {
                    let outcome = match known.get(&entry.event_id.as_uuid()) {
                        None => InboxOutcome::Accepted,
                        Some(hash) if hash[..] == entry.content_hash => InboxOutcome::Duplicate,
                        Some(_) => InboxOutcome::Conflict,
                    };
                    if outcome == InboxOutcome::Accepted {
                        known.insert(entry.event_id.as_uuid(), entry.content_hash.to_vec());
                        fresh.push(entry);
                    }
                    outcomes.push(outcome);
                }
                insert_in_tx(tx, &fresh).await?;
                Ok(outcomes)
            })
        })
        .await
    }
}

async fn known_in_tx(
    tx: &mut PgConnection,
    entries: &[InboxEntry],
) -> Result<HashMap<Uuid, Vec<u8>>, StoreError> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.event_id.as_uuid()).collect();
    let rows = sqlx::query!("SELECT event_id, content_hash FROM inbox WHERE event_id = ANY($1)", &ids)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, row.content_hash)).collect())
}

async fn insert_in_tx(tx: &mut PgConnection, fresh: &[&InboxEntry]) -> Result<(), StoreError> {
    if fresh.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!("SELECT lane, last_seq FROM inbox_lane").fetch_all(&mut *tx).await?;
    let mut last: HashMap<i16, i64> = rows.into_iter().map(|row| (row.lane, row.last_seq)).collect();
    let lane: Vec<i16> = fresh.iter().map(|entry| i16::from(entry.lane.get())).collect();
    let seq: Vec<i64> = lane
        .iter()
        .map(|lane| {
            let slot = last.entry(*lane).or_default();
            *slot += 1;
            *slot
        })
        .collect();
    let id: Vec<Uuid> = fresh.iter().map(|entry| entry.event_id.as_uuid()).collect();
    let team: Vec<Option<Uuid>> = fresh.iter().map(|entry| entry.team.map(|id| id.as_uuid())).collect();
    let hash: Vec<Vec<u8>> = fresh.iter().map(|entry| entry.content_hash.to_vec()).collect();
    let at: Vec<OffsetDateTime> = fresh.iter().map(|entry| to_db(entry.recorded_at)).collect();
    let frame: Vec<Vec<u8>> = fresh.iter().map(|entry| entry.frame.clone()).collect();
    sqlx::query!(
        "INSERT INTO inbox (event_id, team_id, lane, seq, content_hash, recorded_at, frame)
         SELECT *
           FROM UNNEST($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bytea[], $6::timestamptz[], $7::bytea[])",
        &id,
        &team as &[Option<Uuid>],
        &lane,
        &seq,
        &hash,
        &at,
        &frame
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE inbox_lane AS l SET last_seq = given.seq
           FROM (SELECT lane, max(seq) AS seq FROM UNNEST($1::smallint[], $2::bigint[]) AS new (lane, seq) GROUP BY lane)
             AS given
          WHERE l.lane = given.lane",
        &lane,
        &seq
    )
    .execute(tx)
    .await?;
    Ok(())
}
