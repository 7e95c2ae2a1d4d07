//! The content of an invoice. Money is a decimal string in JSON, counts are numbers, dates are `2026-10-31`.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::PaymentTerms;
use crate::period::DayRange;
use crate::usage::{PricedLine, Unit};
use crate::{ClientId, Currency, InvoiceId, PriceVersionId};

/// Stands for usage that names no project.
pub const UNASSIGNED: &str = "unassigned";

/// The unit that token prices are given in.
pub const TOKEN_UNIT: &str = "1M tokens";

/// An invoice with everything that its page shows; once finalised it is stored as it is and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDocument {
    /// Identity from draft on.
    pub id: InvoiceId,
    /// Gapless number, given when finalised.
    pub number: Option<String>,
    /// Where it stands. Not part of the hash: sending and paying do not change the document.
    pub status: InvoiceStatus,
    /// Name of the client as the team calls it.
    pub client: String,
    /// The client.
    pub client_id: ClientId,
    /// Who asks for the money.
    pub issuer: Party,
    /// Who owes it.
    pub buyer: Party,
    /// Billing days in `zone`, `to` exclusive.
    pub period: DayRange,
    /// The client's IANA zone.
    pub zone: String,
    /// Issue date; provisional while a draft.
    pub issue_date: Date,
    /// Due date: issue date plus terms.
    pub due_date: Date,
    /// Payment terms.
    pub terms: PaymentTerms,
    /// The client's purchase order.
    pub purchase_order: Option<String>,
    /// Currency of charges, subtotal, tax and total.
    pub currency: Currency,
    /// Currency of costs and evidence: what the provider charges in.
    pub cost_currency: Currency,
    /// The pinned rate, where both currencies differ.
    pub exchange_rate: Option<ExchangeRate>,
    /// Mark-up on the cost.
    pub markup: Markup,
    /// What is charged, in the order of the page.
    pub lines: Vec<InvoiceLine>,
    /// Sum of the discount lines as a positive amount; already taken off the subtotal.
    pub discount: Decimal,
    /// Sum of all lines.
    pub subtotal: Decimal,
    /// The tax rate, where one applies.
    pub tax_rate: Option<TaxRate>,
    /// Tax on the subtotal.
    pub tax: Decimal,
    /// Subtotal plus tax.
    pub total: Decimal,
    /// Free text of the issuer.
    pub notes: Option<String>,
    /// Usage up to this moment is in; later usage becomes a line on the next invoice.
    pub watermark: Option<Timestamp>,
    /// Requests of the period that had no price and are therefore in no line.
    pub unrated_requests: u64,
    /// SHA-256 (hex) of the canonical JSON, set when finalised.
    pub sha256: Option<String>,
}

/// Issuer or buyer, as an invoice has to name them. The logo travels beside the document, as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Party {
    /// Name under which they are registered.
    pub legal_name: String,
    /// Address, one entry per printed line.
    pub address: Vec<String>,
    /// ISO 3166 country code, where known.
    pub country: Option<String>,
    /// VAT or other tax number.
    pub vat_id: Option<String>,
    /// Company register entry.
    pub registration: Option<String>,
    /// Address for questions.
    pub email: Option<String>,
    /// Account to pay to.
    pub iban: Option<String>,
    /// Bank identifier.
    pub bic: Option<String>,
    /// Name of the bank.
    pub bank: Option<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// From 1.
    pub position: u32,
    /// What kind of line.
    pub kind: LineKind,
    /// What the client reads.
    pub description: String,
    /// Project; `unassigned` for usage without one, absent on lines that are not usage.
    pub project: Option<String>,
    /// Provider, on usage lines.
    pub provider: Option<String>,
    /// Model, on usage lines.
    pub model: Option<String>,
    /// When it was used, on lines for late usage.
    pub period: Option<DayRange>,
    /// How many of `unit`.
    pub quantity: u64,
    /// What `quantity` counts: `tokens`, `requests`, or `item`.
    pub unit: String,
    /// Requests behind the line.
    pub requests: u64,
    /// Input tokens of every kind, cached ones included.
    pub input_tokens: u64,
    /// Output tokens of every kind.
    pub output_tokens: u64,
    /// What the provider charges, exact, in the cost currency.
    pub cost: Decimal,
    /// What the client pays, rounded to the minor unit of the invoice currency.
    pub charge: Decimal,
    /// How the cost comes about; adds up to `cost` exactly.
    pub evidence: Vec<Evidence>,
}

