//! Streams: byte for byte, with and without the usage that the client asked for.

use super::provider::{DELTA, DONE, FINISH, Step, USAGE, last, piece, stream_head};
use super::world::{World, text};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tallystick_domain::event::{Outcome, Status};
use tallystick_domain::usage::Bucket;
use tokio::sync::Notify;

const ASKED: &str = r#"{"model":"m-1","stream":true,"stream_options":{"include_usage":true}}"#;
const NOT_ASKED: &str = r#"{"model":"m-1","stream":true,"messages":[]}"#;

fn script() -> Vec<Step> {
    vec![stream_head(), piece(DELTA), piece(FINISH), piece(&format!("{USAGE}{DONE}")), last()]
}

#[tokio::test]
async fn a_client_that_asked_for_usage_gets_every_byte() {
    let world = World::new().await;
    world.provider.next(script());
    let response = world.chat(ASKED).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert!(response.headers().get("x-tallystick-cost").is_none());
    assert_eq!(text(response).await, format!("{DELTA}{FINISH}{USAGE}{DONE}"));
    assert_eq!(world.provider.received()[0].body, ASKED);
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome, event.streamed), (Status::Final, Outcome::Completed, true));
    assert_eq!(event.usage.get(Bucket::OutputText), 20);
}

#[tokio::test]
async fn a_client_that_did_not_ask_never_sees_the_chunk_that_we_asked_for() {
    let world = World::new().await;
    for body in [NOT_ASKED, r#"{"model":"m-1","stream":true,"stream_options":{"include_usage":false}}"#] {
        world.provider.next(script());
        assert_eq!(text(world.chat(body).await).await, format!("{DELTA}{FINISH}{DONE}"));
    }
    let received = world.provider.received();
    let injected = r#"{"stream_options":{"include_usage":true},"model":"m-1","stream":true,"messages":[]}"#;
    assert_eq!(received[0].body, injected);
    assert_eq!(received[1].body, r#"{"model":"m-1","stream":true,"stream_options":{"include_usage":true}}"#);
    for event in world.usage(2).await {
        assert_eq!(
            (event.status, event.usage.input_tokens(), event.usage.output_tokens()),
            (Status::Final, 100, 20)
        );
    }
}

#[tokio::test]
async fn pieces_pass_as_they_come() {
    let world = World::new().await;
    let go = Arc::new(Notify::new());
    world.provider.next(vec![
        stream_head(),
        piece(DELTA),
        Step::Wait(Arc::clone(&go)),
        piece(FINISH),
        piece(USAGE),
        last(),
    ]);
    let mut body = world.chat(NOT_ASKED).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, DELTA.as_bytes(), "the first piece is here while the provider waits");
    go.notify_one();
    let rest = body.collect().await.unwrap().to_bytes();
    assert_eq!(rest, FINISH.as_bytes());
}

#[tokio::test]
async fn a_stream_whose_provider_tells_no_usage_is_an_estimate() {
    let world = World::new().await;
    world.provider.next(vec![stream_head(), piece(DELTA), piece(FINISH), piece(DONE), last()]);
    text(world.chat(NOT_ASKED).await).await;
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::UsageMissing));
    assert_eq!(event.usage.get(Bucket::OutputText), 2);
}

#[tokio::test]
async fn a_stream_that_ends_early_or_reports_an_error_is_an_estimate_and_passes_as_it_is() {
    let world = World::new().await;
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":\"overloaded\"}}\n\n";
    for end in [vec![last()], vec![piece(error), last()]] {
        world.provider.next([vec![stream_head(), piece(DELTA)], end].concat());
        assert!(text(world.chat(NOT_ASKED).await).await.starts_with(DELTA));
    }
    let events = world.usage(2).await;
    assert!(events.iter().all(|e| (e.status, e.outcome) == (Status::Estimated, Outcome::UpstreamBroken)));
    assert_eq!(events[1].error_code.as_deref(), Some("overloaded"));
}

#[tokio::test]
async fn a_client_that_asked_for_a_stream_and_gets_json_is_metered_all_the_same() {
    let world = World::new().await;
    world.provider.next(super::provider::json("200 OK", super::provider::ANSWER));
    assert_eq!(text(world.chat(NOT_ASKED).await).await, super::provider::ANSWER);
    assert_eq!(world.only_usage().await.status, Status::Final);
}
