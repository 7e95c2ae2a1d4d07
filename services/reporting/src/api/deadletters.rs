//! `/deadletters`: records of the log that could not be folded, for the operator.

use super::ApiState;
use super::auth::{Can, ViewAudit};
use super::error::{ApiError, ApiResult};
use super::paging::{List, Page, PageQuery};
use axum::Json as Answer;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tallystick_store::ledger::DeadLetter;

/// One record that was put aside.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeadLetterView {
    id: i64,
    /// Where it stands in the log.
    partition: u32,
    log_offset: u64,
    lane: u8,
    /// `undecodable`, `unfoldable`, `refused_by_database` or `head_moved`.
    reason: String,
    detail: String,
    /// The record's headers, name and value.
    #[schema(value_type = Vec<Vec<String>>)]
    headers: Value,
    /// The record's bytes as text.
    payload: String,
    #[schema(value_type = String)]
    recorded_at: Timestamp,
    /// When it was folded after all.
    #[schema(value_type = Option<String>)]
    redriven_at: Option<Timestamp>,
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            partition: letter.partition,
            log_offset: letter.log_offset,
            lane: letter.lane,
            reason: letter.reason,
            detail: letter.detail,
            headers: letter.headers,
            payload: letter.payload,
            recorded_at: letter.recorded_at,
            redriven_at: letter.redriven_at,
        }
    }
}

/// Lists dead letters, newest first.
#[utoipa::path(get, path = "/deadletters", tag = "deadletters", params(PageQuery),
    responses((status = 200, body = List<DeadLetterView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<ViewAudit>,
    page: Page,
) -> ApiResult<Answer<List<DeadLetterView>>> {
    caller.require_operator("the dead letters")?;
    let fetch = u32::try_from(page.fetch()).unwrap_or(u32::MAX);
    let rows = api.store.dead_letter_list(page.after()?, fetch).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, DeadLetterView::from)))
}

/// One dead letter.
#[utoipa::path(get, path = "/deadletters/{id}", tag = "deadletters", params(("id" = i64, Path)),
    responses((status = 200, body = DeadLetterView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewAudit>,
    Path(id): Path<String>,
) -> ApiResult<Answer<DeadLetterView>> {
    caller.require_operator("the dead letters")?;
    let missing = || ApiError::not_found("dead letter", &id);
    let number: i64 = id.parse().map_err(|_| missing())?;
    let letter = api.store.dead_letter_get(number).await?.ok_or_else(missing)?;
    Ok(Answer(letter.into()))
}
