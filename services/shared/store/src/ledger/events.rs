//! Event rows and the chains of adjustments.

use super::batch::offset;
use super::{LoggedEvent, NewDeadLetter};
use crate::StoreError;
use crate::time::{date_to_db, to_db};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use std::collections::HashSet;
use tallystick_domain::EventId;
use tallystick_domain::event::{Event, Position, UsageAdjusted};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// The columns of the event rows of a batch.
#[derive(Default)]
struct Columns {
    event_id: Vec<Uuid>,
    team_id: Vec<Uuid>,
    lane: Vec<i16>,
    producer_id: Vec<Uuid>,
    seq: Vec<i64>,
    log_offset: Vec<i64>,
    target_id: Vec<Option<Uuid>>,
    occurred_at: Vec<OffsetDateTime>,
    team_day: Vec<Date>,
    client_day: Vec<Date>,
    key_id: Vec<Option<Uuid>>,
    member_id: Vec<Option<Uuid>>,
    project_id: Vec<Option<Uuid>>,
    client_id: Vec<Option<Uuid>>,
    environment: Vec<Option<String>>,
    tool: Vec<Option<String>>,
    task: Vec<Option<String>>,
    request_id: Vec<String>,
    provider: Vec<String>,
    model: Vec<String>,
    status: Vec<String>,
    outcome: Vec<String>,
    cost: Vec<Option<Decimal>>,
    currency: Vec<String>,
    payload: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, logged: &LoggedEvent) -> Result<(), StoreError> {
        let at = logged.event.stream_position();
        let (team, target, request_id, task, cost, position) = match &logged.event {
            Event::Recorded(e) => {
                (e.team, None, e.request_id.clone(), e.task.clone(), e.cost, Position::from(&**e))
            }
            Event::Adjusted(e) => {
                let shown = e.after.as_ref().unwrap_or(&e.before).clone();
                (e.team, Some(e.target.as_uuid()), e.target.to_string(), None, cost_delta(e), shown)
            }
            Event::Refused(_) | Event::Heartbeat(_) => return Ok(()),
        };
        self.event_id.push(logged.event.id().as_uuid());
        self.team_id.push(team.as_uuid());
        self.lane.push(i16::from(at.lane.get()));
        self.producer_id.push(at.producer.as_uuid());
        self.seq.push(offset(at.seq)?);
        self.log_offset.push(offset(logged.log_offset)?);
        self.target_id.push(target);
        self.occurred_at.push(to_db(position.occurred_at));
        self.team_day.push(date_to_db(position.team_day));
        self.client_day.push(date_to_db(position.client_day));
        self.key_id.push(position.key.map(|id| id.as_uuid()));
        self.member_id.push(position.member.map(|id| id.as_uuid()));
        self.project_id.push(position.project.map(|id| id.as_uuid()));
        self.client_id.push(position.client.map(|id| id.as_uuid()));
        self.environment.push(position.environment);
        self.tool.push(position.tool);
        self.task.push(task);
        self.request_id.push(request_id);
        self.provider.push(position.provider);
        self.model.push(position.model);
        self.status.push(position.status.name().to_owned());
        self.outcome.push(position.outcome.name().to_owned());
        self.cost.push(cost);
        self.currency.push(position.currency.code().to_owned());
        self.payload.push(logged.payload.clone());
        Ok(())
    }
}

/// What an adjustment adds to the ledger; `None` when neither side has a cost.
fn cost_delta(event: &UsageAdjusted) -> Option<Decimal> {
    let after = event.after.as_ref().and_then(|position| position.cost);
    match (event.before.cost, after) {
        (None, None) => None,
        (before, after) => after.unwrap_or_default().checked_sub(before.unwrap_or_default()),
    }
}

/// What became of the usage events and adjustments of a batch.
#[derive(Default)]
pub(super) struct Inserted {
    /// Ids that were there before.
    pub(super) known: HashSet<EventId>,
    /// Adjustments whose head had moved, or never was: they are not inserted.
    pub(super) stale: HashSet<EventId>,
    /// The dead letters of the stale ones.
    pub(super) dead: Vec<NewDeadLetter>,
}

