//! The append-only story of changes: written with each change, followed by proxies, read by auditors.

use super::model::{Actor, ObjectKind};
use super::row::{FromDb as _, row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;
use tallystick_domain::TeamId;
use time::OffsetDateTime;
use uuid::Uuid;

/// The channel that announces each change; the payload is its `seq`.
pub(super) const CHANNEL: &str = "tallystick_control";

/// One change, as a follower needs it: load the object by its id and put it in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlChange {
    /// Position; the follower's position plus one, or there is a gap and a new snapshot is due.
    pub seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The team; `None` where the whole instance is concerned.
    pub team: Option<TeamId>,
    /// What was changed.
    pub kind: ObjectKind,
    /// Its id.
    pub object_id: Uuid,
}

row! {
    /// One change with all that is kept of it.
    ControlEventRow / RawControlEvent {
        /// Position, dense from 1.
        seq: i64 = i64,
        /// When it was made.
        at: Timestamp = OffsetDateTime,
        /// Who made it.
        actor: String = String,
        /// The team; `None` where the whole instance is concerned.
        team_id: Option<TeamId> = Option<Uuid>,
        /// What was changed.
        kind: ObjectKind = String,
        /// Its id.
        object_id: Uuid = Uuid,
        /// What was done: `add`, `update`, `archive`, `revoke`, ...
        action: String = String,
        /// The object before, without secrets.
        before: Option<Value> = Option<Value>,
        /// The object after, without secrets.
        after: Option<Value> = Option<Value>,
    }
}

/// What a control event is made of, beside who and when.
pub(super) struct Entry<'a> {
    pub(super) team: Option<TeamId>,
    pub(super) kind: ObjectKind,
    pub(super) object_id: Uuid,
    pub(super) action: &'a str,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Takes the counter row: from here to the commit nobody else changes the control plane.
pub(super) async fn control_lock_in_tx(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query_scalar!("SELECT seq FROM control_head FOR UPDATE").fetch_one(tx).await?;
    Ok(())
}

/// Gives the change the next `seq`, writes it down and announces it with the commit.
pub(super) async fn control_record_in_tx(
    tx: &mut PgConnection,
    by: &Actor,
    entry: Entry<'_>,
) -> Result<i64, StoreError> {
    let seq = sqlx::query_scalar!("UPDATE control_head SET seq = seq + 1 RETURNING seq")
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO control_event (seq, at, actor, team_id, kind, object_id, action, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        seq,
        to_db(by.at),
        by.name,
        entry.team.map(|team| team.as_uuid()),
        entry.kind.as_str(),
        entry.object_id,
        entry.action,
        entry.before,
        entry.after,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, seq.to_string()).execute(&mut *tx).await?;
    Ok(seq)
}

impl Store {
    /// The newest `seq`; 0 before the first change.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_seq(&self) -> Result<u64, StoreError> {
        let seq = sqlx::query_scalar!("SELECT seq FROM control_head").fetch_one(&self.pool).await?;
        Ok(seq.unsigned_abs())
    }

    /// The changes behind `seq`, in order, at most `limit`. The first is `seq + 1`.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_changes_after(
        &self,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<ControlChange>, StoreError> {
        let found = sqlx::query!(
            "SELECT seq, at, team_id, kind, object_id FROM control_event WHERE seq > $1 ORDER BY seq LIMIT $2",
            i64::try_from(seq).unwrap_or(i64::MAX),
            i64::from(limit),
        )
        .fetch_all(&self.pool)
        .await?;
        found
            .into_iter()
            .map(|change| {
                Ok(ControlChange {
                    seq: change.seq.unsigned_abs(),
                    at: crate::time::from_db(change.at),
                    team: change.team_id.map(TeamId::from_uuid),
                    kind: ObjectKind::from_db(change.kind)?,
                    object_id: change.object_id,
                })
            })
            .collect()
    }

    /// The changes of one team, newest first: those before `before` (where given), about one object (where given).
    /// With `instance`, also those that concern all teams.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_events(
        &self,
        team: TeamId,
        instance: bool,
        object: Option<Uuid>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ControlEventRow>, StoreError> {
        let found = sqlx::query_as!(
            RawControlEvent,
            "SELECT *
             FROM control_event
             WHERE (team_id = $1 OR (team_id IS NULL AND $2))
               AND ($3::uuid IS NULL OR object_id = $3)
               AND ($4::bigint IS NULL OR seq < $4)
             ORDER BY seq DESC
             LIMIT $5",
            team.as_uuid(),
            instance,
            object,
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows(found)
    }
}
