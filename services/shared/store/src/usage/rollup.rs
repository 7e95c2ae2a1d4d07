//! Sums of usage, grouped and filtered. Every number that anyone sees comes from here.

use super::dimension::{Dimension, Wanted, wanted_id, wanted_text};
use crate::time::{date_from_db, date_to_db, from_db};
use crate::{Store, StoreError};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use tallystick_domain::event::Outcome;
use tallystick_domain::period::DayRange;
use tallystick_domain::usage::Bucket;
use tallystick_domain::{ClientId, KeyId, MemberId, ProjectId, TeamId};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// What to add up.
#[derive(Clone, Debug)]
pub struct RollupQuery {
    pub team: TeamId,
    /// Billing days, half-open.
    pub days: DayRange,
    /// Whether they are the client's billing days; else the team's.
    pub client_days: bool,
    /// Groups; none gives one row.
    pub by: Vec<Dimension>,
    /// All must hold.
    pub filter: BTreeMap<Dimension, Wanted>,
}

/// The sums of a group. Signed, because a correction may take away more than a period has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupSums {
    pub requests: i64,
    pub failed: i64,
    pub retries: i64,
    /// Events whose cost is an estimate.
    pub estimated: i64,
    /// Events without a cost.
    pub unrated: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cost: Decimal,
    pub failed_cost: Decimal,
    pub retry_cost: Decimal,
    pub estimated_cost: Decimal,
}

impl RollupSums {
    /// Adds another group's sums; what leaves the range stays at its limit.
    pub fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failed = self.failed.saturating_add(other.failed);
        self.retries = self.retries.saturating_add(other.retries);
        self.estimated = self.estimated.saturating_add(other.estimated);
        self.unrated = self.unrated.saturating_add(other.unrated);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(other.cache_read_tokens);
        self.cost = self.cost.saturating_add(other.cost);
        self.failed_cost = self.failed_cost.saturating_add(other.failed_cost);
        self.retry_cost = self.retry_cost.saturating_add(other.retry_cost);
        self.estimated_cost = self.estimated_cost.saturating_add(other.estimated_cost);
    }
}

/// One group. Dimensions that were not asked for are `None`, and so are absent ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupRow {
    pub member: Option<(MemberId, String)>,
    pub project: Option<(ProjectId, String)>,
    pub client: Option<(ClientId, String)>,
    pub key: Option<(KeyId, String)>,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub tool: Option<String>,
    pub environment: Option<String>,
    pub task: Option<String>,
    pub day: Option<civil::Date>,
    pub hour: Option<Timestamp>,
    pub sums: RollupSums,
}

/// The last billing day (team's zone) on which a key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLastUsed {
    pub key: KeyId,
    pub day: civil::Date,
}

struct RawRow {
    member_id: Option<Uuid>,
    member: Option<String>,
    project_id: Option<Uuid>,
    project: Option<String>,
    client_id: Option<Uuid>,
    client: Option<String>,
    key_id: Option<Uuid>,
    key: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    tool: Option<String>,
    environment: Option<String>,
    task: Option<String>,
    day: Option<Date>,
    hour: Option<OffsetDateTime>,
    requests: i64,
    failed: i64,
    retries: i64,
    estimated: i64,
    unrated: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cost: Decimal,
    failed_cost: Decimal,
    retry_cost: Decimal,
    estimated_cost: Decimal,
}

impl From<RawRow> for RollupRow {
    fn from(raw: RawRow) -> Self {
        // An object whose row is gone is shown by its id.
        fn named<T>(
            id: Option<Uuid>,
            name: Option<String>,
            typed: impl Fn(Uuid) -> T,
        ) -> Option<(T, String)> {
            id.map(|id| (typed(id), name.unwrap_or_else(|| id.to_string())))
        }
        Self {
            member: named(raw.member_id, raw.member, MemberId::from_uuid),
            project: named(raw.project_id, raw.project, ProjectId::from_uuid),
            client: named(raw.client_id, raw.client, ClientId::from_uuid),
            key: named(raw.key_id, raw.key, KeyId::from_uuid),
            model: raw.model,
            provider: raw.provider,
            tool: raw.tool,
            environment: raw.environment,
            task: raw.task,
            day: raw.day.map(date_from_db),
            hour: raw.hour.map(from_db),
            sums: RollupSums {
                requests: raw.requests,
                failed: raw.failed,
                retries: raw.retries,
                estimated: raw.estimated,
                unrated: raw.unrated,
                input_tokens: raw.input_tokens,
                output_tokens: raw.output_tokens,
                cache_read_tokens: raw.cache_read_tokens,
                cost: raw.cost.normalize(),
                failed_cost: raw.failed_cost.normalize(),
                retry_cost: raw.retry_cost.normalize(),
                estimated_cost: raw.estimated_cost.normalize(),
            },
        }
    }
}

