//! What happens to a key: suspend, restore, revoke, rotate.

use super::view::{KeyView, MadeKey};
use super::{DEFAULT_GRACE, fresh_key};
use crate::api::ApiState;
use crate::api::auth::{Caller, Can, ContainKeys, ManageKeys};
use crate::api::error::{ApiError, ApiResult};
use crate::api::extract::{Json, text};
use crate::api::references::find;
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use tallystick_domain::KeyId;
use tallystick_store::StoreError;
use tallystick_store::control::{Actor, KeyRow, KeyState};

/// Longest time that a rotated key goes on working.
const MOST_GRACE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why a key is suspended.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Suspension {
    /// Shown to whoever looks at the key.
    reason: Option<String>,
}

/// How a key is replaced.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Rotation {
    /// How long the old key goes on working: `24h` (the default), `0s` to end it at once.
    grace: Option<String>,
}

/// Suspends a key, and those that it replaced and that still work: requests are answered 403 until it is restored.
#[utoipa::path(post, path = "/keys/{key}/suspend", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    request_body = Suspension, responses((status = 200, body = KeyView)))]
pub(in crate::api) async fn suspend(
    State(api): State<ApiState>,
    caller: Can<ContainKeys>,
    Path(reference): Path<String>,
    Json(body): Json<Suspension>,
) -> ApiResult<Answer<KeyView>> {
    let reason = body.reason.as_deref().map(|reason| text("reason", reason)).transpose()?;
    let actor = caller.actor(&api);
    edit_line(&api, &caller, &actor, &reference, "suspend", |key| {
        if matches!(key.state(actor.at), KeyState::Revoked | KeyState::Expired) {
            return Err(StoreError::conflict("the key has ended; there is nothing to suspend"));
        }
        if key.suspended_at.is_none() {
            key.suspended_at = Some(actor.at);
            key.suspended_by = Some(actor.name.clone());
            key.suspended_reason.clone_from(&reason);
        }
        Ok(())
    })
    .await
}

/// Restores a suspended key, and those that it replaced.
#[utoipa::path(post, path = "/keys/{key}/restore", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    responses((status = 200, body = KeyView)))]
pub(in crate::api) async fn restore(
    State(api): State<ApiState>,
    caller: Can<ContainKeys>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<KeyView>> {
    let actor = caller.actor(&api);
    edit_line(&api, &caller, &actor, &reference, "restore", |key| {
        if key.state(actor.at) == KeyState::Revoked {
            return Err(StoreError::conflict("a revoked key never works again; make a new one"));
        }
        key.suspended_at = None;
        key.suspended_by = None;
        key.suspended_reason = None;
        Ok(())
    })
    .await
}

/// Revokes a key, for ever, and those that it replaced and that still work.
#[utoipa::path(post, path = "/keys/{key}/revoke", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    responses((status = 200, body = KeyView)))]
pub(in crate::api) async fn revoke(
    State(api): State<ApiState>,
    caller: Can<ManageKeys>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<KeyView>> {
    let actor = caller.actor(&api);
    edit_line(&api, &caller, &actor, &reference, "revoke", |key| {
        key.revoked_at = key.revoked_at.or(Some(actor.at));
        Ok(())
    })
    .await
}

/// Replaces a key by a new one with the same name, attribution, limits and budgets. The answer shows the new secret, once.
#[utoipa::path(post, path = "/keys/{key}/rotate", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    request_body = Rotation, responses((status = 201, body = MadeKey)))]
pub(in crate::api) async fn rotate(
    State(api): State<ApiState>,
    caller: Can<ManageKeys>,
    Path(reference): Path<String>,
    Json(body): Json<Rotation>,
) -> ApiResult<(StatusCode, Answer<MadeKey>)> {
    let default = SignedDuration::try_from(DEFAULT_GRACE).unwrap_or(SignedDuration::ZERO);
    let grace = body.grace.as_deref().map_or(Ok(default), |grace| super::body::span("grace", grace))?;
    if grace > MOST_GRACE {
        return Err(ApiError::invalid("grace is longer than 30d; choose a shorter one"));
    }
    let actor = caller.actor(&api);
    let found: KeyRow = find(&api, caller.team_id(), &reference).await?;
    if matches!(found.state(actor.at), KeyState::Revoked | KeyState::Expired) {
        return Err(ApiError::conflict("conflict", "the key has ended; make a new one"));
    }
    let fresh = fresh_key(&api, &found.name);
    let successor = KeyRow {
        id: api.ids.typed(KeyId::from_uuid),
        public_part: fresh.public_part,
        prefix: fresh.prefix,
        hmac: fresh.hmac,
        pepper_version: fresh.pepper_version,
        ..found.clone()
    };
    let until = actor.at.checked_add(grace).unwrap_or(actor.at);
    let (_, new) = api
        .store
        .key_rotate(&actor, caller.team_id(), &found.id.to_string(), &successor, until)
        .await?
        .ok_or_else(|| ApiError::not_found("key", &reference))?;
    let view = KeyView::of(&new, caller.team.currency, actor.at);
    Ok((StatusCode::CREATED, Answer(MadeKey::new(view, fresh.text, &api.config.public_url))))
}

/// Carries a change out on a key, after the keys that it replaced and whose grace time runs: who names a key means all its
/// secrets.
async fn edit_line<F>(
    api: &ApiState,
    caller: &Caller,
    actor: &Actor,
    reference: &str,
    action: &str,
    change: F,
) -> ApiResult<Answer<KeyView>>
where
    F: Fn(&mut KeyRow) -> Result<(), StoreError> + Send + Sync,
{
    let named: KeyRow = find(api, caller.team_id(), reference).await?;
    let mut before = named.rotated_from;
    while let Some(id) = before {
        let replaced: KeyRow = find(api, caller.team_id(), &id.to_string()).await?;
        if !matches!(replaced.state(actor.at), KeyState::Revoked | KeyState::Expired) {
            let _shown = edit(api, caller, actor, &id.to_string(), action, &change).await?;
        }
        before = replaced.rotated_from;
    }
    edit(api, caller, actor, &named.id.to_string(), action, &change).await
}

async fn edit<F>(
    api: &ApiState,
    caller: &Caller,
    actor: &Actor,
    reference: &str,
    action: &str,
    change: F,
) -> ApiResult<Answer<KeyView>>
where
    F: Fn(&mut KeyRow) -> Result<(), StoreError> + Send + Sync,
{
    let edited =
        api.store.control_edit::<KeyRow, F>(actor, caller.team_id(), reference, action, change).await?;
    edited
        .map(|row| Answer(KeyView::of(&row, caller.team.currency, actor.at)))
        .ok_or_else(|| ApiError::not_found("key", reference))
}
