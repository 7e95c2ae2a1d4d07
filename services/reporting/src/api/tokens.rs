//! `/tokens`: who may use the API.

use super::ApiState;
use super::auth::{Can, ManageTokens, View, covers};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, name};
use super::keys::expiry;
use super::paging::{List, Page, PageQuery, Params};
use super::references::NameFilter;
use super::team::TeamView;
use crate::bootstrap::fresh_token;
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::TokenId;
use tallystick_runtime::Problem;
use tallystick_store::control::{Role, TokenRow};

/// A token, without the token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenView {
    #[schema(value_type = String)]
    id: TokenId,
    name: String,
    #[schema(value_type = String)]
    role: Role,
    /// Whether it may also do what concerns the whole instance.
    operator: bool,
    created_by: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    revoked_at: Option<Timestamp>,
}

impl From<&TokenRow> for TokenView {
    fn from(row: &TokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            role: row.role,
            operator: row.operator,
            created_by: row.created_by.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A new token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What it is for; by default the role and a number.
    name: Option<String>,
    /// `owner`, `admin`, `finance`, `developer` or `oncall`; never more than the caller's own.
    #[schema(value_type = String)]
    role: Role,
    /// Whether it may also do what concerns the whole instance; only an operator's token makes another.
    #[serde(default)]
    operator: bool,
    /// `30d`, a date or an instant.
    expires: Option<String>,
}

/// A new token with the token itself, which is shown here only.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeToken {
    #[serde(flatten)]
    token_view: TokenView,
    /// Send it as `Authorization: Bearer`.
    token: String,
}

/// The caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Whoami {
    token: TokenView,
    team: TeamView,
}

/// Lists tokens.
#[utoipa::path(get, path = "/tokens", tag = "tokens", params(PageQuery, NameFilter),
    responses((status = 200, body = List<TokenView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<ManageTokens>,
    page: Page,
    Params(filter): Params<NameFilter>,
) -> ApiResult<Answer<List<TokenView>>> {
    let rows = api.store.control_list::<TokenRow>(caller.team_id(), &filter.of(&page)?).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, |row| TokenView::from(&row))))
}

/// Makes a token.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = MadeToken)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageTokens>,
    Json(body): Json<NewToken>,
) -> ApiResult<(StatusCode, Answer<MadeToken>)> {
    if !covers(caller.token.role, body.role) {
        let detail =
            format!("a token of the role {} may not make one of the role {}", caller.token.role, body.role);
        return Err(Problem::forbidden(detail).into());
    }
    if body.operator {
        caller.require_operator("an operator's token")?;
    }
    let actor = caller.actor(&api);
    let asked = body.expires.as_deref().map(|end| expiry(end, actor.at, &caller.team.zone)).transpose()?;
    let id = api.ids.typed(TokenId::from_uuid);
    let shown = match &body.name {
        Some(text) => name("name", text)?,
        None => format!("{} {}", body.role, &id.to_string()[24..]),
    };
    let token = fresh_token();
    let row = TokenRow {
        team_id: caller.team_id(),
        id,
        name: shown,
        hmac: api.secrets.pepper.hmac(&token).to_vec(),
        pepper_version: api.secrets.pepper.version(),
        role: body.role,
        operator: body.operator,
        created_by: actor.name.clone(),
        created_at: actor.at,
        expires_at: [asked, caller.token.expires_at].into_iter().flatten().min(),
        revoked_at: None,
    };
    api.store.control_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(MadeToken { token_view: TokenView::from(&row), token })))
}

/// Revokes a token.
#[utoipa::path(post, path = "/tokens/{token}/revoke", tag = "tokens", params(("token" = String, Path, description = "Id or name")),
    responses((status = 200, body = TokenView)))]
pub(super) async fn revoke(
    State(api): State<ApiState>,
    caller: Can<ManageTokens>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<TokenView>> {
    let found: TokenRow = super::references::find(&api, caller.team_id(), &reference).await?;
    if found.operator {
        caller.require_operator("revoking an operator's token")?;
    }
    if !covers(caller.token.role, found.role) {
        return Err(Problem::forbidden("this token can do more than yours; ask an owner to revoke it").into());
    }
    let actor = caller.actor(&api);
    let edited = api
        .store
        .control_edit::<TokenRow, _>(&actor, caller.team_id(), &found.id.to_string(), "revoke", |token| {
            token.revoked_at = token.revoked_at.or(Some(actor.at));
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(TokenView::from(&row))).ok_or_else(|| ApiError::not_found("token", &reference))
}

/// Tells the caller who they are.
#[utoipa::path(get, path = "/whoami", tag = "tokens", responses((status = 200, body = Whoami)))]
pub(super) async fn whoami(caller: Can<View>) -> Answer<Whoami> {
    Answer(Whoami { token: TokenView::from(&caller.token), team: TeamView::from(&caller.team) })
}
