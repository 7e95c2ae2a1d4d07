//! Invoices, from draft to void.

use super::Harness;
use super::ledger::{complete_until, foreign};
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A team with an issuer, prices and clients, and October's usage of Acme: 4 calls in two projects and two models.
async fn agency() -> Harness {
    let h = Harness::start().await;
    h.prices().await;
    h.issuer().await;
    h.client("Acme", "20%").await;
    h.client("Startup X", "0").await;
    h.client("Internal", "0").await;
    h.patch("/clients/Internal", json!({ "internal": true })).await.ok();
    h.post("/projects", json!({ "name": "Site", "client": "Acme" })).await.ok();
    let events = json!([
        foreign("1", json!({ "project": "Site" })),
        foreign(
            "2",
            json!({ "project": "Site", "model": "gpt-4o-2024-08-06", "usage": { "prompt_tokens": 333, "completion_tokens": 77, "total_tokens": 410 } })
        ),
        foreign("3", json!({ "client": "Acme" })),
        foreign(
            "4",
            json!({ "client": "Acme", "usage": { "prompt_tokens": 1_000_000, "completion_tokens": 1, "total_tokens": 1_000_001 } })
        ),
        foreign("5", json!({ "client": "Startup X" })),
        foreign("6", json!({ "client": "Internal" })),
        foreign("7", json!({})),
    ]);
    assert_eq!(h.post("/events", events).await.ok()["accepted"], 7);
    h.settle().await;
    h
}

async fn drafted(h: &Harness, client: &str, month: &str) -> Value {
    h.post("/invoices", json!({ "client": client, "month": month })).await.ok()["data"][0].clone()
}

