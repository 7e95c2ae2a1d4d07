//! Keys from their making to their end.

use super::{Harness, a_key};
use serde_json::{Value, json};
use std::time::Duration;
use tallystick_domain::key::public_part;
use tallystick_store::control::KeyState;

#[tokio::test]
async fn a_new_key_shows_its_secret_once_with_the_base_urls() {
    let h = Harness::start().await;
    h.post("/clients", json!({ "name": "Acme" })).await.ok();
    h.post("/projects", json!({ "name": "Website", "client": "Acme" })).await.ok();
    let body = json!({ "name": "Cursor Dev", "kind": "project", "project": "website", "environment": "dev", "tool": "cursor",
        "models": ["gpt-4o*"], "endpoints": ["chat"], "rpm": 60, "budgets": [{ "period": "monthly", "limit": "100", "warn": [50, 80] }] });
    let made = h.post("/keys", body).await.ok();
    let secret = made["secret"].as_str().unwrap();
    let prefix = made["prefix"].as_str().unwrap();
    assert!(prefix.starts_with("ts_live_cursor_dev_") && secret.starts_with(prefix));
    assert_eq!(public_part(secret), prefix.rsplit('_').next());
    assert_eq!(
        made["base_urls"],
        json!({ "openai": "http://tally.test/v1", "anthropic": "http://tally.test/anthropic", "gemini": "http://tally.test/gemini" })
    );
    assert_eq!(made["client"], h.get("/clients/Acme").await.ok()["id"], "the client is that of the project");
    assert_eq!(made["budgets"][0]["limit"], "100");

    for reference in [made["id"].as_str().unwrap(), "cursor%20dev", prefix, public_part(secret).unwrap()] {
        let shown = h.get(&format!("/keys/{reference}")).await.ok();
        assert_eq!(shown["id"], made["id"], "{reference}");
        assert!(shown.get("secret").is_none());
    }
    let hidden = &secret[prefix.len() + 1..];
    let told = format!("{}{}{}", h.story().await, h.get("/keys").await.ok(), h.get("/audit").await.ok());
    assert!(!told.contains(hidden));
    let snapshot = h.store().control_snapshot().await.unwrap();
    assert!(h.secrets.pepper.matches(secret, &snapshot.keys[0].hmac));
    assert!(!serde_json::to_string(&snapshot.keys).unwrap().contains("hmac"));
}

#[tokio::test]
async fn each_kind_asks_for_what_bounds_it() {
    let h = Harness::start().await;
    let daily = json!([{ "period": "daily", "limit": "20" }]);
    let refused = [
        json!({ "name": "k", "kind": "automation" }),
        json!({ "name": "k", "kind": "automation", "budgets": [{ "period": "monthly", "limit": "20" }] }),
        json!({ "name": "k", "kind": "automation", "budgets": [{ "period": "daily", "limit": "20", "hard": false }] }),
        json!({ "name": "k", "kind": "temporary" }),
        json!({ "name": "k", "kind": "temporary", "expires": "2020-01-01" }),
        json!({ "name": "k", "kind": "machine" }),
        json!({ "name": "k", "kind": "project", "endpoints": ["fax"] }),
        json!({ "name": "k", "kind": "project", "ip": ["office"] }),
        json!({ "name": "k", "kind": "project", "rpm": 0 }),
        json!({ "name": "k", "kind": "project", "budgets": [{ "period": "daily", "limit": "0" }] }),
        json!({ "name": "k", "kind": "project", "budgets": [{ "period": "daily", "limit": "1" }, { "period": "daily", "limit": "2" }] }),
        json!({ "name": "k", "kind": "project", "scope": "all" }),
        json!({ "name": "k\n", "kind": "project", "tool": "a\u{7}" }),
    ];
    for body in refused {
        assert_eq!(
            h.post("/keys", body.clone()).await.refusal(),
            (400, "invalid_request".to_owned()),
            "{body}"
        );
    }
    assert_eq!(
        h.post("/keys", json!({ "name": "k", "kind": "project", "client": "Nobody" })).await.refusal().0,
        404
    );
    h.post("/keys", json!({ "name": "auto", "kind": "automation", "budgets": daily })).await.ok();
    h.post("/keys", json!({ "name": "temp", "kind": "temporary", "expires": "7d" })).await.ok();
    assert_eq!(h.patch("/keys/auto", json!({ "budgets": [] })).await.refusal().0, 400);
    assert_eq!(h.patch("/keys/temp", json!({ "expires": null })).await.refusal().0, 400);
    h.patch("/team", json!({ "default_key_budgets": daily })).await.ok();
    let with_default = h.post("/keys", json!({ "name": "auto 2", "kind": "automation" })).await.ok();
    assert_eq!(with_default["budgets"][0]["limit"], "20");
}