/// Kinds of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Usage of the period.
    Usage,
    /// Usage of an earlier period that arrived after its invoice.
    LateUsage,
    /// Taken off by contract.
    Discount,
    /// Fills up to the agreed minimum.
    Minimum,
    /// Anything else that was agreed.
    Adjustment,
}

/// One price and what was bought at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Usage bucket, for example `cache_read`; `adjustment` where the amount has no quantity.
    pub bucket: String,
    /// How much was used: tokens, calls, images, seconds.
    pub quantity: u64,
    /// What the price is for, for example `1M tokens` or `call`.
    pub unit: String,
    /// Price of one `unit` in the cost currency; absent where the amount has no price.
    pub unit_price: Option<Decimal>,
    /// Exact amount in the cost currency.
    pub amount: Decimal,
    /// The immutable price versions that the events were rated by.
    pub price_versions: Vec<PriceVersionId>,
}

/// Mark-up on the provider's cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markup {
    /// Percent on top of the cost; 20 means that 1.00 becomes 1.20.
    pub percent: Decimal,
    /// Whether the client is shown cost and mark-up, or prices with the mark-up in them.
    pub shown: bool,
}

/// A tax and its rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// What it is called, for example `VAT`.
    pub label: String,
    /// Percent of the subtotal.
    pub percent: Decimal,
}

/// One unit of `from` in the invoice currency, pinned by contract or on a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// Currency of the costs.
    pub from: Currency,
    /// Invoice currency per unit of `from`.
    pub rate: Decimal,
    /// Where the rate comes from.
    pub source: String,
    /// The day it was pinned.
    pub date: Date,
}

/// States of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Has no number and may be composed again.
    Draft,
    /// Numbered and frozen.
    Finalized,
    /// On its way to the client.
    Sent,
    /// Settled.
    Paid,
    /// Withdrawn; keeps its number.
    Void,
}

impl InvoiceStatus {
    /// The state as it is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Finalized => "finalized",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }

    /// Reads what [`InvoiceStatus::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Finalized, Self::Sent, Self::Paid, Self::Void]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

impl fmt::Display for InvoiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Evidence {
    /// The evidence of a priced line: what was bought, and at which price.
    #[must_use]
    pub fn priced(line: &PricedLine, price_versions: Vec<PriceVersionId>) -> Self {
        let unit = match line.bucket.unit() {
            Unit::Token => TOKEN_UNIT,
            Unit::Call => "call",
            Unit::Image => "image",
            Unit::Second => "second",
            Unit::Character => "character",
            Unit::Request => "request",
        };
        Self {
            bucket: line.bucket.name().to_owned(),
            quantity: line.quantity,
            unit: unit.to_owned(),
            unit_price: Some(line.unit_price.normalize()),
            amount: line.amount.normalize(),
            price_versions,
        }
    }
}

impl InvoiceDocument {
    /// What the law and the client's bookkeeping would miss on this invoice, in words.
    #[must_use]
    pub fn missing_details(&self) -> Vec<&'static str> {
        let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        let mut missing = Vec::new();
        let checks = [
            (self.issuer.legal_name.trim().is_empty(), "legal name of the issuer"),
            (self.issuer.address.is_empty(), "address of the issuer"),
            (
                blank(&self.issuer.vat_id) && blank(&self.issuer.registration),
                "tax or registration number of the issuer",
            ),
            (blank(&self.issuer.iban), "bank account of the issuer"),
            (self.buyer.legal_name.trim().is_empty(), "legal name of the client"),
            (self.buyer.address.is_empty(), "address of the client"),
        ];
        for (is_missing, what) in checks {
            if is_missing {
                missing.push(what);
            }
        }
        missing
    }

    /// Sum of the lines that bill usage, late usage included.
    #[must_use]
    pub fn usage_charge(&self) -> Decimal {
        self.lines
            .iter()
            .filter(|line| matches!(line.kind, LineKind::Usage | LineKind::LateUsage))
            .fold(Decimal::ZERO, |total, line| total.saturating_add(line.charge))
    }
}
