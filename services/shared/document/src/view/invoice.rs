//! The pages of an invoice.

use rust_decimal::Decimal;
use serde::Serialize;
use tallystick_domain::invoice::{InvoiceDocument, InvoiceLine, InvoiceStatus, LineKind, Party, UNASSIGNED};

use super::Fact;
use super::evidence::{self, EvidenceView};
use crate::format::{
    NARROW, amount, count, date, exact, fixed, iban, moment, money, percent, period, short_count,
};
use crate::text::wrapping;

/// Everything that the invoice template prints.
#[derive(Debug, Serialize)]
pub(crate) struct InvoiceView {
    pub(crate) title: String,
    pub(crate) author: String,
    /// Set across the page.
    pub(crate) stamp: Option<&'static str>,
    pub(crate) logo: Option<&'static str>,
    pub(crate) heading: &'static str,
    pub(crate) subheading: String,
    pub(crate) issuer: PartyView,
    pub(crate) buyer: PartyView,
    pub(crate) facts: Vec<Fact>,
    pub(crate) due: Fact,
    pub(crate) columns: Columns,
    pub(crate) groups: Vec<Group>,
    pub(crate) totals: Vec<Fact>,
    pub(crate) total: Fact,
    pub(crate) payment: Vec<Fact>,
    pub(crate) payment_text: String,
    pub(crate) notes: Vec<String>,
    pub(crate) small_print: Vec<String>,
    pub(crate) footer: Vec<String>,
    pub(crate) evidence: Option<EvidenceView>,
}

/// Issuer or buyer as a block of lines.
#[derive(Debug, Serialize)]
pub(crate) struct PartyView {
    pub(crate) name: String,
    pub(crate) lines: Vec<String>,
}

/// Heads of the columns; `cost` only where the mark-up is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Columns {
    pub(crate) quantity: String,
    pub(crate) rate: String,
    pub(crate) cost: Option<String>,
    pub(crate) amount: String,
}

/// The lines of one project, or those that are not usage.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) lines: Vec<LineView>,
    /// Only where there is more than one line.
    pub(crate) subtotal: Option<String>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct LineView {
    pub(crate) title: String,
    /// On late usage: when it was used.
    pub(crate) late: Option<String>,
    pub(crate) detail: String,
    pub(crate) quantity: String,
    pub(crate) rate: String,
    pub(crate) cost: String,
    pub(crate) amount: String,
}

pub(crate) fn view(invoice: &InvoiceDocument, logo: Option<&'static str>) -> InvoiceView {
    let number = invoice.number.clone().unwrap_or_else(|| "Draft".to_owned());
    let subheading = match invoice.status {
        InvoiceStatus::Draft => "Draft, not yet an invoice".to_owned(),
        InvoiceStatus::Paid => "Paid, with thanks".to_owned(),
        InvoiceStatus::Void => "Void, nothing is owed".to_owned(),
        InvoiceStatus::Finalized | InvoiceStatus::Sent => String::new(),
    };
    InvoiceView {
        title: format!("Invoice {number}"),
        author: invoice.issuer.legal_name.clone(),
        stamp: match invoice.status {
            InvoiceStatus::Draft => Some("DRAFT"),
            InvoiceStatus::Void => Some("VOID"),
            InvoiceStatus::Finalized | InvoiceStatus::Sent | InvoiceStatus::Paid => None,
        },
        logo,
        heading: "Invoice",
        subheading,
        issuer: issuer(&invoice.issuer),
        buyer: buyer(&invoice.buyer),
        facts: facts(invoice, &number),
        due: Fact::new(due_label(invoice.status), money(invoice.total, invoice.currency)),
        columns: columns(invoice),
        groups: groups(invoice),
        totals: totals(invoice),
        total: Fact::new("Total", money(invoice.total, invoice.currency)),
        payment: payment(invoice),
        payment_text: payment_text(invoice),
        notes: invoice.notes.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(),
        small_print: small_print(invoice),
        footer: footer(&invoice.issuer),
        evidence: evidence::view(invoice),
    }
}

