//! The import of foreign events.

use super::Harness;
use super::ledger::foreign;
use serde_json::{Value, json};

fn statuses(report: &Value) -> Vec<&str> {
    report["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_sent_twice_is_taken_in_once_and_another_content_under_its_id_is_a_conflict() {
    let h = Harness::start().await;
    h.prices().await;
    let first = h.post("/events", foreign("a", json!({}))).await.ok();
    assert_eq!((statuses(&first), &first["results"][0]["cost"]), (vec!["accepted"], &json!("0.0035")));
    let again = json!([foreign("a", json!({})), foreign("b", json!({})), foreign("b", json!({}))]);
    assert_eq!(statuses(&h.post("/events", again).await.ok()), ["duplicate", "accepted", "duplicate"]);
    let other = h.post("/events", foreign("a", json!({ "latency_ms": 12 }))).await.ok();
    assert_eq!((statuses(&other), &other["results"][0]["code"]), (vec!["invalid"], &json!("conflict")));

    h.settle().await;
    let usage = h.get("/usage?month=2026-10").await.ok();
    assert_eq!((&usage["total"]["requests"], &usage["total"]["cost"]), (&json!(2), &json!("0.007")));
    h.verify().await;
}

#[tokio::test]
async fn the_good_lines_land_and_the_report_names_the_bad_ones() {
    let h = Harness::start().await;
    h.prices().await;
    let lines = [
        foreign("1", json!({})).to_string(),
        "{\"source\": \"old-gateway\", ".to_owned(),
        String::new(),
        foreign("4", json!({ "client": "Nobody Ltd" })).to_string(),
        foreign("5", json!({ "task": "a\u{0}b" })).to_string(),
        foreign("6", json!({ "occurred_at": "2031-01-01T00:00:00Z" })).to_string(),
        foreign("7", json!({ "usage": { "prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 9 } }))
            .to_string(),
        foreign("8", json!({ "colour": "red" })).to_string(),
        foreign("9", json!({})).to_string(),
    ];
    let report = h.import(&h.admin, "application/x-ndjson", lines.join("\n")).await.ok();
    assert_eq!((&report["accepted"], &report["invalid"]), (&json!(2), &json!(6)));
    let told: Vec<(u64, &str)> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["status"] == "invalid")
        .map(|result| (result["line"].as_u64().unwrap(), result["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (2, "malformed"),
        (4, "unknown_attribution"),
        (5, "invalid"),
        (6, "invalid"),
        (7, "invalid_usage"),
        (8, "malformed"),
    ];
    assert_eq!(told, expected);
    h.settle().await;
    assert_eq!(h.get("/usage?month=2026-10").await.ok()["total"]["requests"], 2);
}

#[tokio::test]
async fn an_event_is_rated_by_the_price_of_its_time_and_named_by_its_key_project_and_client() {
    let h = Harness::start().await;
    h.prices().await;
    let client = h.client("Acme", "0").await;
    h.patch("/clients/Acme", json!({ "zone": "Europe/Berlin" })).await.ok();
    h.post("/projects", json!({ "name": "Site", "client": "Acme" })).await.ok();
    let key = h
        .post("/keys", json!({ "name": "ci", "kind": "project", "project": "Site", "tool": "ci-runner" }))
        .await
        .ok();
    let late = json!({ "key": "ci", "occurred_at": "2026-10-31T23:30:00Z", "task": "build-7" });
    h.post(
        "/events",
        json!([foreign("k", late), foreign("old", json!({ "occurred_at": "2025-06-01T00:00:00Z" }))]),
    )
    .await
    .ok();
    h.settle().await;

    let listed = h.get("/events?key=ci").await.ok();
    let event = &listed["data"][0];
    assert_eq!(
        (&event["key"], &event["client"], &event["tool"]),
        (&key["id"], &client["id"], &json!("ci-runner"))
    );
    assert_eq!((&event["team_day"], &event["client_day"]), (&json!("2026-10-31"), &json!("2026-11-01")));
    assert_eq!(event["names"], json!({ "key": "ci", "member": null, "project": "Site", "client": "Acme" }));
    assert_eq!((&event["cost"], &event["usage"]["input_uncached"]), (&json!("0.0035"), &json!(1000)));
    let id = event["event_id"].as_str().unwrap();
    assert_eq!(h.get(&format!("/events/{id}")).await.ok()["adjustments"], json!([]));

    let unrated = h.get("/events?status=unrated").await.ok();
    assert_eq!(unrated["data"][0]["unrated"]["reason"], "not_in_force");
    assert_eq!(unrated["data"].as_array().unwrap().len(), 1);
    assert_eq!(h.get("/events?key=nobody").await.refusal().0, 404);
}

#[tokio::test]
async fn buckets_and_cloudevents_are_read_too() {
    let h = Harness::start().await;
    h.prices().await;
    let mut buckets = foreign("b", json!({ "usage": { "input_uncached": 1000, "output_text": 100 } }));
    buckets.as_object_mut().unwrap().remove("api");
    let mut data = foreign("x", json!({}));
    for field in ["source", "id", "occurred_at"] {
        data.as_object_mut().unwrap().remove(field);
    }
    let cloud = json!({ "specversion": "1.0", "type": "com.example.usage", "source": "old-gateway", "id": "c",
        "time": "2026-10-12T09:30:00Z", "data": data });
    let body = json!([buckets, cloud]).to_string();
    let report = h.import(&h.admin, "application/cloudevents-batch+json", body).await.ok();
    assert_eq!(statuses(&report), ["accepted", "accepted"], "{report}");
    assert_eq!(report["results"][1]["cost"], "0.0035");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_as_a_whole_and_nothing_lands() {
    let h = Harness::start().await;
    for body in ["[{\"source\":", "", "[]", "{\"a\":1} tail"] {
        let reply = h.import(&h.admin, "application/json", body).await;
        assert_eq!(reply.refusal(), (400, "invalid_request".to_owned()), "{body}");
    }
    assert_eq!(h.store().inbox_backlog().await.unwrap().events, 0);
}

#[tokio::test]
async fn a_team_sees_no_event_of_another_and_names_nothing_of_it() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    let report = h.post("/events", foreign("a", json!({ "client": "Acme" }))).await.ok();
    h.settle().await;
    let stranger = h.other_team("elsewhere").await;
    let get = async |path: &str| h.send(&stranger, http::Method::GET, path, Value::Null, None).await;
    assert_eq!(get("/events").await.ok()["data"], json!([]));
    let id = report["results"][0]["event_id"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("/events/{id}")).await.refusal().0, 404);
    assert_eq!(get("/usage?month=2026-10").await.ok()["total"]["requests"], 0);
    let named = h
        .import(&stranger, "application/json", foreign("a", json!({ "client": "Acme" })).to_string())
        .await
        .ok();
    assert_eq!(named["results"][0]["code"], "unknown_attribution");
    // The same source and id in another team is another event.
    let same = h.import(&stranger, "application/json", foreign("a", json!({})).to_string()).await.ok();
    assert_eq!(statuses(&same), ["accepted"]);
}

#[tokio::test]
async fn thousands_of_events_in_one_request_land_with_dense_numbers() {
    let h = Harness::start().await;
    h.prices().await;
    let events: Vec<Value> = (0..5_000).map(|n| foreign(&format!("e{n}"), json!({}))).collect();
    let report = h.post("/events", Value::Array(events)).await.ok();
    assert_eq!(report["accepted"], 5_000);
    h.settle().await;
    assert_eq!(h.get("/usage?month=2026-10").await.ok()["total"]["requests"], 5_000);
    for lane in h.store().ledger_lanes().await.unwrap() {
        assert_eq!(lane.last_seq, lane.received, "{lane:?}");
    }
    h.verify().await;
}

#[tokio::test]
async fn the_api_may_stand_in_the_usage_object_or_beside_it_and_both_are_one_content() {
    let h = Harness::start().await;
    h.prices().await;
    let usage =
        json!({ "api": "chat", "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 });
    let first = h.post("/events", foreign("a", json!({ "api": null, "usage": usage.clone() }))).await.ok();
    assert_eq!((statuses(&first), &first["results"][0]["cost"]), (vec!["accepted"], &json!("0.0035")));
    let again = json!([foreign("a", json!({})), foreign("a", json!({ "usage": usage.clone() }))]);
    assert_eq!(statuses(&h.post("/events", again).await.ok()), ["duplicate", "duplicate"]);
    let unsure = h.post("/events", foreign("b", json!({ "api": "messages", "usage": usage }))).await.ok();
    assert_eq!((statuses(&unsure), &unsure["results"][0]["code"]), (vec!["invalid"], &json!("malformed")));
}

#[tokio::test]
async fn a_team_in_another_currency_imports_unrated_and_is_told_why_until_it_states_a_price() {
    let h = Harness::start().await;
    h.prices().await;
    h.patch("/team", json!({ "currency": "EUR" })).await.ok();
    let first = h.post("/events", foreign("a", json!({}))).await.ok();
    assert_eq!((&first["unrated"], &first["results"][0]["unrated"]), (&json!(1), &json!("other_currency")));
    let version = json!({ "provider": "openai", "model": "gpt-4o", "effective_from": "2026-01-01T00:00:00Z", "source": "contract",
        "checked_on": "2026-01-01", "currency": "EUR", "rates": { "input_uncached": "2", "output_text": "10" } });
    h.post("/prices", json!({ "versions": [version] })).await.ok();
    let second = h.post("/events", foreign("b", json!({}))).await.ok();
    assert_eq!((&second["unrated"], &second["results"][0]["cost"]), (&json!(0), &json!("0.003")));
}
