//! `/usage`: sums of usage, and corrections of many events at once.

use super::ApiState;
use super::auth::{Can, ManagePrices, ManageUsage, ViewUsage};
use super::download::{Format, file};
use super::error::{ApiError, ApiResult};
use super::extract::Json;
use super::paging::Params;
use crate::adjust::{Change, Correction, CorrectionAnswer, MoveTo, correct};
use crate::directory::Directory;
use crate::usage::{PeriodAsked, UsageAnswer, UsageQuery, day, period_of, usage_csv, usage_rollup};
use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use tallystick_domain::attribution::UNASSIGNED;
use tallystick_domain::period::DayRange;
use tallystick_store::usage::{Dimension, Wanted};

/// What to add up.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageParams {
    /// Comma-separated: member, project, client, key, model, provider, tool, environment, task, day, hour.
    by: Option<String>,
    /// First day, in the team's zone.
    from: Option<String>,
    /// The day after the last.
    to: Option<String>,
    /// `2026-10`, instead of from and to.
    month: Option<String>,
    /// `2026-W45`, instead of from and to.
    week: Option<String>,
    /// Comma-separated `dimension=value`; all must hold. `unassigned` asks for what has none.
    r#where: Option<String>,
    /// `json` (default) or `csv`.
    format: Option<String>,
}

/// Adds up usage. Without a period: the current month.
#[utoipa::path(get, path = "/usage", tag = "usage", params(UsageParams), responses((status = 200, body = UsageAnswer)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewUsage>,
    Params(params): Params<UsageParams>,
) -> ApiResult<Response> {
    let format = Format::of(params.format.as_deref(), &[Format::Json, Format::Csv])?;
    let directory = Directory::load(&api.store, &caller.team).await?;
    let asked = PeriodAsked {
        from: params.from.as_deref(),
        to: params.to.as_deref(),
        month: params.month.as_deref(),
        week: params.week.as_deref(),
    };
    let query = UsageQuery {
        team: caller.team_id(),
        currency: caller.team.currency,
        days: period_of(asked, &directory.zone, api.clock.now())?,
        by: dimensions(params.by.as_deref().unwrap_or_default())?,
        filter: filter_of(&directory, params.r#where.as_deref().unwrap_or_default())?,
        zone: directory.zone.clone(),
    };
    let answer = usage_rollup(&api.store, &query).await?;
    Ok(match format {
        Format::Csv => {
            let stem = format!("usage-{}-{}", query.days.from, query.days.last_day());
            file(Format::Csv, &stem, usage_csv(&query, &answer))
        }
        _ => Answer(answer).into_response(),
    })
}

/// Usage to move, and whom it is moved to: exactly one of member, project, client; `unassigned` takes it off.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReassignBody {
    /// Which usage, by dimension: `{"key": "ci"}`.
    #[serde(default)]
    r#where: BTreeMap<String, String>,
    /// First day, in the team's zone.
    from: String,
    /// The day after the last.
    to: String,
    member: Option<String>,
    project: Option<String>,
    client: Option<String>,
    /// `false` (default) only shows what would change.
    #[serde(default)]
    apply: bool,
}

/// Moves usage to another member, project or client. Without `apply` it shows events and money and posts nothing.
#[utoipa::path(post, path = "/usage/reassign", tag = "usage", request_body = ReassignBody,
    responses((status = 200, body = CorrectionAnswer)))]
pub(super) async fn reassign(
    State(api): State<ApiState>,
    caller: Can<ManageUsage>,
    Json(body): Json<ReassignBody>,
) -> ApiResult<Answer<CorrectionAnswer>> {
    let directory = Directory::load(&api.store, &caller.team).await?;
    if body.r#where.is_empty() {
        return Err(ApiError::invalid("where is empty; say which usage to move, such as {\"key\": \"ci\"}"));
    }
    let correction = Correction {
        filter: filter(&directory, body.r#where.iter().map(|(name, value)| (name.as_str(), value.as_str())))?,
        days: DayRange::new(day(&body.from)?, day(&body.to)?)?,
        change: Change::Move(target(&directory, &body)?),
        apply: body.apply,
        actor: caller.actor(&api),
        directory,
    };
    Ok(Answer(correct(&api, &correction).await?))
}

