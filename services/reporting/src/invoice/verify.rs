//! The proof of the invoices, for `tallystick verify`.

use rust_decimal::Decimal;
use serde::Serialize;
use tallystick_domain::invoice::InvoiceDocument;
use tallystick_store::invoice::InvoiceRow;
use tallystick_store::{Store, StoreError};

/// Documents read at a time.
const PAGE: i64 = 200;
/// Findings told in a check's detail.
const TOLD: usize = 5;

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceCheck {
    pub name: String,
    pub ok: bool,
    /// Invoices or accounts looked at.
    pub checked: u64,
    /// What is wrong, or what was proved.
    pub detail: String,
}

impl InvoiceCheck {
    fn of_findings(name: &str, checked: u64, findings: &[String], proved: &str) -> Self {
        let told = findings.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
        let detail = match findings.len() {
            0 => proved.to_owned(),
            n if n > TOLD => format!("{told}; and {} more", n - TOLD),
            _ => told,
        };
        Self { name: name.to_owned(), ok: findings.is_empty(), checked, detail }
    }
}

/// Numbers, accounts, hashes and sums of every finalised invoice of the instance.
///
/// # Errors
/// When the database is away; findings are no errors.
pub async fn verify_invoices(store: &Store) -> Result<Vec<InvoiceCheck>, StoreError> {
    let mut checks: Vec<InvoiceCheck> = Vec::new();
    for comparison in store.invoice_figures().await?.comparisons {
        checks.push(InvoiceCheck::of_findings(
            comparison.name,
            comparison.checked,
            &comparison.findings,
            "they agree",
        ));
    }
    let (mut checked, mut broken, mut unsound) = (0, Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let page = store.invoices_frozen(after, PAGE).await?;
        for row in &page {
            checked += 1;
            broken.extend(hash_finding(row));
            unsound.extend(sum_finding(row));
        }
        after = page.last().map(|row| row.id);
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            break;
        }
    }
    checks.push(InvoiceCheck::of_findings(
        "invoices are what was frozen",
        checked,
        &broken,
        "every hash fits its document",
    ));
    checks.push(InvoiceCheck::of_findings(
        "invoice lines add up",
        checked,
        &unsound,
        "lines, tax and totals agree",
    ));
    Ok(checks)
}

fn name(row: &InvoiceRow) -> String {
    row.number.clone().unwrap_or_else(|| row.id.to_string())
}

fn read(row: &InvoiceRow) -> Option<InvoiceDocument> {
    serde_json::from_str(&row.document).ok()
}

fn hash_finding(row: &InvoiceRow) -> Option<String> {
    let intact = read(row).is_some_and(|document| {
        document.is_intact().unwrap_or(false)
            && document.sha256 == row.sha256
            && document.number == row.number
    });
    (!intact).then(|| format!("{} is not what its hash says", name(row)))
}

fn sum_finding(row: &InvoiceRow) -> Option<String> {
    let Some(document) = read(row) else { return Some(format!("{} can not be read", name(row))) };
    let sum =
        |amounts: &mut dyn Iterator<Item = Decimal>| amounts.fold(Decimal::ZERO, Decimal::saturating_add);
    let lines = sum(&mut document.lines.iter().map(|line| line.charge));
    let cost = sum(&mut document.lines.iter().map(|line| line.cost));
    let explained = document.lines.iter().all(|line| {
        line.evidence.is_empty() && line.cost.is_zero()
            || sum(&mut line.evidence.iter().map(|row| row.amount)) == line.cost
    });
    let total = document.subtotal.saturating_add(document.tax);
    let sound =
        lines == document.subtotal && total == document.total && total == row.total && cost == row.cost;
    (!(sound && explained)).then(|| {
        format!(
            "{}: lines {lines}, subtotal {}, total {}, cost {cost} of {}",
            name(row),
            document.subtotal,
            document.total,
            row.cost
        )
    })
}

#[cfg(test)]
mod tests;