#[tokio::test]
async fn a_key_is_suspended_restored_and_revoked_for_ever() {
    let h = Harness::start().await;
    h.post("/keys", a_key("k")).await.ok();
    let suspended = h.post("/keys/k/suspend", json!({ "reason": "loops" })).await.ok();
    assert_eq!((&suspended["state"], &suspended["suspended_reason"]), (&json!("suspended"), &json!("loops")));
    assert_eq!(h.post("/keys/k/restore", json!({})).await.ok()["state"], "active");
    assert_eq!(h.post("/keys/k/revoke", Value::Null).await.ok()["state"], "revoked");
    assert_eq!(h.post("/keys/k/restore", json!({})).await.refusal().0, 409);
    assert_eq!(h.post("/keys/k/rotate", json!({})).await.refusal().0, 409);
    assert_eq!(h.get("/keys").await.ok()["data"], json!([]));
    h.post("/keys", a_key("k")).await.ok();
    assert_eq!(h.get("/keys/k").await.ok()["state"], "active");
}

#[tokio::test]
async fn rotating_gives_a_new_secret_under_the_same_name_and_the_old_one_ends_with_the_grace() {
    let h = Harness::start().await;
    let old = h
        .post(
            "/keys",
            json!({ "name": "ci", "kind": "automation", "budgets": [{ "period": "daily", "limit": "9" }] }),
        )
        .await
        .ok();
    let new = h.post("/keys/ci/rotate", json!({ "grace": "2h" })).await.ok();
    assert_ne!(new["secret"], old["secret"]);
    assert_eq!(
        (&new["rotated_from"], &new["name"], &new["budgets"]),
        (&old["id"], &json!("ci"), &old["budgets"])
    );
    assert_eq!(h.get("/keys/ci").await.ok()["id"], new["id"]);
    let old_path = format!("/keys/{}", old["id"].as_str().unwrap());
    assert_eq!(h.get(&old_path).await.ok()["state"], "active");
    assert_eq!(h.post(&format!("{old_path}/rotate"), json!({})).await.refusal().0, 409);
    h.clock.advance(Duration::from_secs(7_200));
    assert_eq!(h.get(&old_path).await.ok()["state"], "revoked");
    assert_eq!(h.get("/keys/ci").await.ok()["state"], "active");
    let at_once = h.post("/keys/ci/rotate", json!({ "grace": "0s" })).await.ok();
    assert_eq!(h.get(&format!("/keys/{}", new["id"].as_str().unwrap())).await.ok()["state"], "revoked");
    assert_eq!(at_once["rotated_from"], new["id"]);
    assert_eq!(h.post("/keys/ci/rotate", json!({ "grace": "60d" })).await.refusal().0, 400);
}

#[tokio::test]
async fn whoever_stops_a_rotated_key_stops_the_secret_that_its_grace_keeps_alive() {
    let h = Harness::start().await;
    let old = h.post("/keys", a_key("leaked")).await.ok();
    h.post("/keys/leaked/rotate", json!({ "grace": "24h" })).await.ok();
    let state = async || h.get(&format!("/keys/{}", old["id"].as_str().unwrap())).await.ok()["state"].clone();
    h.post("/keys/leaked/suspend", json!({})).await.ok();
    assert_eq!(state().await, "suspended");
    h.post("/keys/leaked/restore", json!({})).await.ok();
    assert_eq!(state().await, "active");
    h.post("/keys/leaked/revoke", Value::Null).await.ok();
    assert_eq!(state().await, "revoked");
}

#[tokio::test]
async fn keys_are_listed_by_what_they_are_bound_to() {
    let h = Harness::start().await;
    h.post("/clients", json!({ "name": "Acme" })).await.ok();
    h.post("/keys", json!({ "name": "old", "kind": "project", "client": "Acme" })).await.ok();
    h.clock.advance(Duration::from_secs(100 * 86_400));
    let capped =
        json!({ "name": "new", "kind": "automation", "budgets": [{ "period": "daily", "limit": "1" }] });
    h.post("/keys", capped).await.ok();
    let names = async |query: &str| {
        let list = h.get(&format!("/keys?{query}")).await.ok();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["old", "new"]);
    assert_eq!(names("older_than=90d").await, ["old"]);
    assert_eq!(names("no_limit=true").await, ["old"]);
    assert_eq!(names("kind=automation").await, ["new"]);
    assert_eq!(names("client=acme").await, ["old"]);
    assert_eq!(h.get("/keys?client=Nobody").await.refusal().0, 404);
    assert_eq!(h.get("/keys?kind=robot").await.refusal().0, 400);
    assert_eq!(KeyState::Expired.as_str(), "expired");
}
