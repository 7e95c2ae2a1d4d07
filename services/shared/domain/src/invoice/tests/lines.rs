//! How usage becomes lines.

use super::*;

#[test]
fn lines_are_grouped_by_project_with_the_dear_model_first_and_unassigned_last() {
    let late = UsageItem {
        late_period: Some(DayRange { from: date(2026, 9, 1), to: date(2026, 10, 1) }),
        ..usage("alpha", "gpt-5", "9")
    };
    let items = vec![
        usage("", "gpt-5", "7"),
        usage("beta", "gpt-5", "1"),
        late,
        usage("alpha", "small", "2"),
        usage("alpha", "large", "3"),
    ];
    let invoice = compose(draft(items)).unwrap();
    let seen: Vec<(u32, &str, &str, LineKind)> = invoice
        .lines
        .iter()
        .map(|line| {
            (line.position, line.project.as_deref().unwrap(), line.model.as_deref().unwrap(), line.kind)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (1, "alpha", "large", LineKind::Usage),
            (2, "alpha", "small", LineKind::Usage),
            (3, "alpha", "gpt-5", LineKind::LateUsage),
            (4, "beta", "gpt-5", LineKind::Usage),
            (5, UNASSIGNED, "gpt-5", LineKind::Usage),
        ]
    );
}

#[test]
fn discount_comes_before_the_minimum_and_adjustments_after_it() {
    let mut input = draft(vec![usage("alpha", "gpt-5", "100")]);
    input.markup.percent = dec("20");
    input.discount_percent = Some(dec("10"));
    input.minimum = Some(dec("150"));
    input.adjustments = vec![Adjustment { description: "Goodwill".to_owned(), amount: dec("-5") }];
    input.tax_rate = Some(TaxRate { label: "VAT".to_owned(), percent: dec("19") });
    let invoice = compose(input).unwrap();
    let charges: Vec<(LineKind, String)> =
        invoice.lines.iter().map(|line| (line.kind, line.charge.to_string())).collect();
    assert_eq!(
        charges,
        [
            (LineKind::Usage, "120.00".to_owned()),
            (LineKind::Discount, "-12.00".to_owned()),
            (LineKind::Minimum, "42.00".to_owned()),
            (LineKind::Adjustment, "-5.00".to_owned()),
        ]
    );
    assert_eq!(
        (invoice.discount, invoice.subtotal, invoice.tax, invoice.total),
        (dec("12.00"), dec("145.00"), dec("27.55"), dec("172.55"))
    );
}

#[test]
fn an_empty_invoice_has_zeros_in_the_minor_unit() {
    let invoice = compose(draft(Vec::new())).unwrap();
    assert_eq!(invoice.lines, []);
    assert_eq!(
        (invoice.subtotal.to_string(), invoice.total.to_string()),
        ("0.00".to_owned(), "0.00".to_owned())
    );
    assert_eq!(invoice.buyer.legal_name, "Acme");
    assert_eq!(invoice.due_date, date(2026, 11, 16));
}

#[test]
fn another_currency_needs_its_pinned_rate() {
    let mut input = draft(vec![usage("alpha", "gpt-5", "100")]);
    input.currency = Currency::EUR;
    assert!(matches!(compose(input.clone()), Err(InvoiceError::NoExchangeRate { .. })));
    let pinned = |from, rate| ExchangeRate {
        from,
        rate: dec(rate),
        source: "contract".to_owned(),
        date: date(2026, 10, 1),
    };
    input.exchange_rate = Some(pinned(Currency::USD, "0"));
    assert!(matches!(compose(input.clone()), Err(InvoiceError::BadExchangeRate { .. })));
    input.exchange_rate = Some(pinned(Currency::USD, "0.9215"));
    let invoice = compose(input).unwrap();
    assert_eq!(invoice.total.to_string(), "92.15");
    assert_eq!(invoice.lines[0].cost, dec("100"));
}

#[test]
fn what_the_evidence_leaves_open_is_shown_as_a_row_of_its_own() {
    let mut item = usage("alpha", "gpt-5", "2");
    item.cost = dec("1.50");
    let invoice = compose(draft(vec![item])).unwrap();
    let last = invoice.lines[0].evidence.last().unwrap();
    assert_eq!((last.bucket.as_str(), last.unit_price, last.amount), ("adjustment", None, dec("-0.5")));
}

#[test]
fn usage_without_tokens_counts_requests() {
    let item = UsageItem { input_tokens: 0, output_tokens: 0, ..usage("alpha", "image-1", "4") };
    let invoice = compose(draft(vec![item])).unwrap();
    assert_eq!((invoice.lines[0].quantity, invoice.lines[0].unit.as_str()), (3, "requests"));
}

#[test]
fn a_markup_out_of_range_is_refused() {
    let mut input = draft(Vec::new());
    input.markup.percent = dec("1001");
    assert!(matches!(compose(input.clone()), Err(InvoiceError::Percent { .. })));
    input.markup.percent = dec("-100.5");
    assert!(matches!(compose(input), Err(InvoiceError::Percent { .. })));
}
