//! Tests of invoice arithmetic, composition and states.

mod amounts;
mod lifecycle;
mod lines;

use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::period::DayRange;
use crate::{ClientId, Currency, InvoiceId, PriceVersionId};

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().expect("the test writes decimals")
}

/// A draft with boring defaults: no mark-up, no tax, dollars, October 2026.
pub(super) fn draft(usage: Vec<UsageItem>) -> Draft {
    Draft {
        id: InvoiceId::from_uuid(Uuid::from_u128(1)),
        client_id: ClientId::from_uuid(Uuid::from_u128(2)),
        client: "Acme".to_owned(),
        issuer: Party { legal_name: "Agency Ltd".to_owned(), ..Party::default() },
        buyer: Party::default(),
        period: DayRange { from: date(2026, 10, 1), to: date(2026, 11, 1) },
        zone: "Europe/Berlin".to_owned(),
        issue_date: date(2026, 11, 2),
        terms: PaymentTerms::default(),
        purchase_order: None,
        currency: Currency::USD,
        cost_currency: Currency::USD,
        exchange_rate: None,
        markup: Markup { percent: Decimal::ZERO, shown: true },
        discount_percent: None,
        minimum: None,
        tax_rate: None,
        usage,
        adjustments: Vec::new(),
        notes: None,
        watermark: None,
        unrated_requests: 0,
    }
}

pub(super) fn usage(project: &str, model: &str, cost: &str) -> UsageItem {
    UsageItem {
        project: (!project.is_empty()).then(|| project.to_owned()),
        provider: Some("openai".to_owned()),
        model: model.to_owned(),
        requests: 3,
        input_tokens: 900_000,
        output_tokens: 100_000,
        cost: dec(cost),
        evidence: vec![Evidence {
            bucket: "input_uncached".to_owned(),
            quantity: 900_000,
            unit: TOKEN_UNIT.to_owned(),
            unit_price: Some(dec("1.25")),
            amount: dec(cost),
            price_versions: vec![PriceVersionId::from_uuid(Uuid::from_u128(9))],
        }],
        late_period: None,
    }
}
