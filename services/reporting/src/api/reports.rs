//! `/reports`: the month and the week, as JSON, CSV and PDF.

use super::ApiState;
use super::auth::{Can, ViewUsage};
use super::download::{Format, file};
use super::error::ApiResult;
use super::paging::Params;
use crate::render_job::render;
use crate::report::{month_report, report_csv, week_report};
use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tallystick_domain::TeamId;

const FORMATS: [Format; 3] = [Format::Json, Format::Csv, Format::Pdf];

/// In which form.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportParams {
    /// `json` (default), `csv` or `pdf`.
    format: Option<String>,
}

/// The report of a month: sums, rankings with the change on the month before, failures, tasks.
#[utoipa::path(get, path = "/reports/month/{month}", tag = "reports",
    params(("month" = String, Path, description = "2026-10"), ReportParams),
    responses((status = 200, body = serde_json::Value)))]
pub(super) async fn month(
    State(api): State<ApiState>,
    caller: Can<ViewUsage>,
    Path(month): Path<String>,
    Params(params): Params<ReportParams>,
) -> ApiResult<Response> {
    let format = Format::of(params.format.as_deref(), &FORMATS)?;
    let report = month_report(&api.store, &caller.team, &month).await?;
    let stem = format!("report-{month}");
    Ok(match format {
        Format::Json => Answer(report).into_response(),
        Format::Csv => file(format, &stem, report_csv(&report.head, &report.summary)),
        Format::Pdf => {
            let logo = logo(&api, caller.team_id()).await?;
            file(format, &stem, render(&api, move |pages| pages.month(&report, logo.as_deref())).await?)
        }
    })
}

/// The review of an ISO week: as the month, and the keys that somebody should look at.
#[utoipa::path(get, path = "/reports/week/{week}", tag = "reports",
    params(("week" = String, Path, description = "2026-W45"), ReportParams),
    responses((status = 200, body = serde_json::Value)))]
pub(super) async fn week(
    State(api): State<ApiState>,
    caller: Can<ViewUsage>,
    Path(week): Path<String>,
    Params(params): Params<ReportParams>,
) -> ApiResult<Response> {
    let format = Format::of(params.format.as_deref(), &FORMATS)?;
    let report = week_report(&api.store, &caller.team, &week, api.clock.now()).await?;
    let stem = format!("report-{week}");
    Ok(match format {
        Format::Json => Answer(report).into_response(),
        Format::Csv => file(format, &stem, report_csv(&report.head, &report.summary)),
        Format::Pdf => {
            let logo = logo(&api, caller.team_id()).await?;
            file(format, &stem, render(&api, move |pages| pages.week(&report, logo.as_deref())).await?)
        }
    })
}

async fn logo(api: &ApiState, team: TeamId) -> ApiResult<Option<Vec<u8>>> {
    Ok(api.store.issuer_load(team).await?.and_then(|issuer| issuer.logo))
}