fn target(directory: &Directory, body: &ReassignBody) -> ApiResult<MoveTo> {
    fn object<T: Clone>(what: &str, name: &str, found: Option<&T>) -> ApiResult<Option<T>> {
        if name.eq_ignore_ascii_case(UNASSIGNED) {
            return Ok(None);
        }
        found.cloned().map(Some).ok_or_else(|| ApiError::not_found(what, name))
    }
    match (&body.member, &body.project, &body.client) {
        (Some(name), None, None) => {
            Ok(MoveTo::Member(object("member", name, directory.member(name))?.map(|row| row.id)))
        }
        (None, Some(name), None) => {
            let project = object("project", name, directory.project(name))?;
            let client = project.as_ref().and_then(|row| row.client_id);
            Ok(MoveTo::Project { project: project.map(|row| row.id), client })
        }
        (None, None, Some(name)) => {
            Ok(MoveTo::Client(object("client", name, directory.client(name))?.map(|row| row.id)))
        }
        _ => Err(ApiError::invalid("name exactly one of member, project or client to move the usage to")),
    }
}

/// Usage to rate anew.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RerateBody {
    /// Which usage, by dimension; all where it is absent.
    #[serde(default)]
    r#where: BTreeMap<String, String>,
    /// First day, in the team's zone.
    from: String,
    /// The day after the last.
    to: String,
    /// `false` (default) only shows what would change.
    #[serde(default)]
    apply: bool,
}

/// Rates usage anew, by the versions that the price book has by now for the moment of use. Without `apply` it shows the
/// difference and posts nothing.
#[utoipa::path(post, path = "/prices/rerate", tag = "prices", request_body = RerateBody,
    responses((status = 200, body = CorrectionAnswer)))]
pub(super) async fn rerate(
    State(api): State<ApiState>,
    caller: Can<ManagePrices>,
    Json(body): Json<RerateBody>,
) -> ApiResult<Answer<CorrectionAnswer>> {
    let directory = Directory::load(&api.store, &caller.team).await?;
    let correction = Correction {
        filter: filter(&directory, body.r#where.iter().map(|(name, value)| (name.as_str(), value.as_str())))?,
        days: DayRange::new(day(&body.from)?, day(&body.to)?)?,
        change: Change::Rerate(api.inbox.books.of(&api.store, &caller.team).await?),
        apply: body.apply,
        actor: caller.actor(&api),
        directory,
    };
    Ok(Answer(correct(&api, &correction).await?))
}

/// `member,model` as dimensions.
fn dimensions(text: &str) -> ApiResult<Vec<Dimension>> {
    let mut by = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let dimension = dimension(name)?;
        if !by.contains(&dimension) {
            by.push(dimension);
        }
    }
    Ok(by)
}

fn dimension(name: &str) -> ApiResult<Dimension> {
    Dimension::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Dimension::ALL.iter().map(|dimension| dimension.as_str()).collect();
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        ApiError::invalid(format!("'{name}' is no dimension of usage; there are {}", known.join(", ")))
    })
}

/// `client=acme,model=gpt-4o` as a filter.
fn filter_of(directory: &Directory, text: &str) -> ApiResult<BTreeMap<Dimension, Wanted>> {
    let mut pairs = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let pair = part.split_once('=');
        pairs.push(pair.ok_or_else(|| {
            ApiError::invalid("where is not understood; write it as client=acme,model=gpt-4o")
        })?);
    }
    filter(directory, pairs)
}

pub(super) fn filter<'p>(
    directory: &Directory,
    pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> ApiResult<BTreeMap<Dimension, Wanted>> {
    let mut filter = BTreeMap::new();
    for (name, value) in pairs {
        let dimension = dimension(name.trim())?;
        if matches!(dimension, Dimension::Day | Dimension::Hour) {
            return Err(ApiError::invalid(format!("{name} is no filter; give from and to instead")));
        }
        let wanted = directory.wanted(dimension, value.trim())?;
        if filter.insert(dimension, wanted).is_some() {
            return Err(ApiError::invalid(format!("{name} is filtered twice; name it once")));
        }
    }
    Ok(filter)
}
