//! The price book through the API.

use super::Harness;
use http::Method;
use serde_json::{Value, json};

fn version(model: &str, rate: &str, from: &str) -> Value {
    json!({ "provider": "openai", "model": model, "effective_from": from, "source": "contract", "checked_on": "2026-11-01",
        "currency": "USD", "rates": { "input_uncached": rate, "output_text": "10" } })
}

async fn price_at(h: &Harness, at: &str) -> Value {
    h.get(&format!("/prices/gpt-x?at={at}")).await.ok()["data"][0]["version"]["rates"]["input_uncached"]
        .clone()
}

#[tokio::test]
async fn a_price_is_in_force_from_its_instant_until_the_next_and_a_correction_replaces_it() {
    let h = Harness::start().await;
    let set = async |body: Value| h.post("/prices", json!({ "versions": [body] })).await;
    set(version("gpt-x", "1", "2026-01-01T00:00:00Z")).await.ok();
    set(version("gpt-x", "2", "2026-06-01T00:00:00Z")).await.ok();
    assert_eq!(price_at(&h, "2026-05-31T23:59:59Z").await, "1");
    assert_eq!(price_at(&h, "2026-06-01T00:00:00Z").await, "2");
    assert_eq!(price_at(&h, "2026-06-01").await, "2");
    let corrected = set(version("gpt-x", "3", "2026-06-01T00:00:00Z")).await.ok();
    assert_eq!(corrected["data"][0]["version"]["revision"], 1);
    assert_eq!(price_at(&h, "2026-07-01").await, "3");
    assert_eq!(h.get("/prices?model=gpt-x").await.ok()["data"].as_array().unwrap().len(), 3);
    assert_eq!(h.get("/prices/gpt-x?at=2025-01-01").await.refusal().0, 404);
    assert_eq!(h.get("/prices/gpt-x?at=yesterday").await.refusal().0, 400);
}

#[tokio::test]
async fn a_zero_or_negative_price_is_refused() {
    let h = Harness::start().await;
    for rate in ["0", "-1"] {
        let body = json!({ "versions": [version("gpt-x", rate, "2026-01-01T00:00:00Z")] });
        assert_eq!(h.post("/prices", body).await.refusal().0, 400, "{rate}");
    }
    assert_eq!(h.get("/prices").await.ok()["data"], json!([]));
}

#[tokio::test]
async fn a_teams_price_is_its_own_and_a_price_for_all_is_the_operators() {
    let h = Harness::start().await;
    let stranger = h.other_team("elsewhere").await;
    let own = json!({ "versions": [version("gpt-x", "1", "2026-01-01T00:00:00Z")] });
    h.post("/prices", own).await.ok();
    let theirs = h.send(&stranger, Method::GET, "/prices/gpt-x", Value::Null, None).await;
    assert_eq!(theirs.refusal().0, 404);
    let all = json!({ "scope": "instance", "versions": [version("gpt-y", "1", "2026-01-01T00:00:00Z")] });
    assert_eq!(h.send(&stranger, Method::POST, "/prices", all.clone(), None).await.refusal().0, 403);
    h.post("/prices", all).await.ok();
    h.send(&stranger, Method::GET, "/prices/gpt-y", Value::Null, None).await.ok();
}

#[tokio::test]
async fn an_import_shows_what_would_change_and_only_then_changes_it() {
    let h = Harness::start().await;
    let file = json!({
        "gpt-x": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 },
        "free-x": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0 }
    });
    let body =
        |dry_run: bool| json!({ "format": "litellm", "content": file.to_string(), "dry_run": dry_run });
    let shown = h.post("/prices/import", body(true)).await.ok();
    assert_eq!((&shown["applied"], shown["diff"]["added"].as_array().unwrap().len()), (&json!(0), 1));
    assert_eq!(shown["skipped"][0]["model"], "free-x");
    assert_eq!(h.get("/prices").await.ok()["data"], json!([]));

    assert_eq!(h.post("/prices/import", body(false)).await.ok()["applied"], 1);
    assert_eq!(h.post("/prices/import", body(false)).await.ok()["applied"], 0);
    assert_eq!(price_at(&h, "2026-12-01").await, "1");
    let broken = json!({ "format": "litellm", "content": "{" });
    assert_eq!(h.post("/prices/import", broken).await.refusal(), (400, "invalid_price_file".to_owned()));
    assert_eq!(h.post("/prices/import", json!({ "format": "xml", "content": "" })).await.refusal().0, 400);
}
