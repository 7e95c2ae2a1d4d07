//! `/prices`: the price book that the team is rated by. Versions are added and never change.

mod import;
mod placing;

use super::ApiState;
use super::auth::{Caller, Can, ManagePrices, View};
use super::error::{ApiError, ApiResult};
use super::extract::Json;
use super::keys::body::instant;
use super::paging::{List, Page, PageQuery, Params};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use placing::{Scope, book_of, placed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tallystick_domain::PriceVersionId;
use tallystick_domain::price::{MatchedBy, PriceVersion};
use tallystick_store::control::{PriceFilter, PriceVersionRow};

pub(super) use import::{__path_import, import};

/// Most versions in one request.
const MOST_VERSIONS: usize = 10_000;

/// A version of a model's price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PriceView {
    #[schema(value_type = String)]
    id: PriceVersionId,
    /// `team` or `instance`.
    scope: &'static str,
    /// The version: `provider`, `model`, `effective_from`, `source`, `currency`, `rates` per million tokens or per unit.
    #[schema(value_type = Object)]
    version: serde_json::Value,
}

impl From<PriceVersionRow> for PriceView {
    fn from(row: PriceVersionRow) -> Self {
        Self { id: row.id, scope: if row.team_id.is_some() { "team" } else { "instance" }, version: row.body }
    }
}

/// Which prices.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PricesFilter {
    /// Exactly this model.
    model: Option<String>,
    /// Exactly this provider.
    provider: Option<String>,
}

/// When, and at which provider.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AtFilter {
    /// A date (its first moment in the team's zone) or an instant; by default now.
    at: Option<String>,
    /// By default every provider that has the model.
    provider: Option<String>,
}

/// A price in force.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PriceInForce {
    provider: String,
    /// How the model was recognised: `id`, `alias`, `snapshot` or `prefix`.
    #[schema(value_type = String)]
    matched_by: MatchedBy,
    #[schema(value_type = Object)]
    version: PriceVersion,
}

/// Versions to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPrices {
    /// `team` (the default) or `instance` (an operator's).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    scope: Scope,
    #[schema(value_type = Vec<Object>)]
    versions: Vec<PriceVersion>,
}

/// Lists versions.
#[utoipa::path(get, path = "/prices", tag = "prices", params(PageQuery, PricesFilter),
    responses((status = 200, body = List<PriceView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<PricesFilter>,
) -> ApiResult<Answer<List<PriceView>>> {
    let wanted = PriceFilter {
        model: filter.model,
        provider: filter.provider,
        after: page.after()?,
        limit: page.fetch(),
    };
    let rows = api.store.price_versions_list(caller.team_id(), &wanted).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, PriceView::from)))
}

/// Shows the price of a model that is in force at a time.
#[utoipa::path(get, path = "/prices/{model}", tag = "prices", params(("model" = String, Path, description = "Model id, alias or snapshot"), AtFilter),
    responses((status = 200, body = List<PriceInForce>)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(model): Path<String>,
    Params(filter): Params<AtFilter>,
) -> ApiResult<Answer<List<PriceInForce>>> {
    let at = match &filter.at {
        Some(text) => instant("at", text, &caller.team.zone)?,
        None => api.clock.now(),
    };
    let book = book_of(&api, caller.team_id()).await?;
    let providers: BTreeSet<String> = match filter.provider {
        Some(provider) => BTreeSet::from([provider]),
        None => book.versions().iter().map(|version| version.provider.clone()).collect(),
    };
    let found: Vec<PriceInForce> = providers
        .into_iter()
        .filter_map(|provider| {
            let found = book.lookup(&provider, &model, at).ok()?;
            Some(PriceInForce { provider, matched_by: found.matched_by, version: (*found.version).clone() })
        })
        .collect();
    if found.is_empty() {
        Err(ApiError::not_found("price in force for model", &model))
    } else {
        Ok(Answer(List::whole(found)))
    }
}

/// Adds versions. One that takes effect when another of the same model does becomes its correction.
#[utoipa::path(post, path = "/prices", tag = "prices", request_body = NewPrices,
    responses((status = 201, body = List<PriceView>)))]
pub(super) async fn set(
    State(api): State<ApiState>,
    caller: Can<ManagePrices>,
    Json(body): Json<NewPrices>,
) -> ApiResult<(StatusCode, Answer<List<PriceView>>)> {
    if body.versions.is_empty() || body.versions.len() > MOST_VERSIONS {
        return Err(ApiError::invalid(format!(
            "versions holds {} entries; send 1 to {MOST_VERSIONS}",
            body.versions.len()
        )));
    }
    let rows = add_versions(&api, &caller, body.scope, body.versions).await?;
    Ok((StatusCode::CREATED, Answer(List::whole(rows.into_iter().map(PriceView::from).collect()))))
}

/// Gives versions their place in the book and stores them.
async fn add_versions(
    api: &ApiState,
    caller: &Caller,
    scope: Scope,
    versions: Vec<PriceVersion>,
) -> ApiResult<Vec<PriceVersionRow>> {
    if scope == Scope::Instance {
        caller.require_operator("a price for every team")?;
    }
    let mut book = book_of(api, caller.team_id()).await?;
    let actor = caller.actor(api);
    let owner = (scope == Scope::Team).then(|| caller.team_id());
    let mut rows = Vec::with_capacity(versions.len());
    for version in versions {
        let version = placed(&mut book, version, owner)?;
        rows.push(PriceVersionRow {
            id: version.id,
            team_id: owner,
            provider: version.provider.clone(),
            model: version.model.clone(),
            effective_from: version.effective_from,
            body: serde_json::to_value(&version).expect("a price is plain data"),
            source: version.source.clone(),
            created_at: actor.at,
        });
    }
    api.store.price_versions_add(&actor, owner, api.ids.uuid(), &rows).await?;
    Ok(rows)
}
