//! Drafts: composed from what is unbilled now, as often as one likes.

use super::compose::{ComposeError, Occasion, document};
use super::terms::Terms;
use super::view::InvoiceView;
use crate::api::ApiState;
use crate::api::error::{ApiError, ApiResult};
use jiff::civil::Date;
use serde::Serialize;
use tallystick_domain::InvoiceId;
use tallystick_domain::period::{DayRange, PeriodError, Zone};
use tallystick_runtime::Problem;
use tallystick_store::control::{ClientRow, ListFilter, TeamRow};
use tallystick_store::invoice::{BasisQuery, DraftContent};

/// What to draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DraftAsked<'a> {
    pub(crate) team: &'a TeamRow,
    pub(crate) client: &'a ClientRow,
    /// `2026-10`; the last whole month in the client's zone where absent.
    pub(crate) month: Option<&'a str>,
}

/// What drafting gave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Drafted {
    pub data: Vec<InvoiceView>,
    /// Clients without an invoice for that month, and why.
    pub skipped: Vec<Skipped>,
}

/// A client that got no draft.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Skipped {
    pub client: String,
    /// `internal`, `nothing_to_bill`, `already_invoiced`, or the code of what stands in the way.
    pub code: &'static str,
    pub reason: String,
}

/// The month that is meant: by default the last whole one in the zone.
///
/// # Errors
/// `400` when it is no month.
fn month_of(asked: Option<&str>, zone: &Zone, today: Date) -> ApiResult<DayRange> {
    match asked {
        Some(month) => Ok(DayRange::month(month)?),
        None => {
            let first = DayRange::month_of(today)?.from;
            let before = first.yesterday().map_err(|_| PeriodError::Month(zone.name().to_owned()))?;
            Ok(DayRange::month_of(before)?)
        }
    }
}

/// Drafts a client's month, or composes its draft anew.
///
/// # Errors
/// `409` for an internal client, a month that was invoiced, or one with nothing to bill.
pub(crate) async fn draft(api: &ApiState, asked: DraftAsked<'_>) -> ApiResult<InvoiceView> {
    let DraftAsked { team, client, month } = asked;
    if client.internal {
        let detail =
            format!("'{}' is the team itself; its usage is reported and never invoiced", client.name);
        return Err(ApiError::conflict("internal", detail));
    }
    let zone = Zone::parse(&client.zone)?;
    let month = month_of(month, &zone, zone.day_of(api.clock.now()))?;
    if let Some(number) = api.store.invoice_in_force(team.id, client.id, month).await? {
        let detail = format!(
            "'{}' was invoiced for {} as {number}; what arrives later becomes a line on the next month's invoice",
            client.name,
            month.from.strftime("%Y-%m")
        );
        return Err(ApiError::conflict("already_invoiced", detail));
    }
    let terms = Terms::load(&api.store, team, client, month).await?;
    let watermark = api.store.ledger_watermark().await?.complete_until;
    let query = BasisQuery { team: team.id, client: client.id, month };
    let basis = api.store.invoice_basis(query).await?;
    let known = api.store.invoice_draft_of(team.id, client.id, month).await?;
    let id = known.map_or_else(|| api.ids.typed(InvoiceId::from_uuid), |draft| draft.id);
    let occasion = Occasion { id, month, issue_date: zone.day_of(api.clock.now()), watermark };
    let document = document(&terms, occasion, &basis).map_err(ApiError::from)?;
    if document.lines.is_empty() {
        let detail = format!("'{}' has nothing to bill for {}", client.name, month.from.strftime("%Y-%m"));
        return Err(ApiError::conflict("nothing_to_bill", detail));
    }
    let content = DraftContent {
        team: team.id,
        id,
        client: client.id,
        period: month,
        currency: document.currency,
        total: document.total,
        cost: basis.cost(),
        document: serde_json::to_string(&document).map_err(|error| Problem::internal(&error))?,
        at: api.clock.now(),
    };
    api.store.invoice_draft_put(&content).await?;
    InvoiceView::of(&load(api, team, id).await?)
}

/// Drafts a month for every client that has something to bill.
///
/// # Errors
/// When the database is away; what stands in the way of one client is told and stops no other.
pub(crate) async fn draft_all(api: &ApiState, team: &TeamRow, month: Option<&str>) -> ApiResult<Drafted> {
    let filter = ListFilter { name: None, archived: true, after: None, limit: i64::MAX };
    let clients: Vec<ClientRow> = api.store.control_list(team.id, &filter).await?;
    let mut drafted = Drafted { data: Vec::new(), skipped: Vec::new() };
    for client in &clients {
        match draft(api, DraftAsked { team, client, month }).await {
            Ok(view) => drafted.data.push(view),
            Err(error) if error.problem().status().is_client_error() => {
                let problem = error.problem();
                let nothing = problem.code() == "nothing_to_bill" && client.archived_at.is_some();
                if problem.code() == "invalid_period" {
                    return Err(error);
                }
                if !nothing {
                    drafted.skipped.push(Skipped {
                        client: client.name.clone(),
                        code: problem.code(),
                        reason: problem.detail().to_owned(),
                    });
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(drafted)
}

/// An invoice that is there.
pub(super) async fn load(
    api: &ApiState,
    team: &TeamRow,
    id: InvoiceId,
) -> ApiResult<tallystick_store::invoice::InvoiceRow> {
    let id = id.to_string();
    api.store.invoice_find(team.id, &id).await?.ok_or_else(|| ApiError::not_found("invoice", &id))
}

impl From<ComposeError> for ApiError {
    fn from(error: ComposeError) -> Self {
        let code = match &error {
            ComposeError::Invoice(tallystick_domain::invoice::InvoiceError::NoExchangeRate { .. }) => {
                "no_exchange_rate"
            }
            _ => "not_composable",
        };
        ApiError::conflict(code, error.to_string())
    }
}
