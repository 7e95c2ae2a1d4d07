//! `/providers`: the accounts that requests go to. A secret goes in and never comes out.

mod address;

use super::ApiState;
use super::auth::{Caller, Can, ManageProviders, View};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, texts};
use super::paging::{List, Page, PageQuery, Params};
use super::references::{NameFilter, find};
use address::{Address, known, provider_name};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::{ProviderId, TeamId};
use tallystick_store::control::{ProviderKind, ProviderRow};
use tallystick_store::secrets::{NONCE_BYTES, provider_binding};

/// Longest secret, in bytes.
const MAX_SECRET: usize = 4096;
/// Most patterns of models.
const MAX_MODELS: usize = 256;

/// A provider account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProviderView {
    #[schema(value_type = String)]
    id: ProviderId,
    name: String,
    /// `openai`, `anthropic`, `gemini` or `openai-compatible`.
    #[schema(value_type = String)]
    kind: ProviderKind,
    base_url: String,
    /// Whether a secret is stored. It never leaves.
    has_secret: bool,
    #[schema(value_type = Option<String>)]
    secret_set_at: Option<Timestamp>,
    /// The provider under whose name the price book has its models.
    price_name: String,
    /// Patterns of the models that go here; empty: those that the price book knows.
    models: Vec<String>,
    /// Whether its address may be private or local.
    private_address: bool,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    archived_at: Option<Timestamp>,
}

impl From<ProviderRow> for ProviderView {
    fn from(row: ProviderRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            base_url: row.base_url,
            has_secret: row.secret.is_some(),
            secret_set_at: row.secret_set_at,
            price_name: row.price_name,
            models: row.models,
            private_address: row.private_address,
            created_at: row.created_at,
            archived_at: row.archived_at,
        }
    }
}

/// A new account. Known names (`openai`, `anthropic`, `mistral`, ...) need no kind and no address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProvider {
    name: String,
    #[schema(value_type = Option<String>)]
    kind: Option<ProviderKind>,
    /// Where its API begins, version included. Another one than the known needs an operator's token.
    base_url: Option<String>,
    secret: Option<String>,
    /// The provider under whose name the price book has its models; by default its own name.
    price_name: Option<String>,
    models: Option<Vec<String>>,
    /// Lets a name resolve to a private address; only with an operator's token.
    #[serde(default)]
    private_address: bool,
}

/// What to change; what is absent stays. Another `base_url` forgets the secret unless a new one comes with it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderPatch {
    base_url: Option<String>,
    secret: Option<String>,
    price_name: Option<String>,
    models: Option<Vec<String>>,
    private_address: Option<bool>,
}

/// Lists provider accounts.
#[utoipa::path(get, path = "/providers", tag = "providers", params(PageQuery, NameFilter),
    responses((status = 200, body = List<ProviderView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<NameFilter>,
) -> ApiResult<Answer<List<ProviderView>>> {
    let rows = api.store.control_list::<ProviderRow>(caller.team_id(), &filter.of(&page)?).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, ProviderView::from)))
}

/// Adds a provider account.
#[utoipa::path(post, path = "/providers", tag = "providers", request_body = NewProvider,
    responses((status = 201, body = ProviderView)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageProviders>,
    Json(body): Json<NewProvider>,
) -> ApiResult<(StatusCode, Answer<ProviderView>)> {
    let name = provider_name("name", &body.name)?;
    let default = known(&name);
    let (Some(kind), Some(base_url)) = (
        body.kind.or(default.map(|(kind, _)| kind)),
        body.base_url.as_deref().or(default.map(|(_, url)| url)),
    ) else {
        let detail = format!("'{name}' is no provider that is known by name; give kind and base_url");
        return Err(ApiError::invalid(detail));
    };
    let address = Address::parse(base_url)?;
    let private_address = allowed(&caller, &address, default.map(|(_, url)| url), body.private_address)?;
    let price_name = match (&body.price_name, kind) {
        (Some(given), _) => provider_name("price_name", given)?,
        (None, ProviderKind::OpenAiCompatible) => name.clone(),
        (None, kind) => kind.as_str().to_owned(),
    };
    let secret = body
        .secret
        .as_deref()
        .map(|secret| sealed(&api, caller.team_id(), &name, &address, secret))
        .transpose()?;
    let actor = caller.actor(&api);
    let row = ProviderRow {
        team_id: caller.team_id(),
        id: api.ids.typed(ProviderId::from_uuid),
        name,
        kind,
        base_url: address.base_url,
        origin: address.origin,
        secret_set_at: secret.as_ref().map(|_| actor.at),
        secret,
        price_name,
        models: texts("models", &body.models.unwrap_or_default(), MAX_MODELS)?,
        private_address,
        created_at: actor.at,
        archived_at: None,
    };
    api.store.control_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(row.into())))
}

