//! `/audit`: who changed what.

use super::ApiState;
use super::auth::{Can, ViewAudit};
use super::error::{ApiError, ApiResult};
use super::paging::{List, Page, PageQuery, Params};
use axum::Json as Answer;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tallystick_store::control::{ControlEventRow, ObjectKind};
use uuid::Uuid;

/// One change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ChangeView {
    /// Position in the story of the instance.
    seq: i64,
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who made it.
    actor: String,
    /// What was changed: `key`, `client`, ...
    #[schema(value_type = String)]
    kind: ObjectKind,
    #[schema(value_type = String)]
    object: Uuid,
    /// What was done: `add`, `update`, `archive`, ...
    action: String,
    /// The object before, without secrets.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// The object after, without secrets.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<ControlEventRow> for ChangeView {
    fn from(row: ControlEventRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            kind: row.kind,
            object: row.object_id,
            action: row.action,
            before: row.before,
            after: row.after,
        }
    }
}

/// Which changes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangeFilter {
    /// Only changes of the object with this id.
    object: Option<String>,
}

/// Lists changes, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(PageQuery, ChangeFilter),
    responses((status = 200, body = List<ChangeView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<ViewAudit>,
    page: Page,
    Params(filter): Params<ChangeFilter>,
) -> ApiResult<Answer<List<ChangeView>>> {
    let object = filter
        .object
        .map(|id| Uuid::parse_str(&id).map_err(|_| ApiError::invalid("object is no id; take it from a list")))
        .transpose()?;
    let before = page.after()?;
    let rows = api
        .store
        .control_events(caller.team_id(), caller.token.operator, object, before, page.fetch())
        .await?;
    Ok(Answer(List::cut(rows, &page, |row| row.seq, ChangeView::from)))
}
