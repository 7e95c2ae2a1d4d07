//! Single events as they stand, newest first, with what corrected them.

use super::dimension::{Dimension, Wanted, wanted_id, wanted_text};
use crate::time::{date_to_db, from_db, to_db};
use crate::{Store, StoreError};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use tallystick_domain::{EventId, TeamId};

/// Which events a list shows. What is `None` does not limit it.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// All must hold; `Day` and `Hour` are not looked at (see the bounds below).
    pub dimensions: BTreeMap<Dimension, Wanted>,
    /// Instants, half-open.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Billing days in the team's zone, half-open.
    pub from_day: Option<civil::Date>,
    pub to_day: Option<civil::Date>,
    pub status: Option<String>,
    pub outcome: Option<String>,
    /// Only events without a cost.
    pub unrated: bool,
}

/// The place of an event in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventKeyset {
    pub occurred_at: Timestamp,
    pub event_id: EventId,
}

/// A usage event and where it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingEvent {
    pub event_id: EventId,
    pub occurred_at: Timestamp,
    pub posted_at: Timestamp,
    /// As it came from the log.
    pub payload: Vec<u8>,
    /// Its latest adjustment, as it came from the log.
    pub head_payload: Option<Vec<u8>>,
    /// With all corrections; `None` while unrated.
    pub cost: Option<Decimal>,
    /// Whether a correction took it away altogether.
    pub voided: bool,
    /// Names of who pays now, where there are any.
    pub member: Option<String>,
    pub project: Option<String>,
    pub client: Option<String>,
    pub key: Option<String>,
}

/// One correction of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub event_id: EventId,
    pub payload: Vec<u8>,
    pub posted_at: Timestamp,
}

impl Store {
    /// A team's events, newest first, behind `after`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_events(
        &self,
        team: TeamId,
        filter: &EventFilter,
        after: Option<EventKeyset>,
        limit: i64,
    ) -> Result<Vec<StandingEvent>, StoreError> {
        self.events_where(team, filter, after, None, limit).await
    }

    /// One event of a team.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_event(&self, team: TeamId, id: EventId) -> Result<Option<StandingEvent>, StoreError> {
        Ok(self.events_where(team, &EventFilter::default(), None, Some(id), 1).await?.pop())
    }

    async fn events_where(
        &self,
        team: TeamId,
        filter: &EventFilter,
        after: Option<EventKeyset>,
        id: Option<EventId>,
        limit: i64,
    ) -> Result<Vec<StandingEvent>, StoreError> {
        let f = &filter.dimensions;
        let rows = sqlx::query_file!(
            "src/usage/sql/events_list.sql",
            team.as_uuid(),
            after.map(|at| to_db(at.occurred_at)),
            after.map(|at| at.event_id.as_uuid()),
            filter.from.map(to_db),
            filter.to.map(to_db),
            filter.from_day.map(date_to_db),
            filter.to_day.map(date_to_db),
            wanted_id(f, Dimension::Member),
            wanted_id(f, Dimension::Project),
            wanted_id(f, Dimension::Client),
            wanted_id(f, Dimension::Key),
            wanted_text(f, Dimension::Model),
            wanted_text(f, Dimension::Provider),
            wanted_text(f, Dimension::Tool),
            wanted_text(f, Dimension::Environment),
            wanted_text(f, Dimension::Task),
            filter.status,
            filter.outcome,
            filter.unrated,
            id.map(|id| id.as_uuid()),
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| StandingEvent {
                event_id: EventId::from_uuid(row.event_id),
                occurred_at: from_db(row.occurred_at),
                posted_at: from_db(row.posted_at),
                payload: row.payload,
                head_payload: row.head_payload,
                cost: row.cost.map(|cost| cost.normalize()),
                voided: row.voided,
                member: row.member,
                project: row.project,
                client: row.client,
                key: row.key,
            })
            .collect())
    }

    /// What corrected an event, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_adjustments(
        &self,
        team: TeamId,
        target: EventId,
    ) -> Result<Vec<Adjustment>, StoreError> {
        let rows = sqlx::query!(
            "SELECT event_id, payload, posted_at
               FROM usage_event
              WHERE team_id = $1 AND target_id = $2
              ORDER BY posted_at, log_offset",
            team.as_uuid(),
            target.as_uuid()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Adjustment {
                event_id: EventId::from_uuid(row.event_id),
                payload: row.payload,
                posted_at: from_db(row.posted_at),
            })
            .collect())
    }
}
