//! Anthropic's own endpoint: passed through natively, metered by its own usage.

use super::provider::{json, last, piece, stream_head};
use super::world::{World, provider_row, text};
use crate::control::{Change, ProviderKind};
use tallystick_domain::event::{Outcome, Status};
use tallystick_domain::usage::{Bucket, Usage};

const BODY: &str = r#"{"model":"m-1","max_tokens":10,"messages":[],"metadata":{"user_id":"u-7"}}"#;

async fn world() -> World {
    let world = World::new().await;
    let mut row = provider_row(world.provider.port);
    row.kind = ProviderKind::Anthropic;
    row.base_url = format!("http://127.0.0.1:{}", world.provider.port);
    let seq = world.change(Change::Provider(row));
    world.applied(seq).await;
    world
}

#[tokio::test]
async fn messages_pass_natively_and_cached_tokens_are_counted_beside_the_input() {
    let world = world().await;
    let answer = r#"{"type":"message","model":"m-1","content":[],"stop_reason":"end_turn","usage":{"input_tokens":10,"cache_read_input_tokens":40,"output_tokens":5}}"#;
    for path in ["/v1/messages", "/fake/v1/messages", "/v1/fake/messages"] {
        world.provider.next(json("200 OK", answer));
        assert_eq!(text(world.send(world.request(path, BODY)).await).await, answer, "{path}");
    }
    let head = &world.provider.received()[0].head;
    assert!(head.starts_with("POST /v1/messages HTTP/1.1"), "{head}");
    assert!(
        head.contains(&format!("x-api-key: {}", super::world::SECRET))
            && head.contains("anthropic-version: 2023-06-01")
    );
    assert!(!head.contains("authorization"), "{head}");
    for event in world.usage(3).await {
        let usage = Usage::new()
            .with(Bucket::InputUncached, 10)
            .with(Bucket::CacheRead, 40)
            .with(Bucket::OutputText, 5);
        assert_eq!(
            (event.usage, event.endpoint.as_str(), event.end_user.as_deref()),
            (usage, "messages", Some("u-7"))
        );
    }
}

#[tokio::test]
async fn a_stream_of_messages_is_settled_by_its_last_cumulative_usage() {
    let world = world().await;
    let events = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m-1\",\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ];
    let pieces = events.iter().map(|event| piece(event));
    world.provider.next([vec![stream_head()], pieces.collect(), vec![last()]].concat());
    let body = BODY.replace("\"max_tokens\"", "\"stream\":true,\"max_tokens\"");
    assert_eq!(text(world.send(world.request("/v1/messages", &body)).await).await, events.concat());
    assert_eq!(world.provider.received()[0].body, body, "nothing is added that Anthropic would refuse");
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Final, Outcome::Completed));
    assert_eq!((event.usage.input_tokens(), event.usage.output_tokens()), (10, 7));
}
