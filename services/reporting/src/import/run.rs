//! One import from body to inbox.

use super::admit::{Context, Refusal, admit};
use super::batch::{MediaKind, Sent, cut};
use crate::api::ApiState;
use crate::api::error::{ApiError, ApiResult};
use crate::directory::Directory;
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tallystick_domain::EventId;
use tallystick_domain::event::{Event, UsageRecorded};
use tallystick_runtime::Problem;
use tallystick_schemas::spooled;
use tallystick_store::control::TeamRow;
use tallystick_store::inbox::{InboxEntry, InboxOutcome};

/// What became of every event of a request.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct ImportReport {
    pub accepted: u64,
    pub duplicates: u64,
    pub invalid: u64,
    /// Accepted events for which no price is known: they count, and cost nothing until re-rated.
    pub unrated: u64,
    /// In the order of the body.
    pub results: Vec<ImportResult>,
}

/// What became of one event.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ImportResult {
    /// Line of the body, or place in the array, from 1.
    pub line: u64,
    pub status: ImportStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub event_id: Option<EventId>,
    /// What we rate it at; absent while unrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cost: Option<Decimal>,
    /// Why there is no cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrated: Option<&'static str>,
    /// `malformed`, `invalid`, `invalid_usage`, `unknown_attribution` or `conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether an event was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    Accepted,
    Duplicate,
    Invalid,
}

/// Imports a body of foreign events.
///
/// # Errors
/// When the body as a whole can not be read, or the inbox is full or away. A bad event is no error: see the report.
pub(crate) async fn import(
    api: &ApiState,
    team: &TeamRow,
    kind: MediaKind,
    body: String,
) -> ApiResult<ImportReport> {
    if api.store.inbox_backlog().await?.events >= api.config.inbox_pending_events {
        let detail = "too many events wait for the log; try again when it has caught up";
        return Err(Problem::not_ready(detail, Duration::from_secs(5)).into());
    }
    let context = Context {
        directory: Directory::load(&api.store, team).await?,
        book: api.inbox.books.of(&api.store, team).await?,
        producer: api.store.inbox_producer().await?,
        now: api.clock.now(),
    };
    let most = api.config.inbox_batch_events;
    let prepared = api.tasks.spawn_blocking("import", move || {
        let sent = cut(kind, &body, most)?;
        Ok::<_, ApiError>(sent.into_iter().map(|sent| prepare(&context, sent)).collect::<Vec<_>>())
    });
    let prepared = prepared.await.map_err(|error| Problem::internal(&error))??;
    let mut entries = Vec::with_capacity(prepared.len());
    let mut results = Vec::with_capacity(prepared.len());
    for (result, entry) in prepared {
        results.push((result, entry.is_some()));
        entries.extend(entry);
    }
    let mut outcomes = api.store.inbox_put(&entries).await?.into_iter();
    api.inbox.wake.notify_one();
    let mut report = ImportReport::default();
    for (result, was_put) in results {
        let outcome = if was_put { outcomes.next() } else { None };
        report.add(judged(result, outcome));
    }
    Ok(report)
}

impl ImportReport {
    fn add(&mut self, result: ImportResult) {
        match result.status {
            ImportStatus::Accepted => self.accepted += 1,
            ImportStatus::Duplicate => self.duplicates += 1,
            ImportStatus::Invalid => self.invalid += 1,
        }
        if result.status == ImportStatus::Accepted && result.unrated.is_some() {
            self.unrated += 1;
        }
        self.results.push(result);
    }
}

fn judged(mut result: ImportResult, outcome: Option<InboxOutcome>) -> ImportResult {
    match outcome {
        None | Some(InboxOutcome::Accepted) => {}
        Some(InboxOutcome::Duplicate) => result.status = ImportStatus::Duplicate,
        Some(InboxOutcome::Conflict) => {
            result.status = ImportStatus::Invalid;
            result.code = Some("conflict");
            result.reason =
                Some("an event with this source and id was taken in with another content".to_owned());
            (result.cost, result.unrated) = (None, None);
        }
    }
    result
}

fn prepare(context: &Context, sent: Sent) -> (ImportResult, Option<InboxEntry>) {
    let mut result = ImportResult {
        line: sent.place,
        status: ImportStatus::Invalid,
        source: None,
        id: None,
        event_id: None,
        cost: None,
        unrated: None,
        code: None,
        reason: None,
    };
    let event = match sent.event {
        Ok(event) => event,
        Err(reason) => {
            (result.code, result.reason) = (Some("malformed"), Some(reason));
            return (result, None);
        }
    };
    let clip = |text: &str| text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    (result.source, result.id) = (Some(clip(&event.source)), Some(clip(&event.id)));
    let packed = admit(context, &event).and_then(|ours| Ok((entry(context, &event, &ours)?, ours)));
    match packed {
        Ok((entry, ours)) => {
            result.status = ImportStatus::Accepted;
            result.event_id = Some(ours.event_id);
            result.cost = ours.cost;
            result.unrated = ours.unrated.as_ref().map(tallystick_domain::price::Unrated::code);
            (result, Some(entry))
        }
        Err(Refusal { code, reason }) => {
            (result.code, result.reason) = (Some(code), Some(reason));
            (result, None)
        }
    }
}

fn entry(context: &Context, sent: &super::ForeignEvent, ours: &UsageRecorded) -> Result<InboxEntry, Refusal> {
    let broken = |error: &dyn std::error::Error| Refusal { code: "invalid", reason: error.to_string() };
    let content = sent.canonical().map_err(|error| broken(&error))?;
    let frame =
        spooled::pack(&Event::Recorded(Box::new(ours.clone())), None).map_err(|error| broken(&error))?;
    Ok(InboxEntry {
        event_id: ours.event_id,
        team: Some(context.directory.team.id),
        lane: ours.lane,
        content_hash: Sha256::digest(content.as_bytes()).into(),
        recorded_at: ours.recorded_at,
        frame: frame.to_vec(),
    })
}
