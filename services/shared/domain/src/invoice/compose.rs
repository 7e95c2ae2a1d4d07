//! Usage of a period, by project and model, becomes the lines of a draft.
//!
//! Phases: sort the usage; charge every item exactly; round all of them together; take the discount off; fill up to the
//! minimum; add adjustments; tax the sum. Cost: one sort and one pass.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amount::{part_of, sum};
use super::{
    Evidence, ExchangeRate, InvoiceDocument, InvoiceError, InvoiceLine, InvoiceStatus, LineKind, Markup,
    Party, PaymentTerms, TaxRate, UNASSIGNED, charge, round_half_even, round_lines, tax_on,
};
use crate::period::DayRange;
use crate::{ClientId, Currency, InvoiceId};

/// Everything that a draft is composed from: parties, contract and usage.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Identity of the invoice.
    pub id: InvoiceId,
    /// The client.
    pub client_id: ClientId,
    /// Name of the client.
    pub client: String,
    /// Who asks for the money.
    pub issuer: Party,
    /// Who owes it; an empty legal name becomes the client's name.
    pub buyer: Party,
    /// Billing days.
    pub period: DayRange,
    /// The client's IANA zone.
    pub zone: String,
    /// Provisional issue date.
    pub issue_date: Date,
    /// Payment terms.
    pub terms: PaymentTerms,
    /// Purchase order.
    pub purchase_order: Option<String>,
    /// Currency of the invoice.
    pub currency: Currency,
    /// Currency of the costs.
    pub cost_currency: Currency,
    /// Needed where both differ.
    pub exchange_rate: Option<ExchangeRate>,
    /// Mark-up, -100 to 1000 percent.
    pub markup: Markup,
    /// Percent taken off usage, 0 to 100.
    pub discount_percent: Option<Decimal>,
    /// What is charged at least, before adjustments and tax.
    pub minimum: Option<Decimal>,
    /// Tax on the subtotal.
    pub tax_rate: Option<TaxRate>,
    /// Usage per project, provider and model, late usage apart.
    pub usage: Vec<UsageItem>,
    /// What was agreed beside usage.
    pub adjustments: Vec<Adjustment>,
    /// Free text.
    pub notes: Option<String>,
    /// Usage up to here is in.
    pub watermark: Option<Timestamp>,
    /// Requests without a price.
    pub unrated_requests: u64,
}

/// Usage of one project and model.
#[derive(Clone, Debug, Default)]
pub struct UsageItem {
    /// Absent: without a project.
    pub project: Option<String>,
    /// Provider.
    pub provider: Option<String>,
    /// Model as the provider names it.
    pub model: String,
    /// Set for late usage: the period in which it happened.
    pub late_period: Option<DayRange>,
    /// Requests.
    pub requests: u64,
    /// Input tokens of every kind.
    pub input_tokens: u64,
    /// Output tokens of every kind.
    pub output_tokens: u64,
    /// Exact cost.
    pub cost: Decimal,
    /// How the cost comes about. What it leaves open becomes an evidence row of its own.
    pub evidence: Vec<Evidence>,
}

/// An agreed amount in the currency of the invoice; negative: in the client's favour.
#[derive(Clone, Debug)]
pub struct Adjustment {
    /// What the client reads.
    pub description: String,
    /// Rounded half-even to the minor unit.
    pub amount: Decimal,
}

/// Composes a draft.
///
/// # Errors
/// When a percentage or the exchange rate does not fit, or an amount leaves the range of 28 digits.
pub fn compose(draft: Draft) -> Result<InvoiceDocument, InvoiceError> {
    check_markup(draft.markup)?;
    let rate = conversion(&draft)?;
    let digits = draft.currency.minor_digits();
    let mut lines = usage_lines(draft.usage, draft.markup, rate, digits)?;
    let usage = sum(lines.iter().map(|line| line.charge))?;

    let discount = match draft.discount_percent {
        Some(percent) => part_of(usage, percent, digits, "discount")?,
        None => Decimal::new(0, digits),
    };
    if let Some(percent) = draft.discount_percent.filter(|_| !discount.is_zero()) {
        let text = format!("Discount of {} % on usage", percent.normalize());
        lines.push(other_line(LineKind::Discount, text, negated(discount)));
    }
    let discounted = usage.checked_sub(discount).ok_or(InvoiceError::Overflow("discount"))?;
    if let Some(minimum) = draft.minimum {
        let minimum = round_half_even(minimum, digits);
        if minimum > discounted {
            let gap = minimum.checked_sub(discounted).ok_or(InvoiceError::Overflow("minimum"))?;
            lines.push(other_line(LineKind::Minimum, "Fill-up to the agreed minimum".to_owned(), gap));
        }
    }
    for adjustment in draft.adjustments {
        let amount = round_half_even(adjustment.amount, digits);
        lines.push(other_line(LineKind::Adjustment, adjustment.description, amount));
    }
    for (position, line) in (1_u32..).zip(&mut lines) {
        line.position = position;
    }

    let subtotal = round_half_even(sum(lines.iter().map(|line| line.charge))?, digits);
    let tax = match &draft.tax_rate {
        Some(rate) => tax_on(subtotal, rate.percent, digits)?,
        None => Decimal::new(0, digits),
    };
    let total = subtotal.checked_add(tax).ok_or(InvoiceError::Overflow("total"))?;
    let mut buyer = draft.buyer;
    if buyer.legal_name.trim().is_empty() {
        buyer.legal_name.clone_from(&draft.client);
    }
    Ok(InvoiceDocument {
        id: draft.id,
        number: None,
        status: InvoiceStatus::Draft,
        client: draft.client,
        client_id: draft.client_id,
        issuer: draft.issuer,
        buyer,
        period: draft.period,
        zone: draft.zone,
        issue_date: draft.issue_date,
        due_date: draft.terms.due(draft.issue_date)?,
        terms: draft.terms,
        purchase_order: draft.purchase_order,
        currency: draft.currency,
        cost_currency: draft.cost_currency,
        exchange_rate: draft.exchange_rate.filter(|_| draft.cost_currency != draft.currency),
        markup: draft.markup,
        lines,
        discount,
        subtotal,
        tax_rate: draft.tax_rate,
        tax,
        total,
        notes: draft.notes,
        watermark: draft.watermark,
        unrated_requests: draft.unrated_requests,
        sha256: None,
    })
}

