//! An invoice as a file.

use super::view::document_of;
use crate::api::ApiState;
use crate::api::error::ApiResult;
use crate::csv_file::{Cell, csv_file};
use crate::render_job::render;
use sha2::{Digest as _, Sha256};
use tallystick_domain::invoice::{InvoiceDocument, InvoiceStatus, LineKind};
use tallystick_store::invoice::InvoiceRow;

const COLUMNS: [&str; 20] = [
    "number",
    "status",
    "client",
    "period_from",
    "period_to",
    "position",
    "kind",
    "description",
    "project",
    "provider",
    "model",
    "usage_from",
    "usage_to",
    "quantity",
    "unit",
    "requests",
    "cost",
    "cost_currency",
    "charge",
    "currency",
];

/// One line per invoice line, tax last.
pub(crate) fn invoice_csv(row: &InvoiceRow) -> ApiResult<Vec<u8>> {
    let document = document_of(row)?;
    let head = |document: &InvoiceDocument| {
        vec![
            document.number.clone().map_or(Cell::Empty, Cell::text),
            Cell::exact(document.status),
            Cell::text(document.client.clone()),
            Cell::exact(document.period.from),
            Cell::exact(document.period.to),
        ]
    };
    let text = |value: &Option<String>| value.clone().map_or(Cell::Empty, Cell::text);
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(document.lines.len() + 1);
    for line in &document.lines {
        let mut cells = head(&document);
        cells.extend([
            Cell::exact(line.position),
            Cell::exact(kind(line.kind)),
            Cell::text(line.description.clone()),
            text(&line.project),
            text(&line.provider),
            text(&line.model),
            Cell::maybe(line.period.map(|period| period.from)),
            Cell::maybe(line.period.map(|period| period.to)),
            Cell::exact(line.quantity),
            Cell::text(line.unit.clone()),
            Cell::exact(line.requests),
            Cell::exact(line.cost),
            Cell::exact(document.cost_currency),
            Cell::exact(line.charge),
            Cell::exact(document.currency),
        ]);
        rows.push(cells);
    }
    if let Some(rate) = document.tax_rate.as_ref().filter(|_| !document.tax.is_zero()) {
        let mut cells = head(&document);
        cells.extend([
            Cell::Empty,
            Cell::exact("tax"),
            Cell::text(format!("{} {} %", rate.label, rate.percent.normalize())),
        ]);
        cells.extend(vec![Cell::Empty; COLUMNS.len() - cells.len() - 2]);
        cells.extend([Cell::exact(document.tax), Cell::exact(document.currency)]);
        rows.push(cells);
    }
    Ok(csv_file(COLUMNS, rows))
}

const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Usage => "usage",
        LineKind::LateUsage => "late_usage",
        LineKind::Discount => "discount",
        LineKind::Minimum => "minimum",
        LineKind::Adjustment => "adjustment",
    }
}

/// The PDF. Of a finalised invoice it is made once and kept; drafts and void ones carry their watermark and are made anew.
pub(crate) async fn invoice_pdf(api: &ApiState, row: &InvoiceRow) -> ApiResult<Vec<u8>> {
    let mut document = document_of(row)?;
    let marked = matches!(row.status, InvoiceStatus::Draft | InvoiceStatus::Void);
    if !marked {
        if let Some(kept) = api.store.invoice_pdf(row.team, row.id).await? {
            return Ok(kept);
        }
        // The page does not tell sent from paid: it is the one that was issued.
        document.status = InvoiceStatus::Finalized;
    }
    let logo = match row.status {
        InvoiceStatus::Draft => api.store.issuer_load(row.team).await?.and_then(|issuer| issuer.logo),
        _ => row.logo.clone(),
    };
    let pdf = render(api, move |renderer| renderer.invoice(&document, logo.as_deref())).await?;
    if marked {
        return Ok(pdf);
    }
    let sha256: String = Sha256::digest(&pdf).iter().map(|byte| format!("{byte:02x}")).collect();
    api.store.invoice_pdf_keep((row.team, row.id), &pdf, &sha256, api.clock.now()).await?;
    Ok(api.store.invoice_pdf(row.team, row.id).await?.unwrap_or(pdf))
}
