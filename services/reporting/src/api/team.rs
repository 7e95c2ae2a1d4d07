//! `/team`: the caller's team.

use super::ApiState;
use super::auth::{Can, ManageTeam, View};
use super::budgets::{BudgetBody, BudgetView, specs, views};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, name};
use axum::Json as Answer;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::period::Zone;
use tallystick_domain::{Currency, TeamId};
use tallystick_store::control::TeamRow;

/// A team.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TeamView {
    #[schema(value_type = String)]
    id: TeamId,
    slug: String,
    name: String,
    /// IANA name of the zone that billing days are cut in.
    zone: String,
    /// The one currency of the team's ledger.
    currency: String,
    /// Budgets of a key that is made without one.
    default_key_budgets: Vec<BudgetView>,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl From<&TeamRow> for TeamView {
    fn from(team: &TeamRow) -> Self {
        Self {
            id: team.id,
            slug: team.slug.clone(),
            name: team.name.clone(),
            zone: team.zone.clone(),
            currency: team.currency.code().to_owned(),
            default_key_budgets: views(&team.default_key_budgets, team.currency),
            created_at: team.created_at,
        }
    }
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamPatch {
    name: Option<String>,
    /// IANA name, such as `Europe/Berlin`. Days that are already billed stay as they are.
    zone: Option<String>,
    /// ISO 4217. Can be changed until the first usage is in the ledger.
    currency: Option<String>,
    /// Replaces all of them; empty: none.
    default_key_budgets: Option<Vec<BudgetBody>>,
}

/// Shows the team.
#[utoipa::path(get, path = "/team", tag = "team", responses((status = 200, body = TeamView)))]
pub(super) async fn show(caller: Can<View>) -> Answer<TeamView> {
    Answer(TeamView::from(&caller.team))
}

/// Changes the team.
#[utoipa::path(patch, path = "/team", tag = "team", request_body = TeamPatch, responses((status = 200, body = TeamView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageTeam>,
    Json(patch): Json<TeamPatch>,
) -> ApiResult<Answer<TeamView>> {
    let new_name = patch.name.as_deref().map(|text| name("name", text)).transpose()?;
    let zone = patch.zone.as_deref().map(Zone::parse).transpose()?;
    let currency = patch.currency.as_deref().map(Currency::parse).transpose()?;
    let budgets = patch.default_key_budgets.as_deref().map(specs).transpose()?;
    if currency.is_some_and(|currency| currency != caller.team.currency)
        && api.store.team_has_usage(caller.team_id()).await?
    {
        let detail = "the ledger holds usage in the present currency, so the team's currency stays; make another team for another one";
        return Err(ApiError::conflict("currency_in_use", detail));
    }
    let reference = caller.team_id().to_string();
    let edited = api
        .store
        .control_edit::<TeamRow, _>(&caller.actor(&api), caller.team_id(), &reference, "update", |team| {
            if let Some(name) = &new_name {
                team.name.clone_from(name);
            }
            if let Some(zone) = &zone {
                team.zone = zone.name().to_owned();
            }
            if let Some(currency) = currency {
                team.currency = currency;
            }
            if let Some(budgets) = &budgets {
                team.default_key_budgets.clone_from(budgets);
            }
            Ok(())
        })
        .await?;
    edited.map(|team| Answer(TeamView::from(&team))).ok_or_else(|| ApiError::not_found("team", &reference))
}
