//! Terms and unbilled usage become a document.

use super::terms::Terms;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use tallystick_domain::invoice::{
    Draft, Evidence, InvoiceDocument, InvoiceError, Markup, PaymentTerms, TaxRate, UsageItem, compose,
};
use tallystick_domain::period::DayRange;
use tallystick_domain::usage::PricedLine;
use tallystick_domain::{InvoiceId, PriceVersionId, ProjectId};
use tallystick_store::invoice::{InvoiceBasis, UnbilledEvidence, UnbilledUsage};

/// Why usage does not become an invoice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    #[error("the client's usage is in more than one currency ({0} and {1})")]
    Currencies(tallystick_domain::Currency, tallystick_domain::Currency),
}

/// Which invoice, when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion {
    pub(crate) id: InvoiceId,
    pub(crate) month: DayRange,
    pub(crate) issue_date: Date,
    /// Usage up to here is in.
    pub(crate) watermark: Option<Timestamp>,
}

/// The document of an invoice as of now.
pub(crate) fn document(
    terms: &Terms,
    occasion: Occasion,
    basis: &InvoiceBasis,
) -> Result<InvoiceDocument, ComposeError> {
    let cost_currency = terms.team.currency;
    if let Some(other) = basis.usage.iter().find(|usage| usage.currency != cost_currency) {
        return Err(ComposeError::Currencies(cost_currency, other.currency));
    }
    let client = &terms.client;
    let tax_rate = match (&client.tax_label, client.tax_percent) {
        (Some(label), Some(percent)) => Some(TaxRate { label: label.clone(), percent }),
        _ => None,
    };
    let draft = Draft {
        id: occasion.id,
        client_id: client.id,
        client: client.name.clone(),
        issuer: terms.issuer_party(),
        buyer: terms.buyer_party(),
        period: occasion.month,
        zone: client.zone.clone(),
        issue_date: occasion.issue_date,
        terms: PaymentTerms::days(client.terms_days.unsigned_abs())?,
        purchase_order: client.purchase_order.clone(),
        currency: client.currency,
        cost_currency,
        exchange_rate: terms.exchange_rate.clone(),
        markup: Markup { percent: client.markup, shown: client.markup_shown },
        discount_percent: terms.contract.as_ref().and_then(|contract| contract.discount),
        minimum: terms.contract.as_ref().and_then(|contract| contract.minimum),
        tax_rate,
        usage: items(occasion.month, basis),
        adjustments: Vec::new(),
        notes: None,
        watermark: occasion.watermark,
        unrated_requests: basis.unrated_requests.max(0).unsigned_abs(),
    };
    Ok(compose(draft)?)
}

/// What one line is about.
type LineKey<'a> = (Option<ProjectId>, &'a str, &'a str, Date);

fn items(month: DayRange, basis: &InvoiceBasis) -> Vec<UsageItem> {
    let mut evidence: BTreeMap<LineKey<'_>, Vec<&UnbilledEvidence>> = BTreeMap::new();
    for row in &basis.evidence {
        evidence.entry((row.project, &row.provider, &row.model, row.month)).or_default().push(row);
    }
    basis
        .usage
        .iter()
        .map(|usage| {
            let key = (usage.project, usage.provider.as_str(), usage.model.as_str(), usage.month);
            item(month, usage, evidence.get(&key).map_or(&[][..], Vec::as_slice))
        })
        .collect()
}

/// Counts that a correction took below zero are shown as zero: the money tells the rest.
fn item(month: DayRange, usage: &UnbilledUsage, evidence: &[&UnbilledEvidence]) -> UsageItem {
    let count = |n: i64| n.max(0).unsigned_abs();
    let late = usage.month < month.from;
    UsageItem {
        project: usage.project.map(|id| usage.project_name.clone().unwrap_or_else(|| id.to_string())),
        provider: Some(usage.provider.clone()),
        model: usage.model.clone(),
        late_period: late.then(|| DayRange::month_of(usage.month).ok()).flatten(),
        requests: count(usage.requests),
        input_tokens: count(usage.input_tokens),
        output_tokens: count(usage.output_tokens),
        cost: usage.cost,
        evidence: rows(evidence),
    }
}

/// One row per bucket and unit price, with every price version that stated it. What was taken back has no quantity; the
/// composition shows it as one row for the rest.
fn rows(evidence: &[&UnbilledEvidence]) -> Vec<Evidence> {
    let mut merged: BTreeMap<(usize, Decimal), (PricedLine, Vec<PriceVersionId>)> = BTreeMap::new();
    for row in evidence.iter().filter(|row| row.quantity > 0 && row.amount >= Decimal::ZERO) {
        let empty =
            PricedLine { bucket: row.bucket, quantity: 0, unit_price: row.unit_price, amount: Decimal::ZERO };
        let (line, versions) =
            merged.entry((row.bucket.index(), row.unit_price)).or_insert_with(|| (empty, Vec::new()));
        line.quantity = line.quantity.saturating_add(row.quantity.unsigned_abs());
        line.amount = line.amount.saturating_add(row.amount);
        if !versions.contains(&row.price_version) {
            versions.push(row.price_version);
        }
    }
    merged.into_values().map(|(line, versions)| Evidence::priced(&line, versions)).collect()
}
