//! Refusals: status, code, envelope, and the count that reaches the log.

use super::world::{World, document, key};
use crate::control::{Change, Key, KeyState};
use axum::body::Body;
use http::Request;
use std::time::Duration;
use tallystick_domain::event::Event;

const BODY: &str = r#"{"model":"m-1","messages":[]}"#;

async fn refused(world: &World, request: Request<Body>) -> (u16, String, serde_json::Value) {
    let response = world.send(request).await;
    let status = response.status().as_u16();
    assert_eq!(response.headers()["x-tallystick-error-source"], "gateway");
    let id = response.headers()["x-tallystick-request-id"].to_str().unwrap().to_owned();
    let error = document(response).await;
    assert!(error["error"]["message"].as_str().unwrap().contains(&id), "{error}");
    (status, error["error"]["code"].as_str().unwrap_or_default().to_owned(), error)
}

async fn changed(world: &World, change: impl FnOnce(&mut Key)) {
    let (mut row, _) = key("ci");
    change(&mut row);
    let seq = world.change(Change::Key(row));
    world.applied(seq).await;
}

#[tokio::test]
async fn a_key_that_is_missing_mistyped_unknown_or_doubled_is_401() {
    let world = World::new().await;
    let (_, stranger) = key("other");
    let flipped = {
        let mut text = world.key.clone();
        let last = text.pop().unwrap();
        text.push(if last == 'a' { 'b' } else { 'a' });
        text
    };
    for value in [
        "",
        "Bearer ",
        "Bearer sk-proj-1",
        "Basic abc",
        &format!("Bearer {stranger}"),
        &format!("Bearer {flipped}"),
    ] {
        let mut request = world.request("/v1/chat/completions", BODY);
        request.headers_mut().insert("authorization", value.parse().unwrap());
        let (status, code, _) = refused(&world, request).await;
        assert_eq!((status, code.as_str()), (401, "invalid_api_key"), "{value}");
    }
    let mut request = world.request("/v1/chat/completions", BODY);
    request.headers_mut().insert("x-api-key", stranger.parse().unwrap());
    assert_eq!(refused(&world, request).await.0, 401, "two keys are no key");
    assert!(world.provider.received().is_empty());
}