fn check_markup(markup: Markup) -> Result<(), InvoiceError> {
    let sensible = Decimal::NEGATIVE_ONE.saturating_mul(Decimal::ONE_HUNDRED)..=Decimal::ONE_THOUSAND;
    if sensible.contains(&markup.percent) {
        Ok(())
    } else {
        Err(InvoiceError::Percent { what: "mark-up", percent: markup.percent })
    }
}

/// The factor from cost currency to invoice currency.
fn conversion(draft: &Draft) -> Result<Decimal, InvoiceError> {
    if draft.cost_currency == draft.currency {
        return Ok(Decimal::ONE);
    }
    let Some(pinned) = &draft.exchange_rate else {
        return Err(InvoiceError::NoExchangeRate { cost: draft.cost_currency, invoice: draft.currency });
    };
    if pinned.from != draft.cost_currency || pinned.rate <= Decimal::ZERO {
        return Err(InvoiceError::BadExchangeRate { from: pinned.from, rate: pinned.rate });
    }
    Ok(pinned.rate)
}

fn usage_lines(
    mut usage: Vec<UsageItem>,
    markup: Markup,
    rate: Decimal,
    digits: u32,
) -> Result<Vec<InvoiceLine>, InvoiceError> {
    // By project, unassigned last; this period before late usage; dear models first.
    usage.sort_by(|a, b| {
        let key = |item: &UsageItem| (item.project.is_none(), item.project.clone(), item.late_period);
        key(a)
            .cmp(&key(b))
            .then(b.cost.cmp(&a.cost))
            .then_with(|| (&a.model, &a.provider).cmp(&(&b.model, &b.provider)))
    });
    let mut exact = Vec::with_capacity(usage.len());
    for item in &usage {
        let converted = item.cost.checked_mul(rate).ok_or(InvoiceError::Overflow("conversion"))?;
        exact.push(charge(converted, markup.percent)?);
    }
    let rounded = round_lines(&exact, digits)?;
    usage.into_iter().zip(rounded).map(|(item, charge)| usage_line(item, charge)).collect()
}

fn usage_line(item: UsageItem, charge: Decimal) -> Result<InvoiceLine, InvoiceError> {
    let tokens = item
        .input_tokens
        .checked_add(item.output_tokens)
        .ok_or(InvoiceError::Overflow("number of tokens"))?;
    let (quantity, unit) = if tokens > 0 { (tokens, "tokens") } else { (item.requests, "requests") };
    let kind = if item.late_period.is_some() { LineKind::LateUsage } else { LineKind::Usage };
    let description = match &item.provider {
        Some(provider) => format!("{} ({provider})", item.model),
        None => item.model.clone(),
    };
    let mut evidence = item.evidence;
    let explained = sum(evidence.iter().map(|row| row.amount))?;
    let open = item.cost.checked_sub(explained).ok_or(InvoiceError::Overflow("evidence"))?;
    if !open.is_zero() {
        evidence.push(Evidence {
            bucket: "adjustment".to_owned(),
            quantity: 0,
            unit: "item".to_owned(),
            unit_price: None,
            amount: open.normalize(),
            price_versions: Vec::new(),
        });
    }
    Ok(InvoiceLine {
        position: 0,
        kind,
        description,
        project: Some(item.project.unwrap_or_else(|| UNASSIGNED.to_owned())),
        provider: item.provider,
        model: Some(item.model),
        period: item.late_period,
        quantity,
        unit: unit.to_owned(),
        requests: item.requests,
        input_tokens: item.input_tokens,
        output_tokens: item.output_tokens,
        cost: item.cost.normalize(),
        charge,
        evidence,
    })
}

fn other_line(kind: LineKind, description: String, charge: Decimal) -> InvoiceLine {
    InvoiceLine {
        position: 0,
        kind,
        description,
        project: None,
        provider: None,
        model: None,
        period: None,
        quantity: 1,
        unit: "item".to_owned(),
        requests: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost: Decimal::ZERO,
        charge,
        evidence: Vec::new(),
    }
}

fn negated(amount: Decimal) -> Decimal {
    let mut amount = amount;
    amount.set_sign_negative(!amount.is_sign_negative());
    amount
}
