//! Numbers, terms, states and the hash.

use super::*;

#[test]
fn numbers_carry_the_year_and_a_padded_sequence() {
    let format = NumberFormat::default();
    assert_eq!(format.number(2026, 7), "INV-2026-0007");
    assert_eq!(format.number(2026, 123_456), "INV-2026-123456");
    assert_eq!("INV-{year}-{seq:04}".parse::<NumberFormat>().unwrap(), format);
    let plain: NumberFormat = "R{seq}/A".parse().unwrap();
    assert_eq!(plain.number(2026, 12), "R12/A");
    assert!(format.restarts_each_year() && !plain.restarts_each_year());
}

#[test]
fn a_number_format_without_one_sequence_is_refused() {
    for bad in [
        "",
        "INV",
        "INV-{year}",
        "{seq}{seq}",
        "{seq:0}",
        "{seq:013}",
        "{seq",
        "seq}",
        "}{seq}",
        "{month}-{seq}",
    ] {
        assert_eq!(bad.parse::<NumberFormat>(), Err(InvoiceError::NumberFormat(bad.to_owned())), "{bad}");
    }
}

#[test]
fn terms_are_a_number_of_days() {
    let terms: PaymentTerms = "30d".parse().unwrap();
    assert_eq!(terms.due(date(2027, 1, 31)).unwrap(), date(2027, 3, 2));
    assert_eq!((terms.to_string(), terms.in_words()), ("30d".to_owned(), "30 days net".to_owned()));
    assert_eq!("0".parse::<PaymentTerms>().unwrap().in_words(), "Due on receipt");
    for bad in ["", "d", "-1d", "366d", "two weeks", "99999999d"] {
        assert!(bad.parse::<PaymentTerms>().is_err(), "{bad}");
    }
}

#[test]
fn finalising_numbers_dates_and_freezes() {
    let invoice = compose(draft(vec![usage("alpha", "gpt-5", "1.005")])).unwrap();
    assert!(invoice.is_intact().unwrap());
    let frozen = invoice.finalize("INV-2026-0001".to_owned(), date(2026, 11, 5)).unwrap();
    assert_eq!(frozen.status, InvoiceStatus::Finalized);
    assert_eq!(frozen.due_date, date(2026, 11, 19));
    assert!(frozen.is_intact().unwrap());
    assert!(frozen.clone().finalize("INV-2026-0002".to_owned(), date(2026, 11, 5)).is_err());

    let mut forged = frozen.clone();
    forged.lines[0].charge = dec("0.01");
    assert!(!forged.is_intact().unwrap());
}

#[test]
fn sending_and_paying_do_not_change_the_hash() {
    let frozen = compose(draft(Vec::new())).unwrap().finalize("1".to_owned(), date(2026, 11, 5)).unwrap();
    let hash = frozen.sha256.clone();
    let paid = frozen.advance(InvoiceAction::Send).unwrap().advance(InvoiceAction::MarkPaid).unwrap();
    assert_eq!((paid.status, &paid.sha256), (InvoiceStatus::Paid, &hash));
    assert!(paid.is_intact().unwrap());
}

#[test]
fn only_the_listed_transitions_exist() {
    use InvoiceAction::{Finalize, MarkPaid, Send, Void};
    use InvoiceStatus::{Draft, Finalized, Paid, Sent};
    let mut allowed = Vec::new();
    for from in [Draft, Finalized, Sent, Paid, InvoiceStatus::Void] {
        for action in [Finalize, Send, MarkPaid, Void] {
            if let Ok(to) = from.after(action) {
                allowed.push((from, to));
            }
        }
        assert_eq!(InvoiceStatus::parse(from.as_str()), Some(from));
    }
    let void = InvoiceStatus::Void;
    assert_eq!(
        allowed,
        [
            (Draft, Finalized),
            (Finalized, Sent),
            (Finalized, Paid),
            (Finalized, void),
            (Sent, Sent),
            (Sent, Paid),
            (Sent, void),
        ]
    );
}

#[test]
fn the_json_has_the_promised_fields_and_reads_back() {
    let mut input = draft(vec![usage("", "gpt-5", "1.5")]);
    input.watermark = Some("2026-11-01T23:10:00Z".parse().unwrap());
    let frozen = compose(input).unwrap().finalize("INV-2026-0001".to_owned(), date(2026, 11, 2)).unwrap();
    let json = serde_json::to_value(&frozen).unwrap();
    for field in
        ["id", "number", "client", "currency", "status", "subtotal", "tax", "total", "watermark", "sha256"]
    {
        assert!(json[field].is_string(), "{field}: {}", json[field]);
    }
    assert_eq!(json["period"], serde_json::json!({"from": "2026-10-01", "to": "2026-11-01"}));
    let line = &json["lines"][0];
    for field in ["description", "project", "model", "unit", "cost", "charge"] {
        assert!(line[field].is_string(), "{field}: {}", line[field]);
    }
    assert_eq!((&line["quantity"], &line["project"]), (&1_000_000.into(), &"unassigned".into()));
    let text = serde_json::to_string(&frozen).unwrap();
    assert_eq!(serde_json::from_str::<InvoiceDocument>(&text).unwrap(), frozen);
}

#[test]
fn canonical_json_sorts_keys_and_leaves_out_what_may_change() {
    let invoice = compose(draft(Vec::new())).unwrap();
    let text = invoice.canonical_json().unwrap();
    assert!(text.starts_with(r#"{"buyer":{"address":[],"bank":null,"bic":null"#), "{text}");
    let fields: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(fields.get("status").is_none() && fields.get("sha256").is_none());
}

#[test]
fn missing_details_are_named() {
    let mut invoice = compose(draft(Vec::new())).unwrap();
    assert_eq!(invoice.missing_details().len(), 4);
    for party in [&mut invoice.issuer, &mut invoice.buyer] {
        party.address = vec!["1 Main Street".to_owned()];
        party.vat_id = Some("DE123".to_owned());
        party.iban = Some("DE00".to_owned());
    }
    assert_eq!(invoice.missing_details(), Vec::<&str>::new());
}
