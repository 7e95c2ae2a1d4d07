//! Crashes: what was open becomes an estimate, what was not shipped is shipped, nothing twice under another id.

use super::provider::{ANSWER, DELTA, Step, json, piece, stream_head};
use super::world::World;
use crate::config::IntentMode;
use crate::slate::Slate;
use crate::spool::SpoolConfig;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tallystick_domain::EventId;
use tallystick_domain::event::{Event, Outcome, Status, UsageRecorded};
use tallystick_eventlog::Fault;
use tallystick_schemas::spooled;

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
    let mut ids: Vec<_> =
        world.events().await.iter().filter(|e| matches!(e, Event::Recorded(_))).map(Event::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

/// Leaves on the slate what a process leaves that is killed between sending and its spool's next write.
fn killed_while_sending(world: &World, event: &UsageRecorded) {
    let bytes = SpoolConfig::default().intent_reserve_bytes;
    let path = world.spool_dir().join("slate");
    let (slate, _) = Slate::open(&path, 1, bytes, world.clock.shared()).unwrap();
    let frame = spooled::pack(&Event::Recorded(Box::new(event.clone())), None).unwrap();
    drop(slate.write(event.event_id, event.lane, &frame).unwrap());
}

#[tokio::test]
async fn a_call_that_was_sent_before_the_spool_had_its_intent_is_not_forgotten() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    world.chat(r#"{"model":"m-1"}"#).await;
    world.drain().await;
    let mut event = world.only_usage().await;
    (event.event_id, event.seq) = (EventId::derived("test", &[b"sent"]), 0);
    killed_while_sending(&world, &event);
    let world = world.restarted().await;
    assert_eq!(world.proxy.recovered(), 1);
    let events = world.usage(2).await;
    let found = events.iter().find(|found| found.event_id == event.event_id).unwrap();
    assert_eq!((found.status, found.outcome), (Status::Estimated, Outcome::GatewayCrashed));
    world.drain().await;
    let world = world.restarted().await;
    assert_eq!(world.proxy.recovered(), 0, "it is settled once");
}

#[tokio::test]
async fn a_call_that_is_on_the_slate_and_in_the_spool_is_settled_once() {
    let world = World::new().await;
    world.provider.next(vec![Step::Stall]);
    let mut call = Box::pin(world.detached(STREAM));
    tokio::select! { _ = &mut call => panic!("it stalls"), () = world.provider.arrival() => {} }
    world.crash().await;
    drop(call);
    assert!(std::fs::metadata(world.spool_dir().join("slate")).unwrap().len() > 0, "it went over the slate");
    let world = world.restarted().await;
    assert_eq!(world.proxy.recovered(), 1);
    assert_eq!(world.only_usage().await.outcome, Outcome::GatewayCrashed);
}

#[tokio::test]
async fn what_the_log_does_not_take_is_sent_again_in_order() {
    let world = World::new().await;
    world.faulty.fail_next_append(Fault::BeforeStore);
    world.faulty.fail_next_append(Fault::AfterStore);
    for _ in 0..3 {
        world.provider.next(json("200 OK", ANSWER));
        world.chat(r#"{"model":"m-1"}"#).await;
    }
    world.drain().await;
    let mut firsts: Vec<u64> = Vec::new();
    for event in world.events().await.iter().filter(|event| matches!(event, Event::Recorded(_))) {
        let seq = event.stream_position().seq;
        if !firsts.contains(&seq) {
            firsts.push(seq);
        }
    }
    assert!(firsts.len() == 3 && firsts.is_sorted(), "{firsts:?}");
}

#[tokio::test]
async fn below_the_low_water_mark_nothing_is_admitted_and_readiness_says_so() {
    let world = World::with(|config| config.spool.low_water_bytes = u64::MAX).await;
    let response = world.chat(r#"{"model":"m-1"}"#).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"30".parse().unwrap())
    );
    assert!(!world.readiness.is_ready());
    assert!(world.provider.received().is_empty());
}

#[tokio::test]
async fn with_before_send_the_intent_is_on_disk_before_the_provider_hears_of_it() {
    let world = World::with(|config| config.intent = IntentMode::BeforeSend).await;
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.chat(r#"{"model":"m-1"}"#).await.status(), 200);
    assert_eq!(world.only_usage().await.outcome, Outcome::Completed);
    world.proxy.spool().close();
    let response = world.chat(r#"{"model":"m-1"}"#).await;
    assert_eq!(response.status(), 503);
    assert_eq!(world.provider.received().len(), 1, "nothing was sent without a record");
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
    let lane = world.usage(6).await[0].lane;
    let in_lane = |event: &Event| Some(event.stream_position()).filter(|at| at.lane == lane).map(|at| at.seq);
    let mut seqs: Vec<u64> = world.events().await.iter().filter_map(in_lane).collect();
    seqs.sort_unstable();
    let dense: Vec<u64> = (1..).take(seqs.len()).collect();
    assert_eq!(seqs, dense);
    assert!(seqs.len() >= 6);
}
