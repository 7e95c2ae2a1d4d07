//! Corrections of many events.

use super::Harness;
use super::ledger::foreign;
use serde_json::{Value, json};

async fn cost_of(h: &Harness, client: &str) -> Value {
    let usage = h.get("/usage?month=2026-10&by=client").await.ok();
    let rows = usage["rows"].as_array().unwrap();
    rows.iter().find(|row| row["client"] == client).map_or(Value::Null, |row| row["cost"].clone())
}

#[tokio::test]
async fn a_move_is_shown_first_then_posted_once_and_the_books_still_agree() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    h.client("Startup X", "0").await;
    h.patch("/clients/Startup%20X", json!({ "zone": "Asia/Tokyo" })).await.ok();
    let events: Vec<Value> = (0..3)
        .map(|n| {
            foreign(
                &format!("{n}"),
                json!({ "client": "Acme", "occurred_at": format!("2026-10-12T2{n}:00:00Z"), "task": "t" }),
            )
        })
        .collect();
    h.post("/events", Value::Array(events)).await.ok();
    h.post("/events", foreign("other", json!({}))).await.ok();
    h.settle().await;

    let body = |apply: bool| json!({ "where": { "client": "Acme" }, "from": "2026-10-01", "to": "2026-11-01", "client": "Startup X", "apply": apply });
    let shown = h.post("/usage/reassign", body(false)).await.ok();
    assert_eq!(
        (&shown["changed"], &shown["cost_after"], &shown["posted"]),
        (&json!(3), &json!("0.0105"), &json!(0))
    );
    assert_eq!(shown["groups"][0]["client"], "Acme");
    h.settle().await;
    assert_eq!(cost_of(&h, "Acme").await, "0.0105");

    assert_eq!(h.post("/usage/reassign", body(true)).await.ok()["posted"], 3);
    // Not folded yet: the same correction again is the same three events.
    assert_eq!(h.post("/usage/reassign", body(true)).await.ok()["posted"], 0);
    h.settle().await;
    assert_eq!(cost_of(&h, "Startup X").await, "0.0105");
    assert_eq!(cost_of(&h, "Acme").await, Value::Null);
    assert_eq!(h.post("/usage/reassign", body(true)).await.ok()["changed"], 0);
    h.verify().await;

    let moved = h.get("/events?client=Startup%20X").await.ok();
    assert_eq!(moved["data"].as_array().unwrap().len(), 3);
    let event = h.get(&format!("/events/{}", moved["data"][0]["event_id"].as_str().unwrap())).await.ok();
    assert_eq!(
        (&event["current"]["client_day"], &event["client_day"]),
        (&json!("2026-10-13"), &json!("2026-10-12"))
    );
    assert_eq!(event["adjustments"][0]["reason"], "reattributed");
    let by_task = h.get("/usage?month=2026-10&by=task,client").await.ok();
    assert_eq!(
        (&by_task["rows"][0]["client"], &by_task["rows"][0]["cost"]),
        (&json!("Startup X"), &json!("0.0105"))
    );
    assert_eq!(by_task["total"]["requests"], 4);

    let back = json!({ "where": { "client": "Startup X" }, "from": "2026-10-01", "to": "2026-11-01", "client": "unassigned", "apply": true });
    assert_eq!(h.post("/usage/reassign", back).await.ok()["posted"], 3);
    h.settle().await;
    assert_eq!(cost_of(&h, "unassigned").await, "0.014");
    h.verify().await;
}

#[tokio::test]
async fn a_project_takes_its_client_along() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    h.post("/projects", json!({ "name": "Site", "client": "Acme" })).await.ok();
    h.post("/events", foreign("1", json!({ "tool": "ci" }))).await.ok();
    h.settle().await;
    let body = json!({ "where": { "tool": "ci" }, "from": "2026-10-01", "to": "2026-11-01", "project": "Site", "apply": true });
    h.post("/usage/reassign", body).await.ok();
    h.settle().await;
    let usage = h.get("/usage?month=2026-10&by=project,client").await.ok();
    assert_eq!((&usage["rows"][0]["project"], &usage["rows"][0]["client"]), (&json!("Site"), &json!("Acme")));
}

#[tokio::test]
async fn re_rating_prices_what_had_no_price_and_changes_nothing_twice() {
    let h = Harness::start().await;
    h.post("/events", foreign("1", json!({}))).await.ok();
    h.settle().await;
    assert_eq!(h.get("/usage?month=2026-10").await.ok()["total"]["cost"], "0");
    h.prices().await;
    let body = |apply: bool| json!({ "from": "2026-10-01", "to": "2026-11-01", "apply": apply });
    let shown = h.post("/prices/rerate", body(false)).await.ok();
    assert_eq!((&shown["cost_before"], &shown["cost_after"]), (&json!("0"), &json!("0.0035")));
    h.post("/prices/rerate", body(true)).await.ok();
    h.settle().await;
    assert_eq!(h.get("/usage?month=2026-10").await.ok()["total"]["cost"], "0.0035");
    assert_eq!(h.get("/events?status=unrated").await.ok()["data"], json!([]));
    assert_eq!(h.post("/prices/rerate", body(true)).await.ok()["changed"], 0);
    h.verify().await;
}

#[tokio::test]
async fn an_account_that_borrows_anothers_prices_is_rated_by_them_at_import_and_again_later() {
    let h = Harness::start().await;
    let account = json!({ "name": "azure-eu", "kind": "openai-compatible", "base_url": "https://eu.example/v1", "price_name": "openai" });
    h.post("/providers", account).await.ok();
    h.post("/events", foreign("1", json!({ "provider": "azure-eu" }))).await.ok();
    h.settle().await;
    h.prices().await;
    let body = json!({ "from": "2026-10-01", "to": "2026-11-01", "apply": true });
    assert_eq!(h.post("/prices/rerate", body).await.ok()["cost_after"], "0.0035");
    let later = h.post("/events", foreign("2", json!({ "provider": "azure-eu" }))).await.ok();
    assert_eq!(later["results"][0]["cost"], "0.0035");
    h.settle().await;
    assert_eq!(h.get("/usage?month=2026-10").await.ok()["total"]["cost"], "0.007");
    h.verify().await;
}

#[tokio::test]
async fn a_move_needs_one_target_and_something_to_move() {
    let h = Harness::start().await;
    h.client("Acme", "0").await;
    let base = json!({ "where": { "tool": "x" }, "from": "2026-10-01", "to": "2026-11-01" });
    for (fields, status) in [
        (json!({}), 400),
        (json!({ "client": "Acme", "member": "x" }), 400),
        (json!({ "client": "Nobody" }), 404),
        (json!({ "client": "Acme", "where": {} }), 400),
        (json!({ "client": "Acme", "from": "2026-12-01" }), 400),
    ] {
        let mut body = base.clone();
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        assert_eq!(h.post("/usage/reassign", body).await.refusal().0, status, "{fields}");
    }
}
