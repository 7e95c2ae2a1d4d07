//! What callers see of an invoice.

use crate::api::error::ApiResult;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use tallystick_domain::invoice::{InvoiceDocument, InvoiceStatus};
use tallystick_domain::period::Zone;
use tallystick_domain::{Currency, InvoiceId};
use tallystick_runtime::Problem;
use tallystick_store::invoice::InvoiceRow;

/// An invoice: its document (frozen once it has a number), where it stands, and what it says about itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvoiceView {
    /// id, number, client, period {from, to}, currency, lines [{description, project, model, quantity, unit, cost, charge,
    /// evidence}], subtotal, tax, total, watermark, sha256 and everything else that its page shows.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub document: InvoiceDocument,
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    pub issued_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    pub sent_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    pub paid_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    pub voided_at: Option<Timestamp>,
    pub void_reason: Option<String>,
    /// Whether all usage of the period is known to be in.
    pub complete: bool,
    /// What the reader should know: usage that may be missing, requests without a price, details that are not set.
    pub warnings: Vec<String>,
}

/// One line of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvoiceSummary {
    #[schema(value_type = String)]
    pub id: InvoiceId,
    pub number: Option<String>,
    pub client: String,
    #[schema(value_type = Object)]
    pub period: tallystick_domain::period::DayRange,
    #[schema(value_type = String)]
    pub currency: Currency,
    #[schema(value_type = String)]
    pub status: InvoiceStatus,
    #[schema(value_type = String)]
    pub subtotal: Decimal,
    #[schema(value_type = String)]
    pub tax: Decimal,
    #[schema(value_type = String)]
    pub total: Decimal,
    #[schema(value_type = String)]
    pub issue_date: jiff::civil::Date,
    #[schema(value_type = String)]
    pub due_date: jiff::civil::Date,
    #[schema(value_type = Option<String>)]
    pub watermark: Option<Timestamp>,
    pub sha256: Option<String>,
}

/// The document of a row, with the state that the row is in.
pub(crate) fn document_of(row: &InvoiceRow) -> ApiResult<InvoiceDocument> {
    let mut document: InvoiceDocument =
        serde_json::from_str(&row.document).map_err(|error| Problem::internal(&error))?;
    document.status = row.status;
    Ok(document)
}

impl InvoiceView {
    pub(crate) fn of(row: &InvoiceRow) -> ApiResult<Self> {
        let document = document_of(row)?;
        let complete = is_complete(&document);
        Ok(Self {
            warnings: warnings(&document, complete),
            complete,
            document,
            created_at: row.created_at,
            issued_at: row.issued_at,
            sent_at: row.sent_at,
            paid_at: row.paid_at,
            voided_at: row.voided_at,
            void_reason: row.void_reason.clone(),
        })
    }
}

impl InvoiceSummary {
    pub(crate) fn of(row: &InvoiceRow) -> ApiResult<Self> {
        let document = document_of(row)?;
        Ok(Self {
            id: document.id,
            number: document.number,
            client: document.client,
            period: document.period,
            currency: document.currency,
            status: document.status,
            subtotal: document.subtotal,
            tax: document.tax,
            total: document.total,
            issue_date: document.issue_date,
            due_date: document.due_date,
            watermark: document.watermark,
            sha256: document.sha256,
        })
    }
}

/// Whether the ledger was complete to the end of the period, in the client's zone, when the document was composed.
fn is_complete(document: &InvoiceDocument) -> bool {
    let end = Zone::parse(&document.zone).and_then(|zone| zone.start_of(document.period.to));
    matches!((end, document.watermark), (Ok(end), Some(watermark)) if watermark >= end)
}

fn warnings(document: &InvoiceDocument, complete: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if !complete {
        let in_until = document.watermark.map_or_else(
            || "nothing says up to when usage is in".to_owned(),
            |watermark| format!("usage up to {watermark} is in, the period ends later"),
        );
        warnings.push(format!("{in_until}: what arrives afterwards becomes a line on the next invoice"));
    }
    if document.unrated_requests > 0 {
        warnings.push(format!(
            "{} requests have no price and are in no line; set prices, then: tallystick prices rerate",
            document.unrated_requests
        ));
    }
    if document.status == InvoiceStatus::Draft {
        warnings.extend(
            super::terms::missing(document, &document.client)
                .into_iter()
                .map(|missing| format!("the {} is missing; set it with: {}", missing.what, missing.command)),
        );
    }
    warnings
}
