//! What stands on the pages.

use serde_json::{Value, json};
use tallystick_domain::invoice::InvoiceLine;

use super::*;

/// The data of a template with plain spaces and without places to break at, so that it can be read.
fn plain(value: impl serde::Serialize) -> Value {
    let text = serde_json::to_string(&value).unwrap();
    serde_json::from_str(&text.replace(['\u{202f}', '\u{a0}'], " ").replace('\u{200b}', "")).unwrap()
}

fn invoice_view(invoice: &InvoiceDocument) -> Value {
    plain(view::invoice::view(invoice, None))
}

#[test]
fn the_data_of_an_invoice_is_ready_to_print() {
    let view = invoice_view(&invoice("invoice"));
    assert_eq!(view["title"], "Invoice INV-2026-0042");
    assert_eq!(view["due"], json!({ "label": "Amount due", "value": "€461.24" }));
    assert_eq!(
        view["facts"],
        json!([
            { "label": "Invoice number", "value": "INV-2026-0042" },
            { "label": "Issued", "value": "2 November 2026" },
            { "label": "Due", "value": "16 November 2026" },
            { "label": "Terms", "value": "14 days net" },
            { "label": "Usage period", "value": "1–31 October 2026" },
            { "label": "Purchase order", "value": "PO-77120" },
        ])
    );
    assert_eq!(
        view["groups"][0],
        json!({
            "name": "Support bot",
            "subtotal": null,
            "lines": [{
                "title": "claude-sonnet-4-5",
                "late": null,
                "detail": "Anthropic · 6 880 requests · 120M in · 4.40M out",
                "quantity": "124 400 376",
                "rate": "1.81",
                "cost": "188.1110",
                "amount": "225.73",
            }],
        })
    );
    assert_eq!(view["groups"][1]["subtotal"], "161.87");
    assert_eq!(
        view["totals"],
        json!([{ "label": "Subtotal", "value": "387.60" }, { "label": "VAT 19 %", "value": "73.64" }])
    );
    assert_eq!(view["payment"][2], json!({ "label": "IBAN", "value": "DE89 3704 0044 0532 0130 00" }));
    assert_eq!(view["payment_text"], "Please pay €461.24 by 16 November 2026.");
}

#[test]
fn the_yen_has_no_decimals() {
    let view = invoice_view(&invoice("invoice-yen"));
    assert_eq!(view["total"]["value"], "¥63 954");
    assert_eq!(view["groups"][0]["lines"][0]["amount"], "33 860");
}

#[test]
fn a_markup_that_is_not_shown_can_not_be_found_on_any_page() {
    let hidden = texts(&lay_out(&invoice("invoice"), None).unwrap()).concat();
    for secret in ["mark-up", "Provider cost", "188.1110", "188.11096260"] {
        assert!(!hidden.contains(secret), "{secret}");
    }
    // Three dollars per million, plus twenty percent.
    assert!(hidden.contains("3.60per 1M tokens") && hidden.contains("225.73315512"), "{hidden}");
}

#[test]
fn a_markup_that_is_shown_is_a_step_of_the_evidence() {
    let view = invoice_view(&invoice("invoice-logo"));
    assert_eq!(view["columns"]["cost"], "Provider cost (EUR)");
    assert_eq!(
        view["evidence"]["models"][0]["sums"],
        json!([
            { "label": "Sum", "value": "188.11096260" },
            { "label": "plus 20 % mark-up", "value": "37.62219252" },
            { "label": "Exact charge", "value": "225.73315512" },
        ])
    );
    assert_eq!(view["evidence"]["models"][0]["charged"]["value"], "€225.73");
    assert_eq!(view["evidence"]["models"][0]["rows"][0]["price"], "3.00");
}

#[test]
fn every_price_version_has_a_reference_that_is_explained() {
    let view = invoice_view(&invoice("invoice"));
    let explained: Vec<&str> = view["evidence"]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| fact["label"].as_str().unwrap())
        .collect();
    assert_eq!(explained, ["P1", "P2", "P3"]);
    assert_eq!(view["evidence"]["models"][2]["rows"][0]["version"], "P3");
    assert_eq!(view["evidence"]["fingerprint"].as_str().unwrap().len(), 64);
}

#[test]
fn late_usage_names_the_period_it_was_used_in_and_agreed_amounts_stand_apart() {
    let view = invoice_view(&invoice("invoice-logo"));
    let late = &view["groups"][1]["lines"][2];
    assert_eq!(late["late"], "used 1–30 September 2026");
    assert_eq!(late["detail"], "OpenAI · 138 requests · 401k in · 88.3k out");
    assert_eq!(view["groups"][2]["name"], "Without a project");
    assert_eq!(view["groups"][3]["name"], "As agreed");
    assert_eq!(view["groups"][3]["lines"][0]["title"], "Discount of 5 % on usage");
    assert_eq!(view["groups"][3]["lines"][0]["amount"], "−19.53");
    assert_eq!(view["due"]["label"], "Amount paid");
}

#[test]
fn a_line_without_tokens_shows_no_rate() {
    let mut invoice = invoice("invoice");
    invoice.lines = vec![InvoiceLine { quantity: 0, unit: "tokens".to_owned(), ..invoice.lines[0].clone() }];
    assert_eq!(invoice_view(&invoice)["groups"][0]["lines"][0]["rate"], "");
}

#[test]
fn a_report_sums_up_what_it_does_not_list_and_always_shows_unassigned() {
    let Sample::Month(report) = sample("report-month") else { panic!("a month") };
    let view = plain(view::report::month(&report));
    let keys = view["tables"][5]["rows"].as_array().unwrap();
    assert_eq!(keys.len(), 22);
    assert_eq!((&keys[0]["name"], &keys[0]["bar"]), (&json!("key-01-backend-production"), &json!(1000)));
    assert_eq!(
        (&keys[20]["name"], &keys[20]["cost"], &keys[20]["requests"]),
        (&json!("7 others"), &json!("171.50"), &json!("4 900"))
    );
    assert_eq!(keys[21]["name"], "Unassigned");
    assert_eq!(
        view["tiles"][0],
        json!({ "label": "Spend", "value": "$1 302.56", "detail": "+17.2 % on $1 111.02" })
    );
    assert_eq!(view["tables"][0]["rows"][1]["change"], "new");
    assert_eq!(view["notes"].as_array().unwrap().len(), 4);
}

#[test]
fn a_week_lists_the_keys_to_look_at() {
    let Sample::Week(report) = sample("report-week") else { panic!("a week") };
    let view = plain(view::report::week(&report));
    assert_eq!(view["lists"][0]["rows"][0]["last_used"], "12 Sep 2026");
    assert_eq!(view["lists"][1]["heading"], "Keys not used for 30 days");
    assert_eq!(view["lists"][1]["rows"][0]["last_used"], "never");
}