fn due_label(status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Draft => "Amount so far",
        InvoiceStatus::Finalized | InvoiceStatus::Sent => "Amount due",
        InvoiceStatus::Paid => "Amount paid",
        InvoiceStatus::Void => "Amount, withdrawn",
    }
}

fn issuer(party: &Party) -> PartyView {
    let mut lines: Vec<String> = party.address.iter().map(|line| wrapping(line)).collect();
    lines.extend(party.email.iter().map(|email| wrapping(email)));
    PartyView { name: wrapping(&party.legal_name), lines }
}

fn buyer(party: &Party) -> PartyView {
    let mut lines: Vec<String> = party.address.iter().map(|line| wrapping(line)).collect();
    lines.extend(party.vat_id.iter().map(|id| format!("VAT\u{a0}ID\u{a0}{}", id.replace(' ', "\u{a0}"))));
    lines.extend(party.email.iter().map(|email| wrapping(email)));
    PartyView { name: wrapping(&party.legal_name), lines }
}

fn facts(invoice: &InvoiceDocument, number: &str) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Invoice number", wrapping(number)),
        Fact::new("Issued", date(invoice.issue_date)),
        Fact::new("Due", date(invoice.due_date)),
        Fact::new("Terms", invoice.terms.in_words()),
        Fact::new("Usage period", period(invoice.period)),
    ];
    facts.extend(invoice.purchase_order.iter().map(|order| Fact::new("Purchase order", wrapping(order))));
    facts
}

fn columns(invoice: &InvoiceDocument) -> Columns {
    Columns {
        quantity: "Tokens".to_owned(),
        rate: format!("Average per 1M ({})", invoice.currency),
        cost: invoice.markup.shown.then(|| format!("Provider cost ({})", invoice.cost_currency)),
        amount: format!("Amount ({})", invoice.currency),
    }
}

/// Lines come sorted by project; what is not usage ends up in a group of its own.
fn groups(invoice: &InvoiceDocument) -> Vec<Group> {
    let mut groups: Vec<(Option<&str>, Vec<&InvoiceLine>)> = Vec::new();
    for line in &invoice.lines {
        let project = line.project.as_deref();
        match groups.last_mut() {
            Some((name, lines)) if *name == project => lines.push(line),
            _ => groups.push((project, vec![line])),
        }
    }
    groups
        .into_iter()
        .map(|(project, lines)| {
            let sum: Decimal = lines.iter().map(|line| line.charge).sum();
            Group {
                name: group_name(project),
                subtotal: (lines.len() > 1).then(|| amount(sum, invoice.currency)),
                lines: lines.into_iter().map(|line| line_view(line, invoice)).collect(),
            }
        })
        .collect()
}

pub(super) fn group_name(project: Option<&str>) -> String {
    match project {
        None => "As agreed".to_owned(),
        Some(UNASSIGNED) => "Without a project".to_owned(),
        Some(name) => wrapping(name),
    }
}

fn line_view(line: &InvoiceLine, invoice: &InvoiceDocument) -> LineView {
    let is_usage = matches!(line.kind, LineKind::Usage | LineKind::LateUsage);
    let tokens = line.unit == "tokens";
    let rate = Decimal::from(line.quantity);
    let rate = (line.charge * Decimal::from(1_000_000)).checked_div(rate).filter(|_| tokens);
    LineView {
        title: wrapping(if is_usage {
            line.model.as_deref().unwrap_or(&line.description)
        } else {
            &line.description
        }),
        late: line.period.map(|range| format!("used {}", period(range))),
        detail: if is_usage { detail(line) } else { String::new() },
        quantity: if tokens { count(line.quantity) } else { String::new() },
        rate: rate.map(|rate| fixed(rate, invoice.currency.minor_digits().max(2))).unwrap_or_default(),
        cost: if is_usage { fixed(line.cost, 4) } else { String::new() },
        amount: amount(line.charge, invoice.currency),
    }
}

/// The grey line below the model: who provided it, how often, and of what.
fn detail(line: &InvoiceLine) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(line.provider.iter().map(|provider| provider_name(provider)));
    let noun = if line.requests == 1 { "request" } else { "requests" };
    parts.push(format!("{}\u{a0}{noun}", count(line.requests)));
    if line.quantity > 0 && line.unit == "tokens" {
        parts.push(format!("{}\u{a0}in", short_count(line.input_tokens)));
        parts.push(format!("{}\u{a0}out", short_count(line.output_tokens)));
    }
    parts.join(" · ")
}

