use super::{hash_finding, sum_finding};
use tallystick_domain::invoice::{
    Draft, InvoiceDocument, InvoiceStatus, Markup, Party, PaymentTerms, UsageItem, compose,
};
use tallystick_domain::period::DayRange;
use tallystick_domain::{ClientId, Currency, InvoiceId, testing};
use tallystick_store::invoice::InvoiceRow;

fn frozen() -> InvoiceDocument {
    let usage =
        UsageItem { model: "gpt-4o".to_owned(), cost: "1.2345".parse().unwrap(), ..UsageItem::default() };
    let draft = Draft {
        id: InvoiceId::from_uuid(testing::uuid(20, 1)),
        client_id: ClientId::from_uuid(testing::uuid(5, 1)),
        client: "Acme".to_owned(),
        issuer: Party::default(),
        buyer: Party::default(),
        period: DayRange::month("2026-10").unwrap(),
        zone: "UTC".to_owned(),
        issue_date: "2026-11-01".parse().unwrap(),
        terms: PaymentTerms::default(),
        purchase_order: None,
        currency: Currency::USD,
        cost_currency: Currency::USD,
        exchange_rate: None,
        markup: Markup { percent: "20".parse().unwrap(), shown: false },
        discount_percent: None,
        minimum: None,
        tax_rate: None,
        usage: vec![usage],
        adjustments: Vec::new(),
        notes: None,
        watermark: None,
        unrated_requests: 0,
    };
    compose(draft).unwrap().finalize("INV-1".to_owned(), "2026-11-01".parse().unwrap()).unwrap()
}

fn row(document: &InvoiceDocument) -> InvoiceRow {
    InvoiceRow {
        team: testing::team(1),
        id: document.id,
        client: document.client_id,
        period: document.period,
        status: InvoiceStatus::Finalized,
        number: document.number.clone(),
        currency: document.currency,
        total: document.total,
        cost: "1.2345".parse().unwrap(),
        document: serde_json::to_string(document).unwrap(),
        sha256: document.sha256.clone(),
        logo: None,
        created_at: testing::monday(),
        issued_at: Some(testing::monday()),
        sent_at: None,
        paid_at: None,
        voided_at: None,
        void_reason: None,
    }
}

#[test]
fn an_untouched_invoice_has_no_finding() {
    let row = row(&frozen());
    assert_eq!((hash_finding(&row), sum_finding(&row)), (None, None));
}

#[test]
fn a_changed_byte_is_found_by_the_hash() {
    let mut row = row(&frozen());
    row.document = row.document.replace("Acme", "Acne");
    assert!(hash_finding(&row).is_some());
    assert_eq!(sum_finding(&row), None);
}

#[test]
fn a_line_that_does_not_add_up_is_found_even_under_a_fitting_hash() {
    let mut document = frozen();
    document.lines[0].charge = "9.99".parse().unwrap();
    document.sha256 = Some(document.content_hash().unwrap());
    let row = row(&document);
    assert_eq!(hash_finding(&row), None);
    assert!(sum_finding(&row).is_some());
}

#[test]
fn a_cost_that_differs_from_the_usage_taken_is_found() {
    let mut row = row(&frozen());
    row.cost = "1.2346".parse().unwrap();
    assert!(sum_finding(&row).is_some());
}
