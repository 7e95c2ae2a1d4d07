//! Event rows and the chains of adjustments.

use super::batch::offset;
use super::copy::{CopyRow, copy_in};
use super::{LoggedEvent, NewDeadLetter};
use crate::StoreError;
use crate::time::{date_to_db, to_db};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use sqlx::{Connection as _, PgConnection};
use std::borrow::Cow;
use std::collections::HashSet;
use tallystick_domain::event::{Event, Outcome, Status, UsageAdjusted, UsageRecorded};
use tallystick_domain::{ClientId, Currency, EventId, KeyId, MemberId, ProjectId, TeamId};
use uuid::Uuid;

const UNIQUE_VIOLATION: &str = "23505";
/// How many columns `events_copy.sql` names.
const COLUMNS: i16 = 26;

/// What the event row shows of an event, borrowed from either kind.
struct Shown<'a> {
    team: TeamId,
    target: Option<EventId>,
    occurred_at: Timestamp,
    days: [civil::Date; 2],
    key: Option<KeyId>,
    member: Option<MemberId>,
    project: Option<ProjectId>,
    client: Option<ClientId>,
    environment: Option<&'a str>,
    tool: Option<&'a str>,
    task: Option<&'a str>,
    request_id: Cow<'a, str>,
    provider: &'a str,
    model: &'a str,
    status: Status,
    outcome: Outcome,
    cost: Option<Decimal>,
    currency: Currency,
}

impl<'a> Shown<'a> {
    fn of_recorded(e: &'a UsageRecorded) -> Self {
        Self {
            team: e.team,
            target: None,
            occurred_at: e.occurred_at,
            days: [e.team_day, e.client_day],
            key: e.key,
            member: e.member,
            project: e.project,
            client: e.client,
            environment: e.environment.as_deref(),
            tool: e.tool.as_deref(),
            task: e.task.as_deref(),
            request_id: Cow::Borrowed(&e.request_id),
            provider: &e.provider,
            model: e.model(),
            status: e.status,
            outcome: e.outcome,
            cost: e.cost,
            currency: e.currency,
        }
    }

    fn of_adjusted(e: &'a UsageAdjusted) -> Self {
        let position = e.after.as_ref().unwrap_or(&e.before);
        Self {
            team: e.team,
            target: Some(e.target),
            occurred_at: position.occurred_at,
            days: [position.team_day, position.client_day],
            key: position.key,
            member: position.member,
            project: position.project,
            client: position.client,
            environment: position.environment.as_deref(),
            tool: position.tool.as_deref(),
            task: None,
            request_id: Cow::Owned(e.target.to_string()),
            provider: &position.provider,
            model: &position.model,
            status: position.status,
            outcome: position.outcome,
            cost: cost_delta(e),
            currency: position.currency,
        }
    }
}

