//! `/keys`: virtual keys, from their making to their end.

pub(super) mod body;
mod change;
mod view;

use super::ApiState;
use super::auth::{Caller, Can, ManageKeys, View};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, name};
use super::paging::{List, Page, PageQuery, Params};
use super::references::{find, live_client, live_member, live_project};
use axum::Json as Answer;
use axum::extract::{Path, State};
use body::{KeyPatch, NewKey};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;
use tallystick_domain::{KeyId, key};
use tallystick_store::control::{BudgetPeriod, BudgetSpec, KeyFilter, KeyKind, KeyRow, ListFilter};

pub(super) use body::expiry;
pub(super) use change::{
    __path_restore, __path_revoke, __path_rotate, __path_suspend, restore, revoke, rotate, suspend,
};
pub(super) use view::{KeyView, MadeKey};

/// Which keys.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KeysFilter {
    /// Only those whose name holds this, in any case.
    name: Option<String>,
    /// With revoked ones.
    #[serde(default)]
    archived: bool,
    /// `member`, `project`, `automation` or `temporary`.
    #[param(value_type = Option<String>)]
    kind: Option<KeyKind>,
    /// Id, address or name.
    member: Option<String>,
    /// Id or name.
    project: Option<String>,
    /// Id or name.
    client: Option<String>,
    /// Only keys that are older than this: `90d`.
    older_than: Option<String>,
    /// Only keys without a budget.
    #[serde(default)]
    no_limit: bool,
}

/// Lists keys.
#[utoipa::path(get, path = "/keys", tag = "keys", params(PageQuery, KeysFilter),
    responses((status = 200, body = List<KeyView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<KeysFilter>,
) -> ApiResult<Answer<List<KeyView>>> {
    let now = api.clock.now();
    let mut only = KeyFilter { kind: filter.kind, no_limit: filter.no_limit, ..KeyFilter::default() };
    if let Some(member) = &filter.member {
        only.member =
            Some(find::<tallystick_store::control::MemberRow>(&api, caller.team_id(), member).await?.id);
    }
    if let Some(project) = &filter.project {
        only.project =
            Some(find::<tallystick_store::control::ProjectRow>(&api, caller.team_id(), project).await?.id);
    }
    if let Some(client) = &filter.client {
        only.client =
            Some(find::<tallystick_store::control::ClientRow>(&api, caller.team_id(), client).await?.id);
    }
    if let Some(age) = &filter.older_than {
        only.created_before = Some(now.checked_sub(body::span("older_than", age)?).unwrap_or(Timestamp::MIN));
    }
    let wanted = ListFilter {
        name: filter.name,
        archived: filter.archived,
        after: page.after()?,
        limit: page.fetch(),
    };
    let rows = api.store.keys(caller.team_id(), &wanted, &only).await?;
    let currency = caller.team.currency;
    Ok(Answer(List::cut(rows, &page, |row| row.id, |row| KeyView::of(&row, currency, now))))
}

/// Shows a key.
#[utoipa::path(get, path = "/keys/{key}", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    responses((status = 200, body = KeyView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<KeyView>> {
    let row: KeyRow = find(&api, caller.team_id(), &reference).await?;
    Ok(Answer(KeyView::of(&row, caller.team.currency, api.clock.now())))
}

/// Makes a key. The answer shows the secret, once.
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = NewKey,
    responses((status = 201, body = MadeKey)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageKeys>,
    Json(body): Json<NewKey>,
) -> ApiResult<(StatusCode, Answer<MadeKey>)> {
    let actor = caller.actor(&api);
    let shown = name("name", &body.name)?;
    let fresh = fresh_key(&api, &shown);
    let mut row = KeyRow {
        team_id: caller.team_id(),
        id: api.ids.typed(KeyId::from_uuid),
        public_part: fresh.public_part,
        prefix: fresh.prefix,
        hmac: fresh.hmac,
        pepper_version: fresh.pepper_version,
        name: shown,
        kind: body.kind,
        member_id: None,
        project_id: None,
        client_id: None,
        environment: None,
        tool: None,
        models: Vec::new(),
        providers: Vec::new(),
        endpoints: Vec::new(),
        ip_ranges: Vec::new(),
        may_set_client: false,
        may_set_project: false,
        requests_per_minute: None,
        tokens_per_minute: None,
        parallel_requests: None,
        budgets: caller.team.default_key_budgets.clone(),
        expires_at: None,
        suspended_at: None,
        suspended_by: None,
        suspended_reason: None,
        revoked_at: None,
        rotated_from: None,
        grace_until: None,
        created_by: actor.name.clone(),
        created_at: actor.at,
    };
    let change = named(&api, &caller, body.fields()).await?;
    change.checked(actor.at, &caller.team.zone)?.apply(&mut row);
    check_kind(row.kind, &row.budgets, row.expires_at)?;
    api.store.control_add(&actor, &row).await?;
    let view = KeyView::of(&row, caller.team.currency, actor.at);
    Ok((StatusCode::CREATED, Answer(MadeKey::new(view, fresh.text, &api.config.public_url))))
}

