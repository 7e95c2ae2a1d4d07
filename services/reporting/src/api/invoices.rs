//! `/invoices`: drafted, finalised, sent, paid, voided; as JSON, CSV and PDF.

use super::ApiState;
use super::auth::{Can, ManageBilling, ViewBilling};
use super::download::{Format, file};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, text};
use super::paging::{List, Page, PageQuery, Params};
use super::references::find;
use crate::invoice::{
    DraftAsked, Drafted, InvoiceSummary, InvoiceView, advance, draft, draft_all, finalize, invoice_csv,
    invoice_pdf,
};
use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use rust_decimal::Decimal;
use serde::Deserialize;
use tallystick_domain::TeamId;
use tallystick_domain::invoice::{InvoiceAction, InvoiceStatus};
use tallystick_domain::period::DayRange;
use tallystick_store::control::ClientRow;
use tallystick_store::invoice::{InvoiceFilter, InvoiceRow};

/// Which invoices to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InvoiceParams {
    /// Id or name.
    client: Option<String>,
    /// `draft`, `finalized`, `sent`, `paid` or `void`.
    status: Option<String>,
    /// `2026-10`.
    month: Option<String>,
}

/// Lists invoices, newest first.
#[utoipa::path(get, path = "/invoices", tag = "invoices", params(PageQuery, InvoiceParams),
    responses((status = 200, body = List<InvoiceSummary>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<ViewBilling>,
    page: Page,
    Params(params): Params<InvoiceParams>,
) -> ApiResult<Answer<List<InvoiceSummary>>> {
    let client = match &params.client {
        Some(reference) => Some(find::<ClientRow>(&api, caller.team_id(), reference).await?.id),
        None => None,
    };
    let status = params.status.as_deref().map(|status| {
        let unknown = || ApiError::invalid("status is draft, finalized, sent, paid or void");
        InvoiceStatus::parse(status).ok_or_else(unknown)
    });
    let filter = InvoiceFilter {
        client,
        status: status.transpose()?,
        month: params.month.as_deref().map(DayRange::month).transpose()?.map(|month| month.from),
        after: page.after()?,
        limit: page.fetch(),
    };
    let rows = api.store.invoices_list(caller.team_id(), &filter).await?;
    let List { data, has_more, next_cursor } =
        List::cut(rows, &page, |row| row.id, |row| InvoiceSummary::of(&row));
    Ok(Answer(List { data: data.into_iter().collect::<ApiResult<_>>()?, has_more, next_cursor }))
}

/// Whom to draft for: one client, or `all`.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftBody {
    /// Id or name.
    client: Option<String>,
    /// Every client that has something to bill.
    #[serde(default)]
    all: bool,
    /// `2026-10`; the last whole month in the client's zone where absent.
    month: Option<String>,
}

/// Drafts invoices of a month. Drafting again composes the draft anew.
#[utoipa::path(post, path = "/invoices", tag = "invoices", request_body = DraftBody,
    responses((status = 201, body = Drafted)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Json(body): Json<DraftBody>,
) -> ApiResult<(StatusCode, Answer<Drafted>)> {
    let month = body.month.as_deref();
    let drafted = match (&body.client, body.all) {
        (Some(reference), false) => {
            let client = find::<ClientRow>(&api, caller.team_id(), reference).await?;
            let view = draft(&api, DraftAsked { team: &caller.team, client: &client, month }).await?;
            Drafted { data: vec![view], skipped: Vec::new() }
        }
        (None, true) => draft_all(&api, &caller.team, month).await?,
        _ => return Err(ApiError::invalid("name a client, or set all to true")),
    };
    Ok((StatusCode::CREATED, Answer(drafted)))
}

/// In which form.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FormatParams {
    /// `json` (default), `csv` or `pdf`.
    format: Option<String>,
}

/// Shows an invoice; `format` gives it as a file.
#[utoipa::path(get, path = "/invoices/{invoice}", tag = "invoices",
    params(("invoice" = String, Path, description = "Id or number"), FormatParams),
    responses((status = 200, body = InvoiceView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewBilling>,
    Path(reference): Path<String>,
    Params(params): Params<FormatParams>,
) -> ApiResult<Response> {
    let format = Format::of(params.format.as_deref(), &[Format::Json, Format::Csv, Format::Pdf])?;
    let row = load(&api, caller.team_id(), &reference).await?;
    let stem = row.number.clone().unwrap_or_else(|| format!("draft-{}", row.id));
    Ok(match format {
        Format::Json => Answer(InvoiceView::of(&row)?).into_response(),
        Format::Csv => file(format, &stem, invoice_csv(&row)?),
        Format::Pdf => file(format, &stem, invoice_pdf(&api, &row).await?),
    })
}

/// What to be sure of.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FinalizeBody {
    /// Refuses when the total has changed since it was looked at.
    #[schema(value_type = Option<String>)]
    expected_total: Option<Decimal>,
}

/// Gives a draft its number and freezes it. It is composed anew from the ledger at that moment.
#[utoipa::path(post, path = "/invoices/{invoice}/finalize", tag = "invoices",
    params(("invoice" = String, Path, description = "Id")), request_body = FinalizeBody,
    responses((status = 200, body = InvoiceView)))]
pub(super) async fn finalize_one(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Path(reference): Path<String>,
    Json(body): Json<FinalizeBody>,
) -> ApiResult<Answer<InvoiceView>> {
    let row = load(&api, caller.team_id(), &reference).await?;
    Ok(Answer(finalize(&api, &caller, &row, body.expected_total).await?))
}

/// Notes that an invoice went to the client.
#[utoipa::path(post, path = "/invoices/{invoice}/send", tag = "invoices",
    params(("invoice" = String, Path, description = "Id or number")), responses((status = 200, body = InvoiceView)))]
pub(super) async fn send(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<InvoiceView>> {
    let row = load(&api, caller.team_id(), &reference).await?;
    Ok(Answer(advance(&api, &caller, &row, InvoiceAction::Send, None).await?))
}

/// Notes that an invoice is settled.
#[utoipa::path(post, path = "/invoices/{invoice}/mark-paid", tag = "invoices",
    params(("invoice" = String, Path, description = "Id or number")), responses((status = 200, body = InvoiceView)))]
pub(super) async fn mark_paid(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<InvoiceView>> {
    let row = load(&api, caller.team_id(), &reference).await?;
    Ok(Answer(advance(&api, &caller, &row, InvoiceAction::MarkPaid, None).await?))
}

/// Why it is withdrawn.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidBody {
    reason: Option<String>,
}

/// Withdraws an invoice. It keeps its number; its usage is unbilled again.
#[utoipa::path(post, path = "/invoices/{invoice}/void", tag = "invoices",
    params(("invoice" = String, Path, description = "Id or number")), request_body = VoidBody,
    responses((status = 200, body = InvoiceView)))]
pub(super) async fn void(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Path(reference): Path<String>,
    Json(body): Json<VoidBody>,
) -> ApiResult<Answer<InvoiceView>> {
    let row = load(&api, caller.team_id(), &reference).await?;
    let reason = body.reason.as_deref().map(|reason| text("reason", reason)).transpose()?;
    Ok(Answer(advance(&api, &caller, &row, InvoiceAction::Void, reason).await?))
}

async fn load(api: &ApiState, team: TeamId, reference: &str) -> ApiResult<InvoiceRow> {
    api.store.invoice_find(team, reference).await?.ok_or_else(|| ApiError::not_found("invoice", reference))
}