/// Writes an event's row, in the order of `events_copy.sql`.
fn row_fill(row: &mut CopyRow<'_>, partition: i32, logged: &LoggedEvent) -> Result<(), StoreError> {
    let shown = match &logged.event {
        Event::Recorded(event) => Shown::of_recorded(event),
        Event::Adjusted(event) => Shown::of_adjusted(event),
        Event::Refused(_) | Event::Heartbeat(_) => {
            return Err(StoreError::conflict(format!("{} has no event row", logged.event.id())));
        }
    };
    let at = logged.event.stream_position();
    row.value(logged.event.id().as_uuid())?;
    row.value(shown.team.as_uuid())?;
    row.value(i16::from(at.lane.get()))?;
    row.value(at.producer.as_uuid())?;
    row.value(offset(at.seq)?)?;
    row.value(partition)?;
    row.value(offset(logged.log_offset)?)?;
    row.value(shown.target.map(|id| id.as_uuid()))?;
    row.value(to_db(shown.occurred_at))?;
    row.value(date_to_db(shown.days[0]))?;
    row.value(date_to_db(shown.days[1]))?;
    row.value(shown.key.map(|id| id.as_uuid()))?;
    row.value(shown.member.map(|id| id.as_uuid()))?;
    row.value(shown.project.map(|id| id.as_uuid()))?;
    row.value(shown.client.map(|id| id.as_uuid()))?;
    row.value(shown.environment)?;
    row.value(shown.tool)?;
    row.value(shown.task)?;
    row.value(&*shown.request_id)?;
    row.value(shown.provider)?;
    row.value(shown.model)?;
    row.value(shown.status.name())?;
    row.value(shown.outcome.name())?;
    row.value(shown.cost)?;
    row.value(shown.currency.code())?;
    row.value(&logged.payload[..])
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
    let (mut recorded, mut adjusted) = (Vec::new(), Vec::new());
    for event in logged.iter().filter(|event| once.insert(event.event.id())) {
        match &event.event {
            Event::Recorded(_) => recorded.push(event),
            Event::Adjusted(adjustment) => adjusted.push((event, adjustment)),
            Event::Refused(_) | Event::Heartbeat(_) => {}
        }
    }
    let mut inserted =
        Inserted { known: rows_insert_in_tx(tx, partition, &recorded).await?, ..Inserted::default() };
    let mut linked = Vec::new();
    for (event, adjustment) in adjusted {
        match adjustment_link_in_tx(tx, adjustment).await? {
            Link::New => linked.push(event),
            Link::Known => drop(inserted.known.insert(adjustment.event_id)),
            Link::Stale => {
                inserted.stale.insert(adjustment.event_id);
                let detail =
                    format!("{} is not the head of {} (any more)", adjustment.supersedes, adjustment.target);
                inserted.dead.push(NewDeadLetter::of_logged(event, "head_moved", detail));
            }
        }
    }
    rows_insert_in_tx(tx, partition, &linked).await?;
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

/// Inserts the rows whose ids are new; returns the ids that were there before.
///
/// Duplicates are rare, so the rows are copied in as if there were none. Where the unique index objects, only that
/// attempt is undone, the known ids are looked up, and the rest is copied.
async fn rows_insert_in_tx(
    tx: &mut PgConnection,
    partition: i32,
    events: &[&LoggedEvent],
) -> Result<HashSet<EventId>, StoreError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let mut attempt = tx.begin().await?;
    match rows_copy_in_tx(&mut attempt, partition, events).await {
        Ok(()) => {
            attempt.commit().await?;
            Ok(HashSet::new())
        }
        Err(StoreError::Data { code, .. }) if code == UNIQUE_VIOLATION => {
            attempt.rollback().await?;
            let known = known_ids(tx, events).await?;
            let new: Vec<&LoggedEvent> =
                events.iter().copied().filter(|logged| !known.contains(&logged.event.id())).collect();
            rows_copy_in_tx(tx, partition, &new).await?;
            Ok(known)
        }
        Err(error) => Err(error),
    }
}

async fn rows_copy_in_tx(
    tx: &mut PgConnection,
    partition: i32,
    events: &[&LoggedEvent],
) -> Result<(), StoreError> {
    let statement = include_str!("sql/events_copy.sql");
    let taken =
        copy_in(tx, statement, COLUMNS, events, |row, logged| row_fill(row, partition, logged)).await?;
    if taken == events.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::conflict(format!("the database took {taken} of {} events", events.len())))
    }
}

async fn known_ids(tx: &mut PgConnection, events: &[&LoggedEvent]) -> Result<HashSet<EventId>, StoreError> {
    let ids: Vec<Uuid> = events.iter().map(|logged| logged.event.id().as_uuid()).collect();
    let known = sqlx::query_scalar!("SELECT event_id FROM usage_event WHERE event_id = ANY($1)", &ids);
    Ok(known.fetch_all(tx).await?.into_iter().map(EventId::from_uuid).collect())
}
