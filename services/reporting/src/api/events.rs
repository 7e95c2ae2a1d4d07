//! `/events`: single events as they stand, and the import of foreign ones.

use super::ApiState;
use super::auth::{Can, ManageUsage, ViewUsage};
use super::error::{ApiError, ApiResult};
use super::extract::whole_body;
use super::paging::{List, Page, PageQuery, Params};
use super::usage::filter;
use crate::directory::Directory;
use crate::import::{ForeignEvent, ImportReport, MediaKind, import};
use crate::standing::{Standing, adjusted};
use crate::usage::day;
use axum::Json as Answer;
use axum::extract::{Path, Request, State};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tallystick_domain::event::{Outcome, Position, Status};
use tallystick_domain::{EventId, TeamId};
use tallystick_runtime::Problem;
use tallystick_store::usage::{EventFilter, EventKeyset, StandingEvent};

/// Which events to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParams {
    key: Option<String>,
    member: Option<String>,
    project: Option<String>,
    client: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    tool: Option<String>,
    environment: Option<String>,
    task: Option<String>,
    /// `final`, `estimated`, `voided` or `unrated`.
    status: Option<String>,
    outcome: Option<String>,
    /// First day in the team's zone, or an instant (RFC 3339).
    from: Option<String>,
    /// The day after the last, or an instant.
    to: Option<String>,
}

/// An event: the fields as they were recorded, and where it stands now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EventView {
    /// As it was recorded; see the schema of `tallystick.usage.recorded.v1`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    event: serde_json::Map<String, Value>,
    /// When it was folded into the ledger.
    #[schema(value_type = String, format = DateTime)]
    posted_at: Timestamp,
    /// Names of who pays now.
    #[schema(value_type = Object)]
    names: Value,
    /// Where corrections left it; absent without any, null once it was voided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    current: Option<Option<Position>>,
    /// What corrected it, oldest first; only when one event is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    adjustments: Option<Vec<Value>>,
}

/// Lists events, newest first, by who pays for them now.
#[utoipa::path(get, path = "/events", tag = "events", params(PageQuery, EventParams),
    responses((status = 200, body = List<EventView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<ViewUsage>,
    page: Page,
    Params(params): Params<EventParams>,
) -> ApiResult<Answer<List<EventView>>> {
    let directory = Directory::load(&api.store, &caller.team).await?;
    let filter = event_filter(&directory, &params)?;
    let rows = api.store.usage_events(caller.team_id(), &filter, page.after()?, page.fetch()).await?;
    let key = |row: &StandingEvent| EventKeyset { occurred_at: row.occurred_at, event_id: row.event_id };
    let List { data, has_more, next_cursor } = List::cut(rows, &page, key, |row| view(&row));
    Ok(Answer(List { data: data.into_iter().collect::<ApiResult<_>>()?, has_more, next_cursor }))
}

/// Shows an event with everything that corrected it.
#[utoipa::path(get, path = "/events/{event}", tag = "events", params(("event" = String, Path, description = "Id")),
    responses((status = 200, body = EventView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewUsage>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<EventView>> {
    let missing = || ApiError::not_found("event", &reference);
    let id: EventId = reference.parse().map_err(|_| missing())?;
    let event = api.store.usage_event(caller.team_id(), id).await?.ok_or_else(missing)?;
    let mut shown = view(&event)?;
    shown.adjustments = Some(adjustments(&api, caller.team_id(), id).await?);
    Ok(Answer(shown))
}

/// Takes in foreign events: one, an array, JSON lines or a CloudEvents batch. Each is answered by itself; a bad one never
/// stops its neighbours. They draw on no budget.
#[utoipa::path(post, path = "/events", tag = "events",
    request_body(content((ForeignEvent = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 200, body = ImportReport)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageUsage>,
    request: Request,
) -> ApiResult<Answer<ImportReport>> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body = whole_body(request, &api, api.config.inbox_body_bytes).await?;
    let body = String::from_utf8(body.into()).map_err(|error| {
        ApiError::invalid(format!("the body is not UTF-8 from byte {}", error.utf8_error().valid_up_to()))
    })?;
    let kind = MediaKind::of(&kind, &body);
    Ok(Answer(import(&api, &caller.team, kind, body).await?))
}

fn event_filter(directory: &Directory, params: &EventParams) -> ApiResult<EventFilter> {
    let dimensions = [
        ("key", &params.key),
        ("member", &params.member),
        ("project", &params.project),
        ("client", &params.client),
        ("model", &params.model),
        ("provider", &params.provider),
        ("tool", &params.tool),
        ("environment", &params.environment),
        ("task", &params.task),
    ];
    let given = dimensions.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let mut wanted = EventFilter { dimensions: filter(directory, given)?, ..EventFilter::default() };
    match params.status.as_deref() {
        None => {}
        Some("unrated") => wanted.unrated = true,
        Some(status)
            if [Status::Final, Status::Estimated, Status::Voided].iter().any(|s| s.name() == status) =>
        {
            wanted.status = Some(status.to_owned());
        }
        Some(_) => return Err(ApiError::invalid("status is final, estimated, voided or unrated")),
    }
    if let Some(outcome) = &params.outcome {
        if !Outcome::ALL.iter().any(|known| known.name() == outcome) {
            let names: Vec<&str> = Outcome::ALL.iter().map(|known| known.name()).collect();
            return Err(ApiError::invalid(format!("outcome is one of {}", names.join(", "))));
        }
        wanted.outcome = Some(outcome.clone());
    }
    if let Some(from) = &params.from {
        match from.parse::<Timestamp>() {
            Ok(instant) => wanted.from = Some(instant),
            Err(_) => wanted.from_day = Some(day(from)?),
        }
    }
    if let Some(to) = &params.to {
        match to.parse::<Timestamp>() {
            Ok(instant) => wanted.to = Some(instant),
            Err(_) => wanted.to_day = Some(day(to)?),
        }
    }
    Ok(wanted)
}

fn view(row: &StandingEvent) -> ApiResult<EventView> {
    let standing = Standing::of(row).map_err(|error| Problem::internal(&error))?;
    let event = serde_json::from_slice(&row.payload).map_err(|error| Problem::internal(&error))?;
    Ok(EventView {
        event,
        posted_at: row.posted_at,
        names: json!({ "key": row.key, "member": row.member, "project": row.project, "client": row.client }),
        current: row.head_payload.as_ref().map(|_| standing.position),
        adjustments: None,
    })
}

async fn adjustments(api: &ApiState, team: TeamId, id: EventId) -> ApiResult<Vec<Value>> {
    let mut shown = Vec::new();
    for row in api.store.usage_adjustments(team, id).await? {
        // Read once as what it must be, shown as it is stored.
        adjusted(row.event_id, &row.payload).map_err(|error| Problem::internal(&error))?;
        let mut value: Value =
            serde_json::from_slice(&row.payload).map_err(|error| Problem::internal(&error))?;
        value["posted_at"] = json!(row.posted_at);
        shown.push(value);
    }
    Ok(shown)
}
