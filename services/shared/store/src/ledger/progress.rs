//! What each producer has sent: lanes, heartbeats, refusals.

use super::batch::{Batch, offset};
use super::{LoggedEvent, Watermark};
use crate::time::{date_to_db, from_db, to_db};
use crate::{Store, StoreError};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tallystick_domain::event::Event;
use tallystick_domain::{EventId, ProducerId};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Inserts refusals; returns the ids that were there before.
pub(super) async fn refusals_insert_in_tx(
    tx: &mut PgConnection,
    logged: &[LoggedEvent],
) -> Result<HashSet<EventId>, StoreError> {
    let refusals: Vec<_> = logged
        .iter()
        .filter_map(|record| if let Event::Refused(event) = &record.event { Some(event) } else { None })
        .collect();
    if refusals.is_empty() {
        return Ok(HashSet::new());
    }
    let id: Vec<Uuid> = refusals.iter().map(|e| e.event_id.as_uuid()).collect();
    let team: Vec<Uuid> = refusals.iter().map(|e| e.team.as_uuid()).collect();
    let lane: Vec<i16> = refusals.iter().map(|e| i16::from(e.lane.get())).collect();
    let key: Vec<Option<Uuid>> = refusals.iter().map(|e| e.key.map(|id| id.as_uuid())).collect();
    let at: Vec<OffsetDateTime> = refusals.iter().map(|e| to_db(e.occurred_at)).collect();
    let day: Vec<Date> = refusals.iter().map(|e| date_to_db(e.team_day)).collect();
    let reason: Vec<String> = refusals.iter().map(|e| e.reason.clone()).collect();
    let status: Vec<i16> = refusals.iter().map(|e| i16::try_from(e.http_status).unwrap_or(0)).collect();
    let model: Vec<Option<String>> = refusals.iter().map(|e| e.model.clone()).collect();
    let count = refusals.iter().map(|e| offset(e.count)).collect::<Result<Vec<i64>, _>>()?;
    let inserted = sqlx::query_scalar!(
        "INSERT INTO refused_event
           (event_id, team_id, lane, key_id, occurred_at, team_day, reason, http_status, model, count)
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::smallint[], $4::uuid[], $5::timestamptz[], $6::date[],
                              $7::text[], $8::smallint[], $9::text[], $10::bigint[])
             ON CONFLICT DO NOTHING
         RETURNING event_id",
        &id,
        &team,
        &lane,
        &key as &[Option<Uuid>],
        &at,
        &day,
        &reason,
        &status,
        &model as &[Option<String>],
        &count
    )
    .fetch_all(tx)
    .await?;
    let new: HashSet<Uuid> = inserted.into_iter().collect();
    Ok(id.into_iter().filter(|id| !new.contains(id)).map(EventId::from_uuid).collect())
}

/// The heartbeats of a batch that were taken in before: at or below the last one of their producer.
pub(super) async fn heartbeats_known_in_tx(
    tx: &mut PgConnection,
    logged: &[LoggedEvent],
) -> Result<HashSet<EventId>, StoreError> {
    let mut known = HashSet::new();
    for record in logged {
        let Event::Heartbeat(event) = &record.event else { continue };
        let seen = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM producer_progress
                    WHERE producer_id = $1 AND heartbeat_lane = $2 AND heartbeat_seq >= $3) AS "seen!""#,
            event.producer.as_uuid(),
            i16::from(event.lane.get()),
            offset(event.seq)?
        )
        .fetch_one(&mut *tx)
        .await?;
        if seen {
            known.insert(event.event_id);
        }
    }
    Ok(known)
}

