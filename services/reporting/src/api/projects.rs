//! `/projects`: what the team works on.

use super::ApiState;
use super::auth::{Can, ManageClients, View};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, name};
use super::given;
use super::paging::{List, Page, PageQuery, Params};
use super::references::{NameFilter, find, live_client, live_project};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::{ClientId, ProjectId};
use tallystick_store::control::ProjectRow;

/// A project.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProjectView {
    #[schema(value_type = String)]
    id: ProjectId,
    name: String,
    /// Id of the client that it is done for.
    #[schema(value_type = Option<String>)]
    client: Option<ClientId>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    archived_at: Option<Timestamp>,
}

impl From<ProjectRow> for ProjectView {
    fn from(row: ProjectRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            client: row.client_id,
            created_at: row.created_at,
            archived_at: row.archived_at,
        }
    }
}

/// A new project.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProject {
    name: String,
    /// Id or name of the client that it is done for.
    client: Option<String>,
}

/// What to change; what is absent stays, null clears.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectPatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    client: Option<Option<String>>,
}

/// Lists projects.
#[utoipa::path(get, path = "/projects", tag = "projects", params(PageQuery, NameFilter),
    responses((status = 200, body = List<ProjectView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<NameFilter>,
) -> ApiResult<Answer<List<ProjectView>>> {
    let rows = api.store.control_list::<ProjectRow>(caller.team_id(), &filter.of(&page)?).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, ProjectView::from)))
}

/// Adds a project.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = NewProject,
    responses((status = 201, body = ProjectView)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Json(body): Json<NewProject>,
) -> ApiResult<(StatusCode, Answer<ProjectView>)> {
    let client_id = client_named(&api, &caller, body.client.as_deref()).await?;
    let actor = caller.actor(&api);
    let row = ProjectRow {
        team_id: caller.team_id(),
        id: api.ids.typed(ProjectId::from_uuid),
        name: name("name", &body.name)?,
        client_id,
        created_at: actor.at,
        archived_at: None,
    };
    api.store.control_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(row.into())))
}

/// Shows a project.
#[utoipa::path(get, path = "/projects/{project}", tag = "projects", params(("project" = String, Path, description = "Id or name")),
    responses((status = 200, body = ProjectView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ProjectView>> {
    Ok(Answer(find::<ProjectRow>(&api, caller.team_id(), &reference).await?.into()))
}

/// Changes a project.
#[utoipa::path(patch, path = "/projects/{project}", tag = "projects", params(("project" = String, Path, description = "Id or name")),
    request_body = ProjectPatch, responses((status = 200, body = ProjectView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Path(reference): Path<String>,
    Json(patch): Json<ProjectPatch>,
) -> ApiResult<Answer<ProjectView>> {
    let new_name = patch.name.as_deref().map(|text| name("name", text)).transpose()?;
    let client = match &patch.client {
        Some(client) => Some(client_named(&api, &caller, client.as_deref()).await?),
        None => None,
    };
    let id = live_project(&api, caller.team_id(), &reference).await?.id.to_string();
    let edited = api
        .store
        .control_edit::<ProjectRow, _>(&caller.actor(&api), caller.team_id(), &id, "update", |project| {
            if let Some(new_name) = &new_name {
                project.name.clone_from(new_name);
            }
            project.client_id = client.unwrap_or(project.client_id);
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("project", &reference))
}

/// Archives a project: it can no longer be named; what was booked to it stays.
#[utoipa::path(post, path = "/projects/{project}/archive", tag = "projects", params(("project" = String, Path, description = "Id or name")),
    responses((status = 200, body = ProjectView)))]
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ProjectView>> {
    let actor = caller.actor(&api);
    let edited = api
        .store
        .control_edit::<ProjectRow, _>(&actor, caller.team_id(), &reference, "archive", |project| {
            project.archived_at = project.archived_at.or(Some(actor.at));
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("project", &reference))
}

async fn client_named(
    api: &ApiState,
    caller: &super::auth::Caller,
    reference: Option<&str>,
) -> ApiResult<Option<ClientId>> {
    match reference {
        Some(reference) => Ok(Some(live_client(api, caller.team_id(), reference).await?.id)),
        None => Ok(None),
    }
}
