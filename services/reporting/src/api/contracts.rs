//! `/contracts`: what was agreed with a client from a day on.

use super::ApiState;
use super::auth::{Can, ManageBilling, ViewBilling};
use super::clients::body::tax;
use super::error::{ApiError, ApiResult};
use super::extract::{Json, text};
use super::paging::List;
use super::references::{amount, find, live_client, percent};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tallystick_domain::invoice::{ExchangeRate, PaymentTerms};
use tallystick_domain::{ClientId, Currency};
use tallystick_store::control::{ClientRow, ContractRow};
use uuid::Uuid;

/// What was agreed; what is null is as the client says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ContractView {
    #[schema(value_type = String)]
    id: Uuid,
    /// Id of the client.
    #[schema(value_type = String)]
    client: ClientId,
    /// First billing day, in the client's zone.
    #[schema(value_type = String)]
    from: Date,
    #[schema(value_type = Option<String>)]
    markup: Option<Decimal>,
    markup_shown: Option<bool>,
    #[schema(value_type = Option<String>)]
    discount: Option<Decimal>,
    #[schema(value_type = Option<String>)]
    minimum: Option<Decimal>,
    /// Currency of the minimum.
    currency: String,
    tax_label: Option<String>,
    #[schema(value_type = Option<String>)]
    tax_percent: Option<Decimal>,
    terms: Option<String>,
    purchase_order: Option<String>,
    #[schema(value_type = Option<Object>)]
    exchange_rate: Option<serde_json::Value>,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

/// What is agreed from a day on; what is absent is as the client says.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContract {
    /// Id or name of the client.
    client: String,
    /// `2026-11-01`.
    #[schema(value_type = String)]
    from: Date,
    /// `20%` on top of the provider's cost.
    markup: Option<String>,
    markup_shown: Option<bool>,
    /// `5%` off the charges.
    discount: Option<String>,
    /// Least that a month costs, in the client's currency.
    #[schema(value_type = Option<String>)]
    minimum: Option<Decimal>,
    /// `VAT 19%`.
    tax: Option<String>,
    /// `14d`.
    #[schema(value_type = Option<String>)]
    terms: Option<PaymentTerms>,
    purchase_order: Option<String>,
    exchange_rate: Option<PinnedRate>,
}

/// A pinned rate: one unit of `from` is `rate` units of the client's currency.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PinnedRate {
    #[schema(value_type = String)]
    from: Currency,
    #[schema(value_type = String)]
    rate: Decimal,
    /// Where it comes from.
    source: String,
    /// The day that it was pinned.
    #[schema(value_type = String)]
    date: Date,
}

fn view(row: ContractRow, currency: Currency) -> ContractView {
    ContractView {
        id: row.id,
        client: row.client_id,
        from: row.from_date,
        markup: row.markup,
        markup_shown: row.markup_shown,
        discount: row.discount,
        minimum: row.minimum,
        currency: currency.code().to_owned(),
        tax_label: row.tax_label,
        tax_percent: row.tax_percent,
        terms: row.terms_days.map(|days| format!("{days}d")),
        purchase_order: row.purchase_order,
        exchange_rate: row.exchange_rate,
        created_at: row.created_at,
    }
}

/// Shows what was agreed with a client, newest first.
#[utoipa::path(get, path = "/contracts/{client}", tag = "contracts", params(("client" = String, Path, description = "Id or name")),
    responses((status = 200, body = List<ContractView>)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewBilling>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<List<ContractView>>> {
    let client: ClientRow = find(&api, caller.team_id(), &reference).await?;
    let rows = api.store.contracts_of(caller.team_id(), client.id).await?;
    Ok(Answer(List::whole(rows.into_iter().map(|row| view(row, client.currency)).collect())))
}

/// Sets what is agreed with a client from a day on. Earlier agreements stay as they are.
#[utoipa::path(post, path = "/contracts", tag = "contracts", request_body = NewContract,
    responses((status = 201, body = ContractView)))]
pub(super) async fn set(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Json(body): Json<NewContract>,
) -> ApiResult<(StatusCode, Answer<ContractView>)> {
    let client = live_client(&api, caller.team_id(), &body.client).await?;
    let discount = body.discount.as_deref().map(|discount| percent("discount", discount)).transpose()?;
    if discount.is_some_and(|discount| discount > Decimal::ONE_HUNDRED) {
        return Err(ApiError::invalid("discount is above 100%; more than everything can not be taken off"));
    }
    let (tax_label, tax_percent) = body.tax.as_deref().map(tax).transpose()?.unzip();
    let actor = caller.actor(&api);
    let row = ContractRow {
        team_id: caller.team_id(),
        id: api.ids.uuid(),
        client_id: client.id,
        from_date: body.from,
        markup: body.markup.as_deref().map(|markup| percent("markup", markup)).transpose()?,
        markup_shown: body.markup_shown,
        discount,
        minimum: body.minimum.map(|minimum| amount("minimum", minimum)).transpose()?,
        tax_label,
        tax_percent,
        terms_days: body.terms.map(|terms| i16::try_from(terms.as_days()).unwrap_or(i16::MAX)),
        purchase_order: body
            .purchase_order
            .as_deref()
            .map(|order| text("purchase_order", order))
            .transpose()?,
        exchange_rate: body.exchange_rate.map(|rate| pinned(rate, client.currency)).transpose()?,
        created_at: actor.at,
    };
    api.store.contract_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(view(row, client.currency))))
}

fn pinned(rate: PinnedRate, to: Currency) -> ApiResult<serde_json::Value> {
    if rate.from == to {
        return Err(ApiError::invalid(format!("exchange_rate is from {to} to {to}; leave it out")));
    }
    let checked = ExchangeRate {
        from: rate.from,
        rate: amount("exchange_rate.rate", rate.rate)?,
        source: text("exchange_rate.source", &rate.source)?,
        date: rate.date,
    };
    Ok(serde_json::to_value(checked).expect("a rate is plain data"))
}
