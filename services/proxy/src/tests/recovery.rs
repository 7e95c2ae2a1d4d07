//! Crashes: what was open becomes an estimate, what was not shipped is shipped, nothing twice under another id.

use super::provider::{ANSWER, DELTA, Step, json, piece, stream_head};
use super::world::World;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tallystick_domain::event::{Event, Outcome, Status};

const STREAM: &str = r#"{"model":"m-1","stream":true,"messages":[{"role":"user","content":"hello hello"}]}"#;

#[tokio::test]
async fn a_call_that_a_crash_cut_off_becomes_one_estimated_event() {
    let world = World::new().await;
    world.provider.next(vec![Step::Stall]);
    let mut call = Box::pin(world.detached(STREAM));
    tokio::select! { _ = &mut call => panic!("it stalls"), () = world.provider.arrival() => {} }
    let before = world.proxy.spool().identity();
    world.crash().await;
    drop(call);
    world.clock.advance(Duration::from_secs(60));
    let world = world.restarted().await;
    assert_eq!(world.proxy.recovered(), 1);
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::GatewayCrashed));
    assert_eq!(event.error_code.as_deref(), Some("gateway_crashed"));
    let after = world.proxy.spool().identity();
    assert_eq!((event.producer, event.epoch), (after.producer, before.epoch + 1));
    assert_eq!(event.occurred_at.to_string(), super::world::START);
    assert!(event.recorded_at > event.occurred_at);
    assert!(event.cost.is_some() && event.usage.input_tokens() > 0);
}

#[tokio::test]
async fn the_progress_of_a_long_stream_makes_the_estimate_better() {
    let world = World::with(|config| config.upstream.progress_every = Duration::ZERO).await;
    world.provider.next(vec![stream_head(), piece(DELTA), piece(DELTA), Step::Stall]);
    let mut body = world.chat(STREAM).await.into_body();
    let mut seen = 0;
    while seen < 2 * DELTA.len() {
        seen += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    world.crash().await;
    drop(body);
    let world = world.restarted().await;
    let event = world.only_usage().await;
    assert_eq!(event.outcome, Outcome::GatewayCrashed);
    assert_eq!(event.usage.output_tokens(), 4, "sixteen bytes of text were seen");
    assert!(event.streamed);
}

#[tokio::test]
async fn what_was_settled_and_not_shipped_is_shipped_after_the_restart() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    world.chat(r#"{"model":"m-1"}"#).await;
    world.crash().await;
    let world = world.restarted().await;
    assert_eq!(world.proxy.recovered(), 0);
    world.provider.next(json("200 OK", ANSWER));
    world.chat(r#"{"model":"m-1"}"#).await;
    world.drain().await;
    let mut ids: Vec<_> = world.events().await.iter().filter(|e| matches!(e, Event::Recorded(_))).map(Event::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn the_numbers_of_a_lane_stay_dense_over_a_restart() {
    let mut world = World::new().await;
    for _ in 0..2 {
        for _ in 0..3 {
            world.provider.next(json("200 OK", ANSWER));
            world.chat(r#"{"model":"m-1"}"#).await;
        }
        world.drain().await;
        world = world.restarted().await;
    }
    let mut seqs: Vec<u64> = world.usage(6).await.iter().map(|event| event.seq).collect();
    seqs.sort_unstable();
    let heartbeat_lane = |event: &Event| matches!(event, Event::Heartbeat(_));
    let lane = world.usage(6).await[0].lane;
    let others = world.events().await.iter().filter(|e| heartbeat_lane(e) && e.stream_position().lane == lane).count();
    if others == 0 {
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    }
}