/// Counts what each lane brought. A lane is dense while as many numbers came as its highest one says. A number counts
/// once: with a new event, or beyond the highest so far, because an event that was known can come again under a new
/// number (a crash between its settlement and the note that it was settled).
pub(super) async fn lanes_advance_in_tx(
    tx: &mut PgConnection,
    batch: &Batch,
    known: &HashSet<EventId>,
) -> Result<(), StoreError> {
    let reached = lanes_reached_in_tx(tx, batch, known).await?;
    let mut once = HashSet::new();
    let mut lanes: BTreeMap<(ProducerId, u8), (u64, u64)> = BTreeMap::new();
    let events = batch
        .events
        .iter()
        .map(|record| (record.event.stream_position(), known.contains(&record.event.id())));
    for (at, was_known) in events.chain(batch.dead_positions.iter().map(|at| (*at, false))) {
        let lane = (at.producer, at.lane.get());
        let counted_before = was_known && at.seq <= reached.get(&lane).copied().unwrap_or(0);
        if counted_before || !once.insert((lane, at.seq)) {
            continue;
        }
        let (last, received) = lanes.entry(lane).or_default();
        *last = (*last).max(at.seq);
        *received += 1;
    }
    if lanes.is_empty() {
        return Ok(());
    }
    let producer: Vec<Uuid> = lanes.keys().map(|(producer, _)| producer.as_uuid()).collect();
    let lane: Vec<i16> = lanes.keys().map(|(_, lane)| i16::from(*lane)).collect();
    let last = lanes.values().map(|(last, _)| offset(*last)).collect::<Result<Vec<i64>, _>>()?;
    let received = lanes.values().map(|(_, received)| offset(*received)).collect::<Result<Vec<i64>, _>>()?;
    sqlx::query!(
        "INSERT INTO lane_progress AS l (producer_id, lane, last_seq, received)
         SELECT * FROM UNNEST($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[])
             ON CONFLICT (producer_id, lane) DO UPDATE
            SET last_seq = greatest(l.last_seq, excluded.last_seq), received = l.received + excluded.received",
        &producer,
        &lane,
        &last,
        &received
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The highest number so far of the lanes in which known events came again; empty when none did.
async fn lanes_reached_in_tx(
    tx: &mut PgConnection,
    batch: &Batch,
    known: &HashSet<EventId>,
) -> Result<HashMap<(ProducerId, u8), u64>, StoreError> {
    let again = batch.events.iter().filter(|record| known.contains(&record.event.id()));
    let producers: BTreeSet<Uuid> =
        again.map(|record| record.event.stream_position().producer.as_uuid()).collect();
    if producers.is_empty() {
        return Ok(HashMap::new());
    }
    let producers: Vec<Uuid> = producers.into_iter().collect();
    let rows = sqlx::query!(
        "SELECT producer_id, lane, last_seq FROM lane_progress WHERE producer_id = ANY($1)",
        &producers
    )
    .fetch_all(tx)
    .await?;
    let lane = |number: i16| u8::try_from(number).unwrap_or(u8::MAX);
    Ok(rows
        .into_iter()
        .map(|row| ((ProducerId::from_uuid(row.producer_id), lane(row.lane)), row.last_seq.unsigned_abs()))
        .collect())
}

/// Takes in heartbeats. A statement counts only when every lane that it names is folded that far; else the earlier one
/// stands, because records are still missing.
pub(super) async fn heartbeats_upsert_in_tx(
    tx: &mut PgConnection,
    logged: &[LoggedEvent],
) -> Result<(), StoreError> {
    let mut latest = BTreeMap::new();
    for record in logged {
        if let Event::Heartbeat(event) = &record.event {
            latest.insert(event.producer, event);
        }
    }
    for event in latest.into_values() {
        let lane: Vec<i16> = event.last_seq.keys().map(|lane| i16::from(*lane)).collect();
        let seq = event.last_seq.values().map(|seq| offset(*seq)).collect::<Result<Vec<i64>, _>>()?;
        sqlx::query_file!(
            "src/ledger/sql/heartbeat_upsert.sql",
            event.producer.as_uuid(),
            i32::try_from(event.epoch).unwrap_or(i32::MAX),
            i16::from(event.lane.get()),
            offset(event.seq)?,
            to_db(event.occurred_at),
            to_db(event.complete_until()),
            event.closing,
            &lane,
            &seq
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

impl Store {
    /// Up to when the ledger is complete: the minimum over producers that have not closed. `None` before the first
    /// heartbeat of any.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ledger_watermark(&self) -> Result<Watermark, StoreError> {
        let row = sqlx::query!(
            r#"SELECT min(complete_until) FILTER (WHERE NOT closing) AS open,
                      max(complete_until) FILTER (WHERE closing) AS closed,
                      max(heartbeat_at) AS heartbeat_at
                 FROM producer_progress"#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Watermark {
            complete_until: row.open.or(row.closed).map(from_db),
            last_heartbeat_at: row.heartbeat_at.map(from_db),
        })
    }
}
