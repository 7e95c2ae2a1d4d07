//! `/prices/import`: public price files, compared first.

use super::add_versions;
use super::placing::{Scope, book_of};
use crate::api::ApiState;
use crate::api::auth::{Can, ManagePrices};
use crate::api::error::ApiResult;
use crate::api::extract::{Json, text};
use crate::api::keys::body::instant;
use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tallystick_domain::period::Zone;
use tallystick_domain::price::PriceVersion;
use tallystick_domain::price::import::{Diff, ImportOptions, Note, Skipped, diff, genai, litellm};
use tallystick_runtime::Problem;

/// Formats that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    Litellm,
    GenaiPrices,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Litellm => "litellm",
            Self::GenaiPrices => "genai-prices",
        }
    }
}

/// A price file.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PriceImport {
    /// `litellm` or `genai-prices`.
    #[schema(value_type = String)]
    format: Format,
    /// The file's text.
    content: String,
    /// Where the file is from.
    source: Option<String>,
    /// From when on prices without a date of their own are in force; by default now.
    effective_from: Option<String>,
    /// Import only these providers.
    #[serde(default)]
    providers: Vec<String>,
    /// Models (`provider/model`) that are known to be free; any other price of zero is refused.
    #[serde(default)]
    free: Vec<String>,
    /// `team` (the default) or `instance` (an operator's).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    scope: Scope,
    /// Only show what would change.
    #[serde(default)]
    dry_run: bool,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct ImportReport {
    dry_run: bool,
    /// Versions that were stored.
    applied: usize,
    /// Models that had no price, prices that differ, prices that are in force already, models that the file lacks.
    #[schema(value_type = Object)]
    diff: Diff,
    /// Models that were refused or not understood, with the reason.
    #[schema(value_type = Vec<Object>)]
    skipped: Vec<Skipped>,
    /// Rates that had more than twelve decimals.
    #[schema(value_type = Vec<Object>)]
    rounded: Vec<Note>,
    #[schema(value_type = Vec<Object>)]
    notes: Vec<Note>,
}

/// Imports a public price file, or shows what that would change.
#[utoipa::path(post, path = "/prices/import", tag = "prices", request_body = PriceImport,
    responses((status = 200, body = ImportReport)))]
pub(in crate::api) async fn import(
    State(api): State<ApiState>,
    caller: Can<ManagePrices>,
    Json(body): Json<PriceImport>,
) -> ApiResult<Answer<ImportReport>> {
    if body.scope == Scope::Instance {
        caller.require_operator("a price for every team")?;
    }
    let now = api.clock.now();
    let zone = Zone::parse(&caller.team.zone)?;
    let effective_from = match &body.effective_from {
        Some(text) => instant("effective_from", text, zone.name())?,
        None => now,
    };
    let options = ImportOptions {
        effective_from,
        checked_on: zone.day_of(now),
        source: body
            .source
            .as_deref()
            .map_or_else(|| Ok(body.format.name().to_owned()), |source| text("source", source))?,
        providers: body.providers.into_iter().collect(),
        free: body.free.into_iter().collect(),
    };
    let read = match body.format {
        Format::Litellm => litellm(&body.content, &options),
        Format::GenaiPrices => genai(&body.content, &options),
    };
    let read = read.map_err(|error| {
        Problem::bad_request("invalid_price_file", tallystick_runtime::error_chain(&error))
    })?;
    let book = book_of(&api, caller.team_id()).await?;
    let found = diff(&book, &read.candidates);
    let applied =
        if body.dry_run { 0 } else { apply(&api, &caller, body.scope, &found, read.candidates).await? };
    Ok(Answer(ImportReport {
        dry_run: body.dry_run,
        applied,
        diff: found,
        skipped: read.skipped,
        rounded: read.rounded,
        notes: read.notes,
    }))
}

/// Stores what is new and what differs.
async fn apply(
    api: &ApiState,
    caller: &crate::api::auth::Caller,
    scope: Scope,
    found: &Diff,
    candidates: Vec<PriceVersion>,
) -> ApiResult<usize> {
    let added = found.added.iter().map(|version| version.id);
    let wanted: BTreeSet<_> = added.chain(found.changed.iter().map(|change| change.new)).collect();
    let versions: Vec<PriceVersion> =
        candidates.into_iter().filter(|version| wanted.contains(&version.id)).collect();
    if versions.is_empty() {
        return Ok(0);
    }
    Ok(add_versions(api, caller, scope, versions).await?.len())
}
