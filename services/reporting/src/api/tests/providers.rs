//! Provider accounts and their secrets.

use super::Harness;
use http::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tallystick_store::control::ProviderRow;
use tallystick_store::secrets::provider_binding;

const SECRET: &str = "sk-very-secret-canary-0123456789";

async fn stored(h: &Harness) -> ProviderRow {
    h.store().control_snapshot().await.unwrap().providers.remove(0)
}

#[tokio::test]
async fn a_known_provider_needs_only_a_secret_which_opens_for_its_origin_and_is_never_shown() {
    let h = Harness::start().await;
    let made = h.post("/providers", json!({ "name": "openai", "secret": SECRET })).await.ok();
    assert_eq!((&made["kind"], &made["base_url"]), (&json!("openai"), &json!("https://api.openai.com/v1")));
    assert_eq!(made["has_secret"], true);
    let row = stored(&h).await;
    let sealed = row.secret.as_deref().unwrap();
    let opened = h
        .secrets
        .secret_box
        .open_text(&provider_binding(row.team_id, "openai", "https://api.openai.com"), sealed);
    assert_eq!(opened.unwrap().expose_secret(), SECRET);
    assert!(
        h.secrets
            .secret_box
            .open(&provider_binding(row.team_id, "openai", "https://evil.example"), sealed)
            .is_err()
    );

    let everything =
        format!("{}{}{}{made}", h.story().await, h.get("/providers").await.ok(), h.get("/audit").await.ok());
    assert!(!everything.contains(SECRET) && !everything.contains("canary"));
    assert!(!sealed.windows(6).any(|part| part == b"canary"));
}

#[tokio::test]
async fn editing_the_address_forgets_the_secret_unless_a_new_one_comes_with_it() {
    let h = Harness::start().await;
    h.post("/providers", json!({ "name": "openai", "secret": SECRET })).await.ok();
    let same = h
        .patch("/providers/openai", json!({ "base_url": "https://api.openai.com/v1/", "models": ["gpt-*"] }))
        .await
        .ok();
    assert_eq!((&same["has_secret"], &same["models"]), (&json!(true), &json!(["gpt-*"])));
    let moved = h.patch("/providers/openai", json!({ "base_url": "https://proxy.example/v1" })).await.ok();
    assert_eq!((&moved["has_secret"], &moved["secret_set_at"]), (&json!(false), &json!(null)));
    assert!(stored(&h).await.secret.is_none());
    let again = h
        .patch("/providers/openai", json!({ "base_url": "https://other.example/v1", "secret": "sk-2" }))
        .await
        .ok();
    assert_eq!(again["has_secret"], true);
    let row = stored(&h).await;
    let opened = h.secrets.secret_box.open_text(
        &provider_binding(row.team_id, "openai", "https://other.example"),
        row.secret.as_deref().unwrap(),
    );
    assert_eq!(opened.unwrap().expose_secret(), "sk-2");
}

#[tokio::test]
async fn only_the_operator_sends_requests_to_other_or_private_addresses() {
    let h = Harness::start().await;
    let owner = h.other_team("elsewhere").await;
    let ask = |body| h.send(&owner, Method::POST, "/providers", body, None);
    for url in ["http://127.0.0.1:9999/v1", "https://collector.example/v1", "http://169.254.169.254"] {
        let body = json!({ "name": "mine", "kind": "openai-compatible", "base_url": url });
        assert_eq!(ask(body).await.refusal().0, 403, "{url}");
    }
    ask(json!({ "name": "groq", "secret": "gsk-1" })).await.ok();
    let moved = h
        .send(
            &owner,
            Method::PATCH,
            "/providers/groq",
            json!({ "base_url": "https://collector.example" }),
            None,
        )
        .await;
    assert_eq!(moved.refusal().0, 403);
    let opened =
        h.send(&owner, Method::PATCH, "/providers/groq", json!({ "private_address": true }), None).await;
    assert_eq!(opened.refusal().0, 403);
    h.send(&owner, Method::PATCH, "/providers/groq", json!({ "secret": "gsk-2" }), None).await.ok();

    let local = json!({ "name": "fake", "kind": "openai-compatible", "base_url": "http://127.0.0.1:9999/v1", "price_name": "openai" });
    let made = h.post("/providers", local).await.ok();
    assert_eq!((&made["private_address"], &made["price_name"]), (&json!(true), &json!("openai")));
}

#[tokio::test]
async fn bad_providers_are_refused() {
    let h = Harness::start().await;
    for body in [
        json!({ "name": "unheard-of" }),
        json!({ "name": "models", "kind": "openai", "base_url": "https://a.example" }),
        json!({ "name": "a b", "kind": "openai", "base_url": "https://a.example" }),
        json!({ "name": "x", "kind": "openai", "base_url": "http://plain.example" }),
        json!({ "name": "x", "kind": "openai", "base_url": "https://user:pw@a.example" }),
        json!({ "name": "openai", "secret": "two words" }),
        json!({ "name": "openai", "secret": "" }),
        json!({ "name": "openai", "secret_env": "OPENAI_API_KEY" }),
    ] {
        assert_eq!(
            h.post("/providers", body.clone()).await.refusal(),
            (400, "invalid_request".to_owned()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_archived_provider_has_no_secret_and_gives_its_name_free() {
    let h = Harness::start().await;
    h.post("/providers", json!({ "name": "mistral", "secret": SECRET })).await.ok();
    assert_eq!(h.post("/providers/mistral/archive", json!({})).await.ok()["has_secret"], false);
    assert_eq!(h.patch("/providers/mistral", json!({ "secret": "x" })).await.refusal().1, "archived");
    h.post("/providers", json!({ "name": "mistral" })).await.ok();
}