#[tokio::test]
async fn a_key_works_in_every_header_that_an_sdk_uses() {
    let world = World::new().await;
    for name in ["x-api-key", "x-goog-api-key"] {
        let request = Request::get("/v1/key").header(name, &world.key).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn each_state_of_a_key_has_its_own_answer() {
    let world = World::new().await;
    let ask = || refused(&world, world.request("/v1/chat/completions", BODY));
    changed(&world, |key| key.state = KeyState::Revoked).await;
    assert_eq!(ask().await.1, "key_revoked");
    changed(&world, |key| key.expires_at = Some(super::world::START.parse().unwrap())).await;
    assert_eq!(ask().await.1, "key_expired");
    changed(&world, |key| key.rotated_out_at = Some(super::world::START.parse().unwrap())).await;
    assert_eq!(ask().await.1, "key_revoked");
    changed(&world, |key| key.state = KeyState::Suspended { reason: Some("loop".to_owned()) }).await;
    let response = world.chat(BODY).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-should-retry"]),
        (403, &"false".parse().unwrap())
    );
    assert_eq!(ask().await.1, "key_suspended");
    changed(&world, |_| {}).await;
    world.provider.next(super::provider::json("200 OK", super::provider::ANSWER));
    assert_eq!(world.chat(BODY).await.status(), 200);
}

#[tokio::test]
async fn models_providers_and_endpoints_outside_the_allowlist_are_403() {
    let world = World::new().await;
    let ask = || refused(&world, world.request("/v1/chat/completions", BODY));
    changed(&world, |key| key.models = vec!["gpt-*".to_owned()]).await;
    assert_eq!(ask().await.1, "model_not_allowed");
    changed(&world, |key| key.providers = vec!["openai".to_owned()]).await;
    assert_eq!(ask().await.1, "provider_not_allowed");
    changed(&world, |key| key.endpoints = vec!["embeddings".to_owned()]).await;
    let (status, code, error) = ask().await;
    assert_eq!(
        (status, code.as_str(), &error["error"]["type"]),
        (403, "endpoint_not_allowed", &"permission_error".into())
    );
}

#[tokio::test]
async fn a_model_or_provider_that_nobody_has_is_404() {
    let world = World::new().await;
    let (status, code, error) =
        refused(&world, world.request("/v1/chat/completions", r#"{"model":"gpt-nothing"}"#)).await;
    assert_eq!(
        (status, code.as_str(), &error["error"]["param"]),
        (404, "model_not_found", &serde_json::Value::Null)
    );
    assert_eq!(refused(&world, world.request("/v1/nobody/chat/completions", BODY)).await.0, 404);
    let (status, code, _) = refused(&world, world.request("/v1/moderations", BODY)).await;
    assert_eq!((status, code.as_str()), (404, "unknown_endpoint"));
    let elsewhere =
        tower::ServiceExt::oneshot(world.proxy.router_alone(), world.request("/foo", BODY)).await.unwrap();
    assert_eq!(document(elsewhere).await["error"]["code"], "unknown_endpoint");
}

#[tokio::test]
async fn anthropic_clients_get_their_own_envelope() {
    let world = World::new().await;
    let response = world.send(world.request("/v1/messages", r#"{"model":"nothing"}"#)).await;
    assert_eq!(response.status(), 404);
    let error = document(response).await;
    assert_eq!((&error["type"], &error["error"]["type"]), (&"error".into(), &"not_found_error".into()));
}

#[tokio::test]
async fn bad_bodies_are_400_or_413_and_cost_nothing() {
    let world = World::with(|config| config.request.body_bytes = 1000).await;
    for (body, code) in [
        (r#"{"model":"m-1","#, "invalid_request"),
        ("[]", "invalid_request"),
        ("", "invalid_request"),
        (r#"{"model":"m-1\u0000"}"#, "invalid_request"),
        (r#"{"model":"m-1","model":"m-2"}"#, "invalid_request"),
    ] {
        let (status, found, _) = refused(&world, world.request("/v1/chat/completions", body)).await;
        assert_eq!((status, found.as_str()), (400, code), "{body}");
    }
    let (status, code, _) = refused(&world, world.request("/v1/chat/completions", &"x".repeat(1001))).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    assert!(world.provider.received().is_empty());
}

#[tokio::test]
async fn beyond_the_limit_of_requests_in_flight_is_503_with_retry_after() {
    let world = World::with(|config| config.request.in_flight = 1).await;
    world.provider.next(vec![super::provider::Step::Stall]);
    let mut first = Box::pin(world.detached(BODY));
    tokio::select! { _ = &mut first => panic!("it stalls"), () = world.provider.arrival() => {} }
    let response = world.chat(BODY).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn refusals_are_counted_by_key_reason_model_and_window() {
    let world = World::new().await;
    for model in ["a", "a", "b"] {
        world.chat(&format!(r#"{{"model":"{model}"}}"#)).await;
    }
    let mut stranger = world.request("/v1/chat/completions", BODY);
    stranger.headers_mut().insert("authorization", "Bearer nobody".parse().unwrap());
    world.send(stranger).await;
    world.clock.advance(Duration::from_secs(10));
    world.chat(r#"{"model":"a"}"#).await;
    world.drain().await;
    let mut counted: Vec<(String, String, u64, String)> = world
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Refused(e) => Some((e.reason, e.model.unwrap(), e.count, e.occurred_at.to_string())),
            _ => None,
        })
        .collect();
    counted.sort();
    let line =
        |model: &str, count, at: &str| ("model_not_found".to_owned(), model.to_owned(), count, at.to_owned());
    let expected = [
        line("a", 1, "2026-11-23T23:30:10Z"),
        line("a", 2, "2026-11-23T23:30:00Z"),
        line("b", 1, "2026-11-23T23:30:00Z"),
    ];
    assert_eq!(counted, expected);
}
