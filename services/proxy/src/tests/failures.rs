//! The provider refuses, breaks, stalls, is not there; the gateway panics. One outcome each.

use super::provider::{ANSWER, DELTA, Step, json, last, piece, stream_head, whole};
use super::world::{World, document, provider_row, text};
use crate::config::ProxyConfig;
use crate::control::Change;
use http_body_util::BodyExt as _;
use rust_decimal::Decimal;
use std::time::Duration;
use tallystick_domain::event::{Outcome, Status};

const BODY: &str = r#"{"model":"m-1","messages":[{"role":"user","content":"hello hello hello"}]}"#;
const STREAM: &str = r#"{"model":"m-1","stream":true}"#;

#[tokio::test]
async fn an_error_of_the_provider_passes_unchanged_and_costs_nothing() {
    let world = World::new().await;
    let error =
        r#"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
    let headers =
        [("content-type", "application/json"), ("retry-after", "3"), ("x-ratelimit-remaining-requests", "0")];
    world.provider.next(whole("429 Too Many Requests", &headers, error));
    let response = world.chat(BODY).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-tallystick-error-source"], "upstream");
    assert_eq!(
        (&response.headers()["retry-after"], &response.headers()["x-ratelimit-remaining-requests"]),
        (&"3".parse().unwrap(), &"0".parse().unwrap())
    );
    assert_eq!(text(response).await, error);
    let event = world.only_usage().await;
    assert_eq!(
        (event.status, event.outcome, event.http_status),
        (Status::Final, Outcome::UpstreamRejected, Some(429))
    );
    assert_eq!((event.cost, event.error_code.as_deref()), (Some(Decimal::ZERO), Some("rate_limit_exceeded")));
    assert!(event.usage.is_empty() && event.lines.is_empty() && event.unrated.is_none());
}

#[tokio::test]
async fn a_provider_that_fails_is_final_and_free() {
    let world = World::new().await;
    world
        .provider
        .next(json("500 Internal Server Error", r#"{"error":{"message":"oops","type":"server_error"}}"#));
    assert_eq!(world.chat(BODY).await.status(), 500);
    let event = world.only_usage().await;
    assert_eq!(
        (event.status, event.outcome, event.cost),
        (Status::Final, Outcome::UpstreamFailed, Some(Decimal::ZERO))
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    world.provider.next(whole("302 Found", &[("location", "http://169.254.169.254/")], ""));
    let response = world.chat(BODY).await;
    assert_eq!(response.status(), 502);
    assert!(response.headers().get("location").is_none());
    assert_eq!(world.only_usage().await.outcome, Outcome::UpstreamFailed);
}

#[tokio::test]
async fn a_provider_that_can_not_be_reached_leaves_a_void() {
    let world = World::new().await;
    let seq = world.change(Change::Provider(provider_row(1)));
    world.applied(seq).await;
    let response = world.chat(BODY).await;
    assert_eq!(response.status(), 502);
    assert_eq!(document(response).await["error"]["code"], "upstream_error");
    let event = world.only_usage().await;
    assert_eq!(
        (event.status, event.outcome, event.cost),
        (Status::Voided, Outcome::UpstreamUnreachable, Some(Decimal::ZERO))
    );
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_an_estimate() {
    let world = World::new().await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":";
    for script in [vec![Step::Reset], vec![Step::Send(head.into()), Step::Reset]] {
        world.provider.next(script);
        assert_eq!(world.chat(BODY).await.status(), 502);
    }
    for event in world.usage(2).await {
        assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::UpstreamBroken));
        assert!(event.cost.unwrap() > Decimal::ZERO);
    }
}

fn impatient(config: &mut ProxyConfig) {
    config.upstream.first_byte_timeout = Duration::from_millis(50);
    config.upstream.idle_timeout = Duration::from_millis(50);
}

#[tokio::test]
async fn a_provider_that_stalls_is_504_and_an_estimate() {
    let world = World::with(impatient).await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":";
    for script in [vec![Step::Stall], vec![Step::Send(head.into()), Step::Stall]] {
        world.provider.next(script);
        let response = world.chat(BODY).await;
        assert_eq!(response.status(), 504);
        assert_eq!(document(response).await["error"]["code"], "upstream_timeout");
    }
    for event in world.usage(2).await {
        assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::UpstreamTimeout));
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_or_breaks_ends_the_clients_stream_too() {
    let world = World::with(impatient).await;
    for (end, outcome) in [(Step::Stall, Outcome::UpstreamTimeout), (Step::Reset, Outcome::UpstreamBroken)] {
        world.provider.next(vec![stream_head(), piece(DELTA), end]);
        let mut body = world.chat(STREAM).await.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), DELTA.as_bytes());
        assert!(body.frame().await.unwrap().is_err());
        let events = world.usage(if outcome == Outcome::UpstreamTimeout { 1 } else { 2 }).await;
        let event = events.last().unwrap();
        assert_eq!((event.status, event.outcome), (Status::Estimated, outcome));
        assert_eq!(event.usage.output_tokens(), 2, "what was seen is in the estimate");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_502() {
    let world = World::with(|config| config.upstream.answer_bytes = 100).await;
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.chat(BODY).await.status(), 502);
    assert_eq!(world.only_usage().await.error_code.as_deref(), Some("answer_too_large"));
}

#[tokio::test]
async fn a_stream_beyond_the_limit_of_one_event_passes_whole_and_is_an_estimate() {
    let world = World::with(|config| config.upstream.event_bytes = 64).await;
    world.provider.next(vec![stream_head(), piece(DELTA), piece(super::provider::USAGE), last()]);
    assert_eq!(text(world.chat(STREAM).await).await, format!("{DELTA}{}", super::provider::USAGE));
    assert_eq!(world.only_usage().await.status, Status::Estimated);
}
