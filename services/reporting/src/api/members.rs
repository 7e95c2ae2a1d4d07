//! `/members`: people of the team.

use super::ApiState;
use super::auth::{Caller, Can, ManageMembers, View, covers};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, email, name};
use super::paging::{List, Page, PageQuery, Params};
use super::references::{NameFilter, find, live_member};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::{KeyId, MemberId};
use tallystick_runtime::Problem;
use tallystick_store::control::{KeyRow, MemberRow, Role};

/// A person of the team.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MemberView {
    #[schema(value_type = String)]
    id: MemberId,
    email: String,
    name: String,
    /// `owner`, `admin`, `finance`, `developer` or `oncall`.
    #[schema(value_type = String)]
    role: Role,
    /// `active` or `removed`.
    state: &'static str,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    removed_at: Option<Timestamp>,
}

impl From<MemberRow> for MemberView {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            state: if row.removed_at.is_some() { "removed" } else { "active" },
            created_at: row.created_at,
            removed_at: row.removed_at,
        }
    }
}

/// A new member.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMember {
    email: String,
    /// By default what stands before the `@`.
    name: Option<String>,
    /// By default `developer`.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberPatch {
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// A key, by what people know it by.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct KeyName {
    #[schema(value_type = String)]
    id: KeyId,
    name: String,
}

impl From<KeyRow> for KeyName {
    fn from(key: KeyRow) -> Self {
        Self { id: key.id, name: key.name }
    }
}

/// What removing a member did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Removed {
    member: MemberView,
    /// Their own keys, which are revoked now.
    revoked_keys: Vec<KeyName>,
    /// Keys of projects and machines that name them and still work: look at these.
    shared_keys: Vec<KeyName>,
}

/// Lists members.
#[utoipa::path(get, path = "/members", tag = "members", params(PageQuery, NameFilter),
    responses((status = 200, body = List<MemberView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<NameFilter>,
) -> ApiResult<Answer<List<MemberView>>> {
    let rows = api.store.control_list::<MemberRow>(caller.team_id(), &filter.of(&page)?).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, MemberView::from)))
}

/// Adds a member.
#[utoipa::path(post, path = "/members", tag = "members", request_body = NewMember,
    responses((status = 201, body = MemberView)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageMembers>,
    Json(body): Json<NewMember>,
) -> ApiResult<(StatusCode, Answer<MemberView>)> {
    let address = email("email", &body.email)?;
    let role = body.role.unwrap_or(Role::Developer);
    may_give(&caller, role)?;
    let shown = match &body.name {
        Some(given) => name("name", given)?,
        None => address.split('@').next().unwrap_or(&address).to_owned(),
    };
    let actor = caller.actor(&api);
    let row = MemberRow {
        team_id: caller.team_id(),
        id: api.ids.typed(MemberId::from_uuid),
        email: address,
        name: shown,
        role,
        created_at: actor.at,
        removed_at: None,
    };
    api.store.control_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(row.into())))
}

/// Shows a member.
#[utoipa::path(get, path = "/members/{member}", tag = "members", params(("member" = String, Path, description = "Id, address or name")),
    responses((status = 200, body = MemberView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<MemberView>> {
    Ok(Answer(find::<MemberRow>(&api, caller.team_id(), &reference).await?.into()))
}

/// Changes a member's name or role.
#[utoipa::path(patch, path = "/members/{member}", tag = "members", params(("member" = String, Path, description = "Id, address or name")),
    request_body = MemberPatch, responses((status = 200, body = MemberView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageMembers>,
    Path(reference): Path<String>,
    Json(patch): Json<MemberPatch>,
) -> ApiResult<Answer<MemberView>> {
    let found = live_member(&api, caller.team_id(), &reference).await?;
    may_give(&caller, found.role)?;
    if let Some(role) = patch.role {
        may_give(&caller, role)?;
    }
    let shown = patch.name.as_deref().map(|given| name("name", given)).transpose()?;
    let id = found.id.to_string();
    let edited = api
        .store
        .control_edit::<MemberRow, _>(&caller.actor(&api), caller.team_id(), &id, "update", |member| {
            member.role = patch.role.unwrap_or(member.role);
            if let Some(shown) = &shown {
                member.name.clone_from(shown);
            }
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("member", &reference))
}

/// Removes a member and revokes their own keys.
#[utoipa::path(post, path = "/members/{member}/remove", tag = "members", params(("member" = String, Path, description = "Id, address or name")),
    responses((status = 200, body = Removed)))]
pub(super) async fn remove(
    State(api): State<ApiState>,
    caller: Can<ManageMembers>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<Removed>> {
    let found = live_member(&api, caller.team_id(), &reference).await?;
    may_give(&caller, found.role)?;
    let removal = api
        .store
        .member_remove(&caller.actor(&api), caller.team_id(), &found.id.to_string())
        .await?
        .ok_or_else(|| ApiError::not_found("member", &reference))?;
    Ok(Answer(Removed {
        member: removal.member.into(),
        revoked_keys: removal.revoked.into_iter().map(KeyName::from).collect(),
        shared_keys: removal.shared.into_iter().map(KeyName::from).collect(),
    }))
}

/// Refuses a caller who deals with a role that is more than their own.
fn may_give(caller: &Caller, role: Role) -> ApiResult<()> {
    if covers(caller.token.role, role) {
        return Ok(());
    }
    let detail =
        format!("the role {} may not give or take the role {role}, which can do more", caller.token.role);
    Err(Problem::forbidden(detail).into())
}
