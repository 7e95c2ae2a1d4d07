//! "How these amounts come about": every price and what was bought at it.
//!
//! Where the mark-up is shown, prices are the provider's and the mark-up is a row of its own. Where it is not, prices
//! have it in them, so that the page adds up and gives nothing away. Either way a model's rows lead to its line.

use rust_decimal::Decimal;
use serde::Serialize;
use tallystick_domain::PriceVersionId;
use tallystick_domain::invoice::{Evidence, InvoiceDocument, InvoiceLine, charge};

use super::Fact;
use super::invoice::group_name;
use crate::format::{count, exact, money, percent, period};
use crate::text::wrapping;

/// The evidence page.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceView {
    pub(crate) heading: &'static str,
    pub(crate) intro: String,
    pub(crate) price_column: String,
    pub(crate) amount_column: String,
    pub(crate) models: Vec<ModelView>,
    /// What the short references stand for.
    pub(crate) versions: Vec<Fact>,
    pub(crate) fingerprint: Option<String>,
}

/// One invoice line, taken apart.
#[derive(Debug, Serialize)]
pub(crate) struct ModelView {
    pub(crate) title: String,
    pub(crate) group: String,
    pub(crate) rows: Vec<RowView>,
    pub(crate) sums: Vec<Fact>,
    pub(crate) charged: Fact,
}

/// One price.
#[derive(Debug, Serialize)]
pub(crate) struct RowView {
    pub(crate) bucket: String,
    pub(crate) quantity: String,
    pub(crate) price: String,
    pub(crate) unit: String,
    pub(crate) amount: String,
    pub(crate) version: String,
}

/// Absent when no line has evidence.
pub(crate) fn view(invoice: &InvoiceDocument) -> Option<EvidenceView> {
    let lines: Vec<&InvoiceLine> = invoice.lines.iter().filter(|line| !line.evidence.is_empty()).collect();
    if lines.is_empty() {
        return None;
    }
    let mut versions: Vec<PriceVersionId> = Vec::new();
    for id in lines.iter().flat_map(|line| &line.evidence).flat_map(|row| &row.price_versions) {
        if !versions.contains(id) {
            versions.push(*id);
        }
    }
    let hidden = !invoice.markup.shown && !invoice.markup.percent.is_zero();
    Some(EvidenceView {
        heading: "How these amounts come about",
        intro: intro(invoice),
        price_column: format!("Price ({})", invoice.cost_currency),
        amount_column: format!("Amount ({})", invoice.cost_currency),
        models: lines.iter().map(|line| model(line, invoice, hidden, &versions)).collect(),
        versions: versions
            .iter()
            .enumerate()
            .map(|(index, id)| Fact { label: reference(index), value: id.to_string() })
            .collect(),
        fingerprint: invoice.sha256.clone(),
    })
}

fn intro(invoice: &InvoiceDocument) -> String {
    let mut text = String::from(
        "Every call is recorded with the quantities that the provider reported and with the price in force at that \
         moment. Quantity times price gives each amount below, exactly; ",
    );
    if invoice.exchange_rate.is_some() {
        text.push_str("the sum is converted at the pinned rate and ");
    }
    text.push_str(&format!(
        "only the lines of the invoice are rounded, to the smallest unit of {} and so that they add up to the rounded sum.",
        invoice.currency
    ));
    text
}

fn reference(index: usize) -> String {
    format!("P{}", index + 1)
}

fn model(
    line: &InvoiceLine,
    invoice: &InvoiceDocument,
    hidden: bool,
    versions: &[PriceVersionId],
) -> ModelView {
    let shown = |value: Decimal| {
        if hidden { charge(value, invoice.markup.percent).unwrap_or(value) } else { value }
    };
    let sum: Decimal = line.evidence.iter().map(|row| shown(row.amount)).sum();
    let marked_up = invoice.markup.shown && !invoice.markup.percent.is_zero();
    let marked = if marked_up { charge(sum, invoice.markup.percent).unwrap_or(sum) } else { sum };
    // Decimals line up within a model: all amounts get as many as the longest needs.
    let digits = line
        .evidence
        .iter()
        .map(|row| shown(row.amount).normalize().scale())
        .chain([sum, marked].map(|total| total.normalize().scale()))
        .fold(2, u32::max);
    let mut sums = vec![Fact::new("Sum", exact(sum, digits))];
    if marked_up {
        let label = format!("plus {} mark-up", percent(invoice.markup.percent));
        sums.push(Fact { label, value: exact(marked - sum, digits) });
        sums.push(Fact::new("Exact charge", exact(marked, digits)));
    }
    ModelView {
        title: wrapping(line.model.as_deref().unwrap_or(&line.description)),
        group: match line.period {
            Some(range) => format!("{}, used {}", group_name(line.project.as_deref()), period(range)),
            None => group_name(line.project.as_deref()),
        },
        rows: line
            .evidence
            .iter()
            .filter(|row| row.quantity > 0 || !row.amount.is_zero())
            .map(|row| row_view(row, &shown, digits, versions))
            .collect(),
        sums,
        charged: Fact::new("On the invoice", money(line.charge, invoice.currency)),
    }
}

fn row_view(
    row: &Evidence,
    shown: &impl Fn(Decimal) -> Decimal,
    digits: u32,
    versions: &[PriceVersionId],
) -> RowView {
    let references: Vec<String> = versions
        .iter()
        .enumerate()
        .filter(|(_, id)| row.price_versions.contains(id))
        .map(|(index, _)| reference(index))
        .collect();
    RowView {
        bucket: bucket_name(&row.bucket),
        quantity: if row.unit_price.is_some() { count(row.quantity) } else { String::new() },
        price: row.unit_price.map(|price| exact(shown(price), 2)).unwrap_or_default(),
        unit: if row.unit_price.is_some() { format!("per {}", row.unit) } else { String::new() },
        amount: exact(shown(row.amount), digits),
        version: references.join(", "),
    }
}

/// Buckets in words; one that this version does not know is spelled out of its name.
fn bucket_name(bucket: &str) -> String {
    let known = match bucket {
        "input_uncached" => "Input",
        "cache_read" => "Input, read from cache",
        "cache_read_audio" => "Audio input, read from cache",
        "cache_write_5m" => "Input, written to cache (5 minutes)",
        "cache_write_1h" => "Input, written to cache (1 hour)",
        "input_audio" => "Audio input",
        "input_image" => "Image input",
        "output_text" => "Output",
        "output_reasoning" => "Output, reasoning",
        "output_audio" => "Audio output",
        "output_image" => "Image output",
        "web_searches" => "Web searches",
        "web_fetches" => "Web fetches",
        "images" => "Images",
        "seconds" => "Seconds",
        "characters" => "Characters",
        "requests" => "Fee per request",
        "adjustment" => "Corrections",
        other => return wrapping(&other.replace('_', " ")),
    };
    known.to_owned()
}