/// Inserts usage events, then links adjustments to the heads they supersede, in order, and inserts those that fit. An id
/// that stands twice in the batch is inserted once; the fold counts the second as a duplicate by itself.
pub(super) async fn events_insert_in_tx(
    tx: &mut PgConnection,
    partition: i32,
    logged: &[LoggedEvent],
) -> Result<Inserted, StoreError> {
    let mut once = HashSet::new();
    let (mut recorded, mut adjusted) = (Columns::default(), Vec::new());
    for event in logged.iter().filter(|event| once.insert(event.event.id())) {
        match &event.event {
            Event::Recorded(_) => recorded.push(event)?,
            Event::Adjusted(adjustment) => adjusted.push((event, adjustment)),
            Event::Refused(_) | Event::Heartbeat(_) => {}
        }
    }
    let mut inserted =
        Inserted { known: columns_insert_in_tx(tx, partition, &recorded).await?, ..Inserted::default() };
    let mut linked = Columns::default();
    for (event, adjustment) in adjusted {
        match adjustment_link_in_tx(tx, adjustment).await? {
            Link::New => linked.push(event)?,
            Link::Known => drop(inserted.known.insert(adjustment.event_id)),
            Link::Stale => {
                inserted.stale.insert(adjustment.event_id);
                let detail =
                    format!("{} is not the head of {} (any more)", adjustment.supersedes, adjustment.target);
                inserted.dead.push(NewDeadLetter::of_logged(event, "head_moved", detail));
            }
        }
    }
    columns_insert_in_tx(tx, partition, &linked).await?;
    Ok(inserted)
}

enum Link {
    New,
    Known,
    Stale,
}

async fn adjustment_link_in_tx(tx: &mut PgConnection, event: &UsageAdjusted) -> Result<Link, StoreError> {
    let id = event.event_id.as_uuid();
    let linked = sqlx::query_file!(
        "src/ledger/sql/adjustment_link.sql",
        event.supersedes.as_uuid(),
        id,
        event.target.as_uuid()
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if linked == 1 {
        return Ok(Link::New);
    }
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM usage_adjustment WHERE event_id = $1) AS "known!""#,
        id
    )
    .fetch_one(tx)
    .await?;
    Ok(if known { Link::Known } else { Link::Stale })
}

/// One statement for any number of rows; returns the ids that were there before.
async fn columns_insert_in_tx(
    tx: &mut PgConnection,
    partition: i32,
    columns: &Columns,
) -> Result<HashSet<EventId>, StoreError> {
    if columns.event_id.is_empty() {
        return Ok(HashSet::new());
    }
    let c = columns;
    let inserted = sqlx::query_file_scalar!(
        "src/ledger/sql/events_insert.sql",
        partition,
        &c.event_id,
        &c.team_id,
        &c.lane,
        &c.producer_id,
        &c.seq,
        &c.log_offset,
        &c.target_id as &[Option<Uuid>],
        &c.occurred_at,
        &c.team_day,
        &c.client_day,
        &c.key_id as &[Option<Uuid>],
        &c.member_id as &[Option<Uuid>],
        &c.project_id as &[Option<Uuid>],
        &c.client_id as &[Option<Uuid>],
        &c.environment as &[Option<String>],
        &c.tool as &[Option<String>],
        &c.task as &[Option<String>],
        &c.request_id,
        &c.provider,
        &c.model,
        &c.status,
        &c.outcome,
        &c.cost as &[Option<Decimal>],
        &c.currency,
        &c.payload
    )
    .fetch_all(tx)
    .await?;
    if inserted.len() == columns.event_id.len() {
        return Ok(HashSet::new());
    }
    let new: HashSet<Uuid> = inserted.into_iter().collect();
    Ok(columns.event_id.iter().filter(|id| !new.contains(id)).map(|id| EventId::from_uuid(*id)).collect())
}
