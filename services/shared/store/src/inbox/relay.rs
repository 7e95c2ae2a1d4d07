//! Shipping: what waits for the log, who ships it, and what was shipped.

use crate::time::from_db;
use crate::{Store, StoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tallystick_domain::{EventId, Lane};
use uuid::Uuid;

/// An event that the log has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnshippedEvent {
    pub event_id: EventId,
    pub lane: Lane,
    pub seq: u64,
    pub recorded_at: Timestamp,
    /// The packed event.
    pub frame: Vec<u8>,
}

/// How much waits for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxBacklog {
    pub events: u64,
}

impl Store {
    /// Takes or prolongs the lease on shipping; `false` while another process holds it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_relay_claim(&self, owner: Uuid, lease: Duration) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE inbox_relay SET owner = $1, lease_until = now() + make_interval(secs => $2)
              WHERE owner IS NULL OR owner = $1 OR lease_until < now()",
            owner,
            lease.as_secs_f64()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_relay_release(&self, owner: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE inbox_relay SET owner = NULL, lease_until = '-infinity' WHERE owner = $1",
            owner
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What waits for the log, lane by lane in the order of numbers, at most `limit` events.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_unshipped(&self, limit: u32) -> Result<Vec<UnshippedEvent>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT i.event_id AS "event_id!", l.lane AS "lane!", i.seq AS "seq!", i.recorded_at AS "recorded_at!",
                      i.frame AS "frame!"
                 FROM inbox_lane AS l
                CROSS JOIN LATERAL (
                      SELECT * FROM inbox AS waiting
                       WHERE waiting.lane = l.lane AND waiting.seq > l.shipped_seq
                       ORDER BY waiting.seq
                       LIMIT $1) AS i
                WHERE l.last_seq > l.shipped_seq
                ORDER BY l.lane, i.seq
                LIMIT $1"#,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let lane = u8::try_from(row.lane).ok().and_then(Lane::new);
                Ok(UnshippedEvent {
                    event_id: EventId::from_uuid(row.event_id),
                    lane: lane
                        .ok_or_else(|| StoreError::conflict(format!("lane {} does not exist", row.lane)))?,
                    seq: row.seq.unsigned_abs(),
                    recorded_at: from_db(row.recorded_at),
                    frame: row.frame,
                })
            })
            .collect()
    }

    /// Notes that the log has everything up to these numbers.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_shipped(&self, up_to: &BTreeMap<Lane, u64>) -> Result<(), StoreError> {
        let lane: Vec<i16> = up_to.keys().map(|lane| i16::from(lane.get())).collect();
        let seq: Vec<i64> = up_to.values().map(|seq| i64::try_from(*seq).unwrap_or(i64::MAX)).collect();
        sqlx::query!(
            "UPDATE inbox_lane AS l SET shipped_seq = greatest(l.shipped_seq, done.seq)
               FROM UNNEST($1::smallint[], $2::bigint[]) AS done (lane, seq)
              WHERE l.lane = done.lane",
            &lane,
            &seq
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How much waits for the log.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_backlog(&self) -> Result<InboxBacklog, StoreError> {
        let events = sqlx::query_scalar!(
            r#"SELECT coalesce(sum(last_seq - shipped_seq), 0)::bigint AS "events!" FROM inbox_lane"#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(InboxBacklog { events: events.unsigned_abs() })
    }

    /// The last number given out per lane; lanes without any are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn inbox_last_seqs(&self) -> Result<BTreeMap<u8, u64>, StoreError> {
        let rows = sqlx::query!("SELECT lane, last_seq FROM inbox_lane WHERE last_seq > 0")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((u8::try_from(row.lane).ok()?, row.last_seq.unsigned_abs())))
            .collect())
    }
}