/// Changes a key; what is absent stays, null clears.
#[utoipa::path(patch, path = "/keys/{key}", tag = "keys", params(("key" = String, Path, description = "Id, name or prefix")),
    request_body = KeyPatch, responses((status = 200, body = KeyView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageKeys>,
    Path(reference): Path<String>,
    Json(patch): Json<KeyPatch>,
) -> ApiResult<Answer<KeyView>> {
    let actor = caller.actor(&api);
    let found: KeyRow = find(&api, caller.team_id(), &reference).await?;
    let change = named(&api, &caller, patch).await?.checked(actor.at, &caller.team.zone)?;
    let mut after = found.clone();
    change.apply(&mut after);
    check_kind(after.kind, &after.budgets, after.expires_at)?;
    let edited = api
        .store
        .control_edit::<KeyRow, _>(&actor, caller.team_id(), &found.id.to_string(), "update", |key| {
            change.apply(key);
            Ok(())
        })
        .await?;
    edited
        .map(|row| Answer(KeyView::of(&row, caller.team.currency, actor.at)))
        .ok_or_else(|| ApiError::not_found("key", &reference))
}

/// Puts ids in the place of the names that a body holds.
async fn named(api: &ApiState, caller: &Caller, patch: KeyPatch) -> ApiResult<body::KeyFields> {
    let team = caller.team_id();
    let mut fields = body::KeyFields::new(patch);
    if let Some(Some(member)) = &fields.patch.member {
        fields.member = Some(live_member(api, team, member).await?.id);
    }
    if let Some(Some(project)) = &fields.patch.project {
        let project = live_project(api, team, project).await?;
        fields.project = Some(project.id);
        fields.project_client = project.client_id;
    }
    if let Some(Some(client)) = &fields.patch.client {
        fields.client = Some(live_client(api, team, client).await?.id);
    }
    if let (Some(own), Some(projects)) = (fields.client, fields.project_client)
        && own != projects
    {
        let detail =
            "the project belongs to another client; leave the client out, or name that client's project";
        return Err(ApiError::invalid(detail));
    }
    Ok(fields)
}

/// What the kinds ask for: a machine has a hard daily budget, a temporary key an end.
fn check_kind(kind: KeyKind, budgets: &[BudgetSpec], expires_at: Option<Timestamp>) -> ApiResult<()> {
    let capped = budgets.iter().any(|budget| budget.period == BudgetPeriod::Daily && budget.hard);
    match kind {
        KeyKind::Automation if !capped => Err(ApiError::invalid(
            "an automation key needs a hard daily budget; add one: {\"period\": \"daily\", \"limit\": \"20\"}",
        )),
        KeyKind::Temporary if expires_at.is_none() => {
            Err(ApiError::invalid("a temporary key needs an end; give expires, such as 7d or a date"))
        }
        _ => Ok(()),
    }
}

/// A fresh key text and what is kept of it.
struct FreshKey {
    text: String,
    public_part: String,
    prefix: String,
    hmac: Vec<u8>,
    pepper_version: i16,
}

fn fresh_key(api: &ApiState, name: &str) -> FreshKey {
    let mut random = [0_u8; key::RANDOM_BYTES];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let made = key::assemble(name, &random);
    let prefix = made.text.rsplit_once('_').map_or_else(String::new, |(prefix, _)| prefix.to_owned());
    FreshKey {
        hmac: api.secrets.pepper.hmac(&made.text).to_vec(),
        pepper_version: api.secrets.pepper.version(),
        public_part: made.public,
        prefix,
        text: made.text,
    }
}

/// How long a rotated key goes on working where nothing is said.
const DEFAULT_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