/// Shows a provider account.
#[utoipa::path(get, path = "/providers/{provider}", tag = "providers", params(("provider" = String, Path, description = "Id or name")),
    responses((status = 200, body = ProviderView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ProviderView>> {
    Ok(Answer(find::<ProviderRow>(&api, caller.team_id(), &reference).await?.into()))
}

/// Changes a provider account.
#[utoipa::path(patch, path = "/providers/{provider}", tag = "providers", params(("provider" = String, Path, description = "Id or name")),
    request_body = ProviderPatch, responses((status = 200, body = ProviderView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageProviders>,
    Path(reference): Path<String>,
    Json(patch): Json<ProviderPatch>,
) -> ApiResult<Answer<ProviderView>> {
    let found: ProviderRow = find(&api, caller.team_id(), &reference).await?;
    if found.archived_at.is_some() {
        return Err(ApiError::conflict("archived", "this provider is archived; add it anew"));
    }
    let address = Address::parse(patch.base_url.as_deref().unwrap_or(&found.base_url))?;
    let moved = address.base_url != found.base_url;
    let private_address = match (moved, patch.private_address) {
        (false, None) => found.private_address,
        (_, wanted) => {
            let known =
                known(&found.name).map(|(_, url)| url).filter(|_| moved).or(Some(found.base_url.as_str()));
            allowed(&caller, &address, known, wanted.unwrap_or(false))?
        }
    };
    let secret = patch
        .secret
        .as_deref()
        .map(|secret| sealed(&api, caller.team_id(), &found.name, &address, secret))
        .transpose()?;
    let price_name = patch.price_name.as_deref().map(|name| provider_name("price_name", name)).transpose()?;
    let models = patch.models.as_deref().map(|models| texts("models", models, MAX_MODELS)).transpose()?;
    let actor = caller.actor(&api);
    let edited = api
        .store
        .control_edit::<ProviderRow, _>(&actor, caller.team_id(), &found.id.to_string(), "update", |row| {
            if row.base_url != address.base_url {
                row.base_url.clone_from(&address.base_url);
                row.origin.clone_from(&address.origin);
                row.secret = None;
                row.secret_set_at = None;
            }
            if let Some(secret) = &secret {
                row.secret = Some(secret.clone());
                row.secret_set_at = Some(actor.at);
            }
            super::clients::body::put(&mut row.price_name, price_name.as_ref());
            super::clients::body::put(&mut row.models, models.as_ref());
            row.private_address = private_address;
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("provider", &reference))
}

/// Archives a provider account and forgets its secret.
#[utoipa::path(post, path = "/providers/{provider}/archive", tag = "providers", params(("provider" = String, Path, description = "Id or name")),
    responses((status = 200, body = ProviderView)))]
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Can<ManageProviders>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ProviderView>> {
    let actor = caller.actor(&api);
    let edited = api
        .store
        .control_edit::<ProviderRow, _>(&actor, caller.team_id(), &reference, "archive", |row| {
            row.archived_at = row.archived_at.or(Some(actor.at));
            row.secret = None;
            row.secret_set_at = None;
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("provider", &reference))
}

/// Whether this caller may send requests there, and whether the address may be private. A private address, plain HTTP
/// and an origin that is not the known one are the operator's to allow.
fn allowed(caller: &Caller, address: &Address, known: Option<&str>, asked_private: bool) -> ApiResult<bool> {
    let known_origin = known.and_then(|url| Address::parse(url).ok()).map(|known| known.origin);
    let private = address.private || asked_private;
    if private || known_origin.as_ref() != Some(&address.origin) {
        caller.require_operator("an address other than the provider's known one")?;
    }
    if !address.encrypted && !private {
        return Err(ApiError::invalid("base_url is not encrypted; use https, or allow a private address"));
    }
    Ok(private)
}

fn sealed(api: &ApiState, team: TeamId, name: &str, address: &Address, secret: &str) -> ApiResult<Vec<u8>> {
    let secret = secret.trim();
    let fits = !secret.is_empty() && secret.len() <= MAX_SECRET && !secret.contains(char::is_whitespace);
    if !fits || HeaderValue::from_str(secret).is_err() {
        return Err(ApiError::invalid("secret is empty, too long, or holds characters that no API key has"));
    }
    let mut nonce = [0_u8; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
    Ok(api.secrets.secret_box.seal(&provider_binding(team, name, &address.origin), nonce, secret.as_bytes()))
}
