//! Clients that leave, and a gateway that panics: the provider is read to its end within limits, and settled once.

use super::provider::{ANSWER, DELTA, DONE, FINISH, Step, USAGE, json, last, piece, stream_head};
use super::world::{World, document};
use axum::body::Body;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::event::{Outcome, Status};
use tokio::sync::Notify;

const BODY: &str = r#"{"model":"m-1","messages":[]}"#;
const STREAM: &str = r#"{"model":"m-1","stream":true}"#;

/// Nobody but the request itself asks the clock.
fn quiet(config: &mut crate::config::ProxyConfig) {
    config.feed.poll = Duration::from_secs(3600);
    config.feed.stale = Duration::from_secs(7200);
}

async fn first_piece(world: &World) -> Body {
    let mut body = world.chat(STREAM).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), DELTA.as_bytes());
    body
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_charged_what_the_provider_says() {
    let world = World::new().await;
    let go = Arc::new(Notify::new());
    world.provider.next([vec![Step::Wait(Arc::clone(&go))], json("200 OK", ANSWER)].concat());
    let mut call = Box::pin(world.detached(BODY));
    tokio::select! { _ = &mut call => panic!("nothing was answered yet"), () = world.provider.arrival() => {} }
    drop(call);
    go.notify_one();
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Final, Outcome::ClientGone));
    assert_eq!(event.usage.input_tokens(), 100);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_stream_is_drained_to_the_usage() {
    let world = World::new().await;
    let go = Arc::new(Notify::new());
    let rest = [Step::Wait(Arc::clone(&go)), piece(FINISH), piece(USAGE), piece(DONE), last()];
    world.provider.next([vec![stream_head(), piece(DELTA)], rest.to_vec()].concat());
    drop(first_piece(&world).await);
    go.notify_one();
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Final, Outcome::ClientGone));
    assert_eq!((event.usage.input_tokens(), event.usage.output_tokens()), (100, 20));
}

#[tokio::test]
async fn a_client_that_leaves_after_the_end_marker_got_everything() {
    let world = World::new().await;
    world.provider.next(vec![stream_head(), piece(&format!("{DELTA}{FINISH}{USAGE}{DONE}")), Step::Stall]);
    let mut body = world.chat(STREAM).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Final, Outcome::Completed));
}

#[tokio::test]
async fn a_drain_ends_at_its_limits_with_an_estimate_of_what_was_seen() {
    let limits: [fn(&mut crate::config::DrainLimits); 3] =
        [|l| l.concurrent = 0, |l| l.bytes = 10, |l| l.time = Duration::from_millis(30)];
    for limit in limits {
        let world = World::with(|config| limit(&mut config.drain)).await;
        let more = vec![piece(DELTA), Step::Stall];
        world.provider.next([vec![stream_head(), piece(DELTA)], more].concat());
        drop(first_piece(&world).await);
        let event = world.only_usage().await;
        assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::ClientGoneUndrained));
        assert!(event.usage.output_tokens() >= 2);
    }
}

#[tokio::test]
async fn a_drain_of_the_process_waits_for_the_stream() {
    let world = World::new().await;
    let go = Arc::new(Notify::new());
    let rest = [Step::Wait(Arc::clone(&go)), piece(USAGE), piece(DONE), last()];
    world.provider.next([vec![stream_head(), piece(DELTA)], rest.to_vec()].concat());
    let body = first_piece(&world).await;
    let (drained, rest) = tokio::join!(world.drain(), async {
        go.notify_one();
        body.collect().await.unwrap().to_bytes()
    });
    let () = drained;
    assert_eq!(rest, DONE.as_bytes());
    assert_eq!(world.only_usage().await.outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_call_is_500_and_one_event() {
    let world = World::with(quiet).await;
    let go = Arc::new(Notify::new());
    world.provider.next([vec![Step::Wait(Arc::clone(&go))], json("200 OK", ANSWER)].concat());
    let call = world.detached(BODY);
    let (response, ()) = tokio::join!(call, async {
        world.provider.arrival().await;
        world.fragile.break_once();
        go.notify_one();
    });
    assert_eq!(response.status(), 500);
    assert_eq!(document(response).await["error"]["code"], "internal");
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::GatewayFailed));
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.chat(BODY).await.status(), 200, "the next request is served");
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_stream_is_one_event_with_what_was_seen() {
    let world = World::with(quiet).await;
    let go = Arc::new(Notify::new());
    let rest = [Step::Wait(Arc::clone(&go)), piece(FINISH), piece(USAGE), last()];
    world.provider.next([vec![stream_head(), piece(DELTA)], rest.to_vec()].concat());
    let mut body = first_piece(&world).await;
    world.fragile.break_once();
    go.notify_one();
    let caught = world.caught(async move { body.frame().await.map(|frame| frame.is_ok()) }).await;
    assert!(caught.is_err(), "the panic reaches the connection's task");
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::GatewayFailed));
    assert_eq!(event.usage.output_tokens(), 2);
}