async fn finalized(h: &Harness, client: &str, month: &str) -> Value {
    let draft = drafted(h, client, month).await;
    h.post(&format!("/invoices/{}/finalize", draft["id"].as_str().unwrap()), json!({})).await.ok()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// Lines, evidence and events agree to the last decimal.
#[track_caller]
fn assert_sound(invoice: &Value) {
    let lines = invoice["lines"].as_array().unwrap();
    for line in lines {
        let evidence: Decimal =
            line["evidence"].as_array().unwrap().iter().map(|row| decimal(&row["amount"])).sum();
        assert_eq!(evidence, decimal(&line["cost"]), "{line}");
    }
    let charges: Decimal = lines.iter().map(|line| decimal(&line["charge"])).sum();
    assert_eq!(charges, decimal(&invoice["subtotal"]));
}

#[tokio::test]
async fn every_line_adds_up_from_events_and_the_mark_up_is_rounded_once() {
    let h = agency().await;
    let invoice = finalized(&h, "Acme", "2026-10").await;
    assert_eq!((&invoice["number"], &invoice["status"]), (&json!("INV-2026-0001"), &json!("finalized")));
    assert_sound(&invoice);
    for line in invoice["lines"].as_array().unwrap() {
        let project = line["project"].as_str().unwrap();
        let model = line["model"].as_str().unwrap();
        let path =
            format!("/events?client=Acme&project={project}&model={model}&from=2026-10-01&to=2026-11-01");
        let events = h.get(&path).await.ok();
        let cost: Decimal =
            events["data"].as_array().unwrap().iter().map(|event| decimal(&event["cost"])).sum();
        assert_eq!(cost, decimal(&line["cost"]), "{line}");
        assert_eq!(events["data"].as_array().unwrap().len() as u64, line["requests"].as_u64().unwrap());
    }
    let usage = h.get("/usage?month=2026-10&where=client=Acme").await.ok();
    let cost: Decimal = invoice["lines"].as_array().unwrap().iter().map(|line| decimal(&line["cost"])).sum();
    assert_eq!(cost, decimal(&usage["total"]["cost"]));
    // 2.5086025 with 20 % on top is 3.010323.
    assert_eq!((cost.to_string().as_str(), &invoice["subtotal"]), ("2.5086125", &json!("3.01")));
    assert_eq!(h.get("/invoices/inv-2026-0001").await.ok()["sha256"], invoice["sha256"]);
    h.verify().await;
}

#[tokio::test]
async fn drafting_for_all_skips_what_has_no_invoice_and_says_why() {
    let h = agency().await;
    let drafted = h.post("/invoices", json!({ "all": true, "month": "2026-10" })).await.ok();
    let clients: Vec<&str> =
        drafted["data"].as_array().unwrap().iter().map(|d| d["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["Acme", "Startup X"]);
    assert_eq!(
        (&drafted["skipped"][0]["client"], &drafted["skipped"][0]["code"]),
        (&json!("Internal"), &json!("internal"))
    );
    // Drafting again composes the same drafts anew; without a month it is the last whole one.
    let again = h.post("/invoices", json!({ "all": true })).await.ok();
    assert_eq!(again["data"][0]["id"], drafted["data"][0]["id"]);
    assert_eq!(h.get("/invoices").await.ok()["data"].as_array().unwrap().len(), 2);
    assert_eq!(h.get("/invoices?status=finalized").await.ok()["data"], json!([]));
    assert_eq!(
        h.post("/invoices", json!({ "client": "Internal" })).await.refusal(),
        (409, "internal".to_owned())
    );
    assert_eq!(h.post("/invoices", json!({})).await.refusal().0, 400);
}

#[tokio::test]
async fn invoices_finalised_at_the_same_time_get_consecutive_numbers() {
    let h = agency().await;
    for n in 0..6 {
        h.client(&format!("Client {n}"), "0").await;
        h.post("/events", foreign(&format!("c{n}"), json!({ "client": format!("Client {n}") }))).await.ok();
    }
    h.settle().await;
    let drafts = h.post("/invoices", json!({ "all": true })).await.ok();
    let paths: Vec<String> = drafts["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|draft| format!("/invoices/{}/finalize", draft["id"].as_str().unwrap()))
        .collect();
    // Every draft twice: one of the two must lose, and take no number with it.
    let answers =
        futures_util::future::join_all(paths.iter().chain(&paths).map(|path| h.post(path, json!({})))).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status.is_success());
    let mut numbers: Vec<String> =
        made.into_iter().map(|answer| answer.body["number"].as_str().unwrap().to_owned()).collect();
    numbers.sort();
    let expected: Vec<String> = (1..=8).map(|n| format!("INV-2026-{n:04}")).collect();
    assert_eq!(numbers, expected);
    assert!(refused.iter().all(|answer| answer.status == 409), "{refused:?}");
    h.verify().await;
}

#[tokio::test]
async fn a_finalised_invoice_never_changes_by_a_byte() {
    let h = agency().await;
    let id = finalized(&h, "Acme", "2026-10").await["id"].as_str().unwrap().to_owned();
    let team = h.team().await;
    let frozen = h.store().invoice_find(team, &id).await.unwrap().unwrap();
    // Everything that could leak into it changes: client, issuer, late usage, state.
    h.patch("/clients/Acme", json!({ "name": "Acme 2", "markup": "50%" })).await.ok();
    h.patch("/issuer", json!({ "legal_name": "Other" })).await.ok();
    h.post("/events", foreign("late", json!({ "client": "Acme 2" }))).await.ok();
    h.settle().await;
    h.post(&format!("/invoices/{id}/send"), json!({})).await.ok();
    h.post(&format!("/invoices/{id}/mark-paid"), json!({})).await.ok();
    let after = h.store().invoice_find(team, &id).await.unwrap().unwrap();
    assert_eq!(
        (&after.document, &after.sha256, &after.number),
        (&frozen.document, &frozen.sha256, &frozen.number)
    );
    assert_eq!(h.get(&format!("/invoices/{id}")).await.ok()["status"], "paid");
    assert_eq!(
        h.post(&format!("/invoices/{id}/void"), json!({})).await.refusal(),
        (409, "invoice_state".to_owned())
    );
    h.verify().await;
}

#[tokio::test]
async fn late_usage_and_corrections_are_lines_of_the_next_invoice_with_their_original_month() {
    let h = agency().await;
    finalized(&h, "Acme", "2026-10").await;
    let again = h.post("/invoices", json!({ "client": "Acme", "month": "2026-10" })).await;
    assert_eq!(again.refusal(), (409, "already_invoiced".to_owned()));
    let events = json!([
        foreign("late", json!({ "project": "Site" })),
        foreign("now", json!({ "client": "Acme", "occurred_at": "2026-11-02T10:00:00Z" })),
        // September was never invoiced: it waits for an invoice of its own.
        foreign("early", json!({ "client": "Acme", "occurred_at": "2026-09-02T10:00:00Z" })),
    ]);
    h.post("/events", events).await.ok();
    h.settle().await;
    // One call that was billed moves to another client.
    let body = json!({ "where": { "project": "Site", "model": "gpt-4o-2024-08-06" }, "from": "2026-10-01", "to": "2026-11-01", "client": "Startup X", "apply": true });
    assert_eq!(h.post("/usage/reassign", body).await.ok()["posted"], 1);
    h.settle().await;
    h.clock.set("2026-12-03T08:00:00Z".parse().unwrap());
    let invoice = finalized(&h, "Acme", "2026-11").await;
    assert_sound(&invoice);
    let lines: Vec<(&str, &str, &str)> = invoice["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (line["kind"].as_str().unwrap(), line["model"].as_str().unwrap(), line["cost"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("late_usage", "gpt-4o", "0.0035"),
        ("late_usage", "gpt-4o-2024-08-06", "-0.0016025"),
        ("usage", "gpt-4o", "0.0035"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(invoice["lines"][0]["period"], json!({ "from": "2026-10-01", "to": "2026-11-01" }));
    assert_eq!(drafted(&h, "Acme", "2026-09").await["lines"][0]["cost"], "0.0035");
    h.verify().await;
}

#[tokio::test]
async fn a_void_invoice_keeps_its_number_and_gives_its_usage_back() {
    let h = agency().await;
    let first = finalized(&h, "Acme", "2026-10").await;
    let id = first["id"].as_str().unwrap();
    let void = h.post(&format!("/invoices/{id}/void"), json!({ "reason": "wrong address" })).await.ok();
    assert_eq!((&void["status"], &void["number"]), (&json!("void"), &json!("INV-2026-0001")));
    assert_eq!(void["void_reason"], "wrong address");
    h.verify().await;
    let second = finalized(&h, "Acme", "2026-10").await;
    assert_eq!((&second["number"], &second["total"]), (&json!("INV-2026-0002"), &first["total"]));
    h.verify().await;
}

#[tokio::test]
async fn an_invoice_that_lacks_what_the_law_wants_says_which_command_sets_it() {
    let h = Harness::start().await;
    h.prices().await;
    h.post("/clients", json!({ "name": "Acme" })).await.ok();
    h.post("/events", foreign("1", json!({ "client": "Acme" }))).await.ok();
    h.settle().await;
    let draft = drafted(&h, "Acme", "2026-10").await;
    let reply = h.post(&format!("/invoices/{}/finalize", draft["id"].as_str().unwrap()), json!({})).await;
    let detail = reply.body["detail"].as_str().unwrap().to_owned();
    assert_eq!(reply.refusal(), (409, "incomplete_parties".to_owned()));
    assert!(detail.contains("tallystick issuer set --legal-name"), "{detail}");
    assert!(detail.contains("tallystick clients update 'Acme' --address"), "{detail}");
    // Nothing was numbered: the next invoice is the first.
    h.issuer().await;
    h.patch("/clients/Acme", json!({ "address": ["Street 1"] })).await.ok();
    assert_eq!(finalized(&h, "Acme", "2026-10").await["number"], "INV-2026-0001");
}

#[tokio::test]
async fn an_invoice_says_what_it_may_lack() {
    let h = agency().await;
    h.append(vec![complete_until(1, "2026-10-15T00:00:00Z")]).await;
    let unsure = drafted(&h, "Acme", "2026-10").await;
    assert_eq!((&unsure["complete"], unsure["warnings"].as_array().unwrap().len()), (&json!(false), 1));
    h.post("/events", foreign("u", json!({ "client": "Acme", "model": "no-such-model" }))).await.ok();
    h.settle().await;
    h.append(vec![complete_until(2, "2026-11-01T00:00:00Z")]).await;
    let sure = drafted(&h, "Acme", "2026-10").await;
    assert_eq!((&sure["complete"], &sure["unrated_requests"]), (&json!(true), &json!(1)));
    assert!(sure["warnings"][0].as_str().unwrap().contains("prices rerate"));
    let id = sure["id"].as_str().unwrap();
    let stale = h.post(&format!("/invoices/{id}/finalize"), json!({ "expected_total": "1.00" })).await;
    assert_eq!(stale.refusal().0, 409);
    let november = json!({ "client": "Acme", "month": "2026-11" });
    h.post("/events", foreign("n", json!({ "client": "Acme", "occurred_at": "2026-11-02T10:00:00Z" })))
        .await
        .ok();
    h.settle().await;
    let open = h.post("/invoices", november).await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        h.post(&format!("/invoices/{open}/finalize"), json!({})).await.refusal(),
        (409, "period_open".to_owned())
    );
}

#[tokio::test]
async fn an_invoice_is_a_file_too_and_no_other_team_reads_it() {
    let h = agency().await;
    let id = finalized(&h, "Startup X", "2026-10").await["id"].as_str().unwrap().to_owned();
    let file = h.text(&format!("/invoices/{id}?format=csv")).await;
    let lines: Vec<&str> = file.split("\r\n").collect();
    assert!(lines[0].starts_with("number,status,client,period_from,period_to,position,kind,description"));
    assert!(
        lines[1].starts_with("INV-2026-0001,finalized,Startup X,2026-10-01,2026-11-01,1,usage,"),
        "{file}"
    );
    assert!(lines[1].ends_with(",1100,tokens,1,0.0035,USD,0.00,USD"), "{file}");
    assert_eq!(h.get(&format!("/invoices/{id}?format=pdf")).await.refusal(), (501, "no_renderer".to_owned()));
    let stranger = h.other_team("elsewhere").await;
    for (method, path) in [
        (Method::GET, format!("/invoices/{id}")),
        (Method::GET, "/invoices/INV-2026-0001".to_owned()),
        (Method::POST, format!("/invoices/{id}/void")),
        (Method::POST, format!("/invoices/{id}/finalize")),
    ] {
        assert_eq!(h.send(&stranger, method, &path, Value::Null, None).await.refusal().0, 404, "{path}");
    }
    assert_eq!(h.send(&stranger, Method::GET, "/invoices", Value::Null, None).await.ok()["data"], json!([]));
}