/// Well-known providers by the name they give themselves.
fn provider_name(provider: &str) -> String {
    let known = match provider {
        "openai" => "OpenAI",
        "anthropic" => "Anthropic",
        "gemini" | "google" => "Google",
        "mistral" => "Mistral",
        "deepseek" => "DeepSeek",
        "xai" => "xAI",
        "groq" => "Groq",
        other => return wrapping(other),
    };
    known.to_owned()
}

fn totals(invoice: &InvoiceDocument) -> Vec<Fact> {
    let mut totals = vec![Fact::new("Subtotal", amount(invoice.subtotal, invoice.currency))];
    if let Some(rate) = &invoice.tax_rate {
        totals.push(Fact {
            label: format!("{} {}", rate.label, percent(rate.percent)),
            value: amount(invoice.tax, invoice.currency),
        });
    }
    totals
}

fn payment(invoice: &InvoiceDocument) -> Vec<Fact> {
    let issuer = &invoice.issuer;
    let Some(account) = &issuer.iban else { return Vec::new() };
    let mut rows = vec![Fact::new("Account holder", wrapping(&issuer.legal_name))];
    rows.extend(issuer.bank.iter().map(|bank| Fact::new("Bank", wrapping(bank))));
    rows.push(Fact::new("IBAN", iban(account)));
    rows.extend(issuer.bic.iter().map(|bic| Fact::new("BIC", bic.clone())));
    rows.extend(invoice.number.iter().map(|number| Fact::new("Reference", wrapping(number))));
    rows
}

fn payment_text(invoice: &InvoiceDocument) -> String {
    match invoice.status {
        InvoiceStatus::Paid => "This invoice has been paid. Thank you.".to_owned(),
        InvoiceStatus::Void => "This invoice is void. Please do not pay it.".to_owned(),
        InvoiceStatus::Draft => "This is a draft. Please do not pay it yet.".to_owned(),
        InvoiceStatus::Finalized | InvoiceStatus::Sent if invoice.total <= Decimal::ZERO => {
            "Nothing is to be paid.".to_owned()
        }
        InvoiceStatus::Finalized | InvoiceStatus::Sent => {
            format!("Please pay {} by {}.", money(invoice.total, invoice.currency), date(invoice.due_date))
        }
    }
}

fn small_print(invoice: &InvoiceDocument) -> Vec<String> {
    let mut texts = Vec::new();
    texts.extend(invoice.watermark.map(|at| {
        format!(
            "Usage recorded up to {} is included; the usage period follows the time zone {}.",
            moment(at, &invoice.zone),
            invoice.zone
        )
    }));
    if invoice.lines.iter().any(|line| line.kind == LineKind::LateUsage) {
        texts.push(
            "Lines marked “used” bill usage of an earlier period that was reported after its invoice."
                .to_owned(),
        );
    }
    if invoice.markup.shown && !invoice.markup.percent.is_zero() {
        texts.push(format!("Amounts are the provider’s cost plus {}.", percent(invoice.markup.percent)));
    }
    if let Some(rate) = &invoice.exchange_rate {
        texts.push(format!(
            "1 {} = {} {} ({}, {}).",
            rate.from,
            exact(rate.rate, 2),
            invoice.currency,
            rate.source,
            date(rate.date)
        ));
    }
    if invoice.unrated_requests > 0 {
        texts.push(format!(
            "{}{NARROW}requests of this period have no price yet and are not included.",
            count(invoice.unrated_requests)
        ));
    }
    texts
}

fn footer(party: &Party) -> Vec<String> {
    let mut parts = vec![party.legal_name.clone()];
    parts.extend((!party.address.is_empty()).then(|| party.address.join(", ")));
    parts.extend(party.registration.iter().cloned());
    parts.extend(party.vat_id.iter().map(|id| format!("VAT\u{a0}ID\u{a0}{}", id.replace(' ', "\u{a0}"))));
    parts.extend(party.email.iter().cloned());
    parts
}
