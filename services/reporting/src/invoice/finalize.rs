//! From draft to final, and what follows.

use super::compose::{Occasion, document};
use super::draft::load;
use super::terms::{Terms, missing};
use super::view::InvoiceView;
use crate::api::ApiState;
use crate::api::auth::Caller;
use crate::api::error::{ApiError, ApiResult};
use rust_decimal::Decimal;
use serde_json::json;
use tallystick_domain::invoice::{InvoiceAction, InvoiceStatus};
use tallystick_domain::period::Zone;
use tallystick_runtime::Problem;
use tallystick_store::StoreError;
use tallystick_store::control::ClientRow;
use tallystick_store::invoice::{Finalization, InvoiceMove, InvoiceRow};

/// Gives a draft its number and freezes it. It is composed anew under the lock; `expected` refuses a total that changed.
///
/// # Errors
/// `409` when it is no draft, when issuer or buyer are incomplete (with the commands that complete them), when the month
/// is not over, or when the total is not the expected one.
pub(crate) async fn finalize(
    api: &ApiState,
    caller: &Caller,
    row: &InvoiceRow,
    expected: Option<Decimal>,
) -> ApiResult<InvoiceView> {
    let team = &caller.team;
    row.status
        .after(InvoiceAction::Finalize)
        .map_err(|error| ApiError::conflict("invoice_state", error.to_string()))?;
    let client = row.client.to_string();
    let client: ClientRow = api
        .store
        .control_find(team.id, &client)
        .await?
        .ok_or_else(|| ApiError::not_found("client", &client))?;
    let terms = Terms::load(&api.store, team, &client, row.period).await?;
    let now = api.clock.now();
    if terms.zone.day_of(now) < row.period.to {
        let detail =
            format!("the month is not over: it ends on {} in {}", row.period.last_day(), terms.zone.name());
        return Err(ApiError::conflict("period_open", detail));
    }
    let watermark = api.store.ledger_watermark().await?.complete_until;
    let occasion = Occasion { id: row.id, month: row.period, issue_date: terms.zone.day_of(now), watermark };
    complete(&terms, row, occasion)?;
    let format = terms.number_format()?;
    let year = occasion.issue_date.year();
    let series = if format.restarts_each_year() { year.to_string() } else { "all".to_owned() };
    let day = Zone::parse(&team.zone)?.day_of(now);
    let (terms, format) = (&terms, &format);
    let done = api.store.invoice_finalize((team.id, row.id), &series, now, day, |numbered| {
        let refused = |error: &dyn std::error::Error| StoreError::conflict(error.to_string());
        let draft = document(terms, occasion, &numbered.basis).map_err(|error| refused(&error))?;
        if let Some(expected) = expected.filter(|expected| *expected != draft.total) {
            let text =
                format!("the total is {} by now and not {expected}; look at a fresh draft", draft.total);
            return Err(StoreError::conflict(text));
        }
        let number = format.number(year, numbered.seq);
        let frozen = draft.finalize(number.clone(), occasion.issue_date).map_err(|error| refused(&error))?;
        Ok(Finalization {
            number,
            document: serde_json::to_string(&frozen).map_err(|error| refused(&error))?,
            sha256: frozen.sha256.clone().unwrap_or_default(),
            currency: frozen.currency,
            total: frozen.total,
            logo: terms.issuer.as_ref().and_then(|issuer| issuer.logo.clone()),
        })
    });
    let row = done.await?.ok_or_else(|| ApiError::not_found("invoice", &row.id.to_string()))?;
    tracing::info!(invoice.id = %row.id, invoice.number = row.number.as_deref(), "an invoice was finalised");
    InvoiceView::of(&row)
}

/// Refuses a document that lacks what an invoice must name.
fn complete(terms: &Terms, row: &InvoiceRow, occasion: Occasion) -> ApiResult<()> {
    let shown = document(terms, occasion, &tallystick_store::invoice::InvoiceBasis::default())?;
    let mut missing = missing(&shown, &terms.client.name);
    if terms.client.legal_name.trim().is_empty() {
        missing.retain(|item| item.what != "legal name of the client");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = missing.iter().map(|item| item.what).collect();
    let mut commands: Vec<&str> = missing.iter().map(|item| item.command.as_str()).collect();
    commands.dedup();
    let detail =
        format!("invoice {} lacks the {}; set it with: {}", row.id, what.join(", the "), commands.join("; "));
    Err(Problem::conflict("incomplete_parties", detail)
        .with("missing", json!(what))
        .with("commands", json!(commands))
        .into())
}

/// Sends, pays or voids an invoice that has its number.
///
/// # Errors
/// `409` when its state does not allow it.
pub(crate) async fn advance(
    api: &ApiState,
    caller: &Caller,
    row: &InvoiceRow,
    action: InvoiceAction,
    reason: Option<String>,
) -> ApiResult<InvoiceView> {
    row.status.after(action).map_err(|error| {
        let hint = if row.status == InvoiceStatus::Draft { "; finalize it first" } else { "" };
        ApiError::conflict("invoice_state", format!("{error}{hint}"))
    })?;
    let now = api.clock.now();
    let step = match action {
        InvoiceAction::Send => InvoiceMove::Sent,
        InvoiceAction::MarkPaid => InvoiceMove::Paid,
        InvoiceAction::Void => {
            let reason = reason.unwrap_or_else(|| format!("voided by {}", caller.actor(api).name));
            InvoiceMove::Void { reason, day: Zone::parse(&caller.team.zone)?.day_of(now) }
        }
        InvoiceAction::Finalize => {
            return Err(ApiError::conflict("invoice_state", "a draft is finalised by its own call"));
        }
    };
    api.store.invoice_move(row, &step, now).await?;
    InvoiceView::of(&load(api, &caller.team, row.id).await?)
}