impl Store {
    /// Usage of a team, grouped: days and hours in order, then by cost, dearest first. Groups whose every sum is zero
    /// (taken back by corrections) are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_rollup(&self, query: &RollupQuery) -> Result<Vec<RollupRow>, StoreError> {
        let by_task = query.by.contains(&Dimension::Task) || query.filter.contains_key(&Dimension::Task);
        let raw = if by_task { self.rollup_events(query).await? } else { self.rollup_hourly(query).await? };
        let empty = RollupSums::default();
        Ok(raw.into_iter().map(RollupRow::from).filter(|row| row.sums != empty).collect())
    }

    async fn rollup_hourly(&self, query: &RollupQuery) -> Result<Vec<RawRow>, StoreError> {
        let (by, f) = (names(&query.by), &query.filter);
        Ok(sqlx::query_file_as!(
            RawRow,
            "src/usage/sql/rollup_hourly.sql",
            query.team.as_uuid(),
            date_to_db(query.days.from),
            date_to_db(query.days.to),
            query.client_days,
            &by,
            wanted_id(f, Dimension::Member),
            wanted_id(f, Dimension::Project),
            wanted_id(f, Dimension::Client),
            wanted_id(f, Dimension::Key),
            wanted_text(f, Dimension::Model),
            wanted_text(f, Dimension::Provider),
            wanted_text(f, Dimension::Tool),
            wanted_text(f, Dimension::Environment),
        )
        .fetch_all(&self.pool)
        .await?)
    }

    async fn rollup_events(&self, query: &RollupQuery) -> Result<Vec<RawRow>, StoreError> {
        let (by, f) = (names(&query.by), &query.filter);
        let failures = texts(Outcome::ALL.into_iter().filter(|o| o.is_failure()).map(Outcome::name));
        let input = texts(Bucket::ALL.into_iter().filter(|b| b.is_input_token()).map(Bucket::name));
        let output = texts(Bucket::ALL.into_iter().filter(|b| b.is_output_token()).map(Bucket::name));
        Ok(sqlx::query_file_as!(
            RawRow,
            "src/usage/sql/rollup_events.sql",
            query.team.as_uuid(),
            date_to_db(query.days.from),
            date_to_db(query.days.to),
            query.client_days,
            &by,
            wanted_id(f, Dimension::Member),
            wanted_id(f, Dimension::Project),
            wanted_id(f, Dimension::Client),
            wanted_id(f, Dimension::Key),
            wanted_text(f, Dimension::Model),
            wanted_text(f, Dimension::Provider),
            wanted_text(f, Dimension::Tool),
            wanted_text(f, Dimension::Environment),
            wanted_text(f, Dimension::Task),
            &failures,
            &input,
            &output,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// When each of a team's keys was last used; keys that never were are not listed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_keys_last_used(&self, team: TeamId) -> Result<Vec<KeyLastUsed>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT key_id AS "key_id!", max(team_day) AS "day!"
                 FROM usage_hourly
                WHERE team_id = $1 AND key_id IS NOT NULL AND requests > 0
                GROUP BY key_id"#,
            team.as_uuid()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| KeyLastUsed { key: KeyId::from_uuid(row.key_id), day: date_from_db(row.day) })
            .collect())
    }
}

fn names(by: &[Dimension]) -> Vec<String> {
    texts(by.iter().map(|dimension| dimension.as_str()))
}

fn texts<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words.map(str::to_owned).collect()
}
