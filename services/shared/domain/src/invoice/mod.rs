//! Invoices: the frozen content of what a client is asked to pay, and the arithmetic behind it.
//!
//! Owns the document model ([`InvoiceDocument`]), how usage becomes lines ([`compose`]), rounding, tax, payment terms,
//! numbers and the states of an invoice. Does not own the contract of a client, the counter that numbers come from, or
//! the look of the page: the store and the document crate do.
//!
//! Invariants: the lines add up to the subtotal; subtotal plus tax is the total; a line differs from its exact charge by
//! less than one minor unit; a finalised document never changes, and its hash says so.
//!
//! # The one rounding point
//! Costs are exact. Mark-up and exchange rate are applied exactly ([`charge`]). Rounding happens once, at the invoice
//! line, to the minor unit of the invoice currency: the sum of all exact charges is rounded half-even, and
//! [`round_lines`] shares that sum out by largest remainder. So the lines add up without a rounding line. Discount,
//! minimum and tax are each one amount, rounded half-even where they arise.
//!
//! Where to read next: `compose` (usage to lines), `lifecycle` (finalise and what follows).

mod amount;
mod compose;
mod document;
mod lifecycle;
mod number;
mod terms;

#[cfg(test)]
mod tests;

pub use amount::{charge, round_half_even, round_lines, tax_on};
pub use compose::{Adjustment, Draft, UsageItem, compose};
pub use document::{
    Evidence, ExchangeRate, InvoiceDocument, InvoiceLine, InvoiceStatus, LineKind, Markup, Party, TOKEN_UNIT,
    TaxRate, UNASSIGNED,
};
pub use lifecycle::InvoiceAction;
pub use number::NumberFormat;
pub use terms::PaymentTerms;

use rust_decimal::Decimal;

/// Why an invoice can not be composed, numbered or moved to another state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// An amount left the range of 28 digits.
    #[error("an amount is too large to be computed exactly: {0}")]
    Overflow(&'static str),
    /// A percentage outside what makes sense for it.
    #[error("{what} of {percent} % is out of range")]
    Percent { what: &'static str, percent: Decimal },
    /// Costs in another currency than the invoice, and no pinned rate.
    #[error("costs are in {cost}, the invoice is in {invoice}: the contract needs a pinned exchange rate")]
    NoExchangeRate { cost: crate::Currency, invoice: crate::Currency },
    /// The pinned exchange rate is zero, negative or for another currency.
    #[error("the pinned exchange rate from {from} does not fit: {rate}")]
    BadExchangeRate { from: crate::Currency, rate: Decimal },
    /// A number format that can not give every invoice its own number.
    #[error(
        "'{0}' is not a number format: it needs {{seq}} or {{seq:04}}, may have {{year}}, and no other braces"
    )]
    NumberFormat(String),
    /// Payment terms that are not a number of days.
    #[error("'{0}' are not payment terms: write a number of days such as 14d, at most 365d")]
    Terms(String),
    /// A state that does not allow the action.
    #[error("a {from} invoice can not be {action}")]
    Transition { from: InvoiceStatus, action: InvoiceAction },
    /// A date outside the calendar.
    #[error("the due date is outside the calendar")]
    Date,
    /// The document can not be written as JSON.
    #[error("the invoice can not be written as canonical json: {0}")]
    Json(String),
}
