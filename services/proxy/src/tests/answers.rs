//! Whole answers: what the client gets, what the provider got, what the event says.

use super::provider::{ANSWER, json};
use super::world::{World, client, document, project, provider_row, team, text};
use crate::control::{Change, Team};
use http::Request;
use jiff::civil::date;
use rust_decimal::Decimal;
use tallystick_domain::attribution::TaskSource;
use tallystick_domain::event::{Event, Outcome, Status};
use tallystick_domain::price::Unrated;
use tallystick_domain::usage::{Bucket, Usage};
use tallystick_domain::{Currency, KeyId, Lane};

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_whole_answer_passes_unchanged_and_leaves_one_priced_event() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    let body =
        r#"{"model":"m-1", "messages":[{"role":"user","content":"hi"}],"user":"u-1","unknown":{"a":[1]}}"#;
    let response = world.chat(body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-tallystick-cost"], "0.00016");
    assert_eq!(response.headers()["x-request-id"], "req_up");
    assert!(response.headers().get("x-tallystick-error-source").is_none());
    let request_id = response.headers()["x-tallystick-request-id"].to_str().unwrap().to_owned();
    assert_eq!(text(response).await, ANSWER);
    assert_eq!(world.provider.received()[0].body, body);

    let event = world.only_usage().await;
    assert_eq!(event.request_id, request_id);
    assert_eq!(
        (event.status, event.outcome, event.http_status),
        (Status::Final, Outcome::Completed, Some(200))
    );
    let usage =
        Usage::new().with(Bucket::InputUncached, 60).with(Bucket::CacheRead, 40).with(Bucket::OutputText, 20);
    assert_eq!(event.usage, usage);
    assert_eq!(event.cost, Some(amount("0.00016")));
    assert_eq!(event.lines.len(), 3);
    assert!(event.usage_raw.unwrap().get().contains("\"cached_tokens\":40"));
    assert_eq!(event.model_requested, "m-1");
    assert_eq!(event.model_served.as_deref(), Some("m-1-2026-01-01"));
    assert_eq!(event.service_tier.as_deref(), Some("default"));
    assert_eq!(event.upstream_request_id.as_deref(), Some("req_up"));
    assert_eq!((event.provider.as_str(), event.endpoint.as_str()), ("fake", "chat"));
    assert_eq!((event.team_day, event.client_day), (date(2026, 11, 24), date(2026, 11, 23)));
    let key = KeyId::derived("test", &[b"ci"]);
    assert_eq!((event.team, event.key, event.lane), (team(), Some(key), Lane::of_key(key)));
    assert_eq!((event.project, event.client), (Some(project("site")), Some(client("Acme Corp"))));
    assert_eq!(
        (event.environment.as_deref(), event.tool.as_deref()),
        (Some("production"), Some("cursor-dev"))
    );
    assert_eq!((event.end_user.as_deref(), event.task), (Some("u-1"), None));
    assert_eq!((event.attempt, event.client_retry, event.streamed), (1, false, false));
    assert_eq!((event.origin.unwrap().len(), event.prompt_print.unwrap().len()), (24, 24));
    assert!(event.price_version.is_some() && event.unrated.is_none() && event.holds.is_empty());
    assert_eq!(event.seq, 1);
}

#[tokio::test]
async fn embeddings_are_metered_by_their_own_usage() {
    let world = World::new().await;
    let answer = r#"{"object":"list","data":[],"model":"m-1","usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    world.provider.next(json("200 OK", answer));
    let response =
        world.send(world.request("/v1/fake/embeddings", r#"{"model":"m-1","input":"hello"}"#)).await;
    assert_eq!(text(response).await, answer);
    assert!(world.provider.received()[0].head.starts_with("POST /v1/embeddings HTTP/1.1"));
    let event = world.only_usage().await;
    assert_eq!(event.endpoint, "embeddings");
    assert_eq!(event.usage, Usage::new().with(Bucket::InputUncached, 8));
    assert_eq!(event.cost, Some(amount("0.000008")));
}

#[tokio::test]
async fn a_model_without_a_price_runs_by_path_and_is_unrated_not_free() {
    let world = World::new().await;
    world.provider.next(json("200 OK", &ANSWER.replace("m-1-2026-01-01", "secret-model")));
    let response =
        world.send(world.request("/v1/fake/chat/completions", r#"{"model":"secret-model"}"#)).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers().get("x-tallystick-cost").is_none());
    let event = world.only_usage().await;
    assert_eq!((event.cost, event.status), (None, Status::Final));
    assert_eq!(event.unrated.unwrap().code(), "unknown_model");
    assert!(event.lines.is_empty());
}

#[tokio::test]
async fn a_price_in_another_currency_than_the_ledgers_is_no_price_and_the_event_says_which_one() {
    let world = World::new().await;
    let zone = tallystick_domain::period::Zone::parse("Europe/Berlin").unwrap();
    let team = Team { id: team(), name: "Agency".to_owned(), zone, currency: Currency::EUR };
    world.applied(world.change(Change::Team(team))).await;
    world.provider.next(json("200 OK", ANSWER));
    let response = world.chat(r#"{"model":"m-1"}"#).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers().get("x-tallystick-cost").is_none());
    let event = world.only_usage().await;
    assert_eq!((event.currency, event.cost), (Currency::EUR, None));
    assert_eq!(event.unrated, Some(Unrated::OtherCurrency { currency: Currency::USD }));
}

#[tokio::test]
async fn a_second_account_takes_over_a_model_only_when_it_is_told_to() {
    let world = World::new().await;
    let mut second = provider_row(world.provider.port);
    second.id = tallystick_domain::ProviderId::derived("test", &[b"another"]);
    second.name = "another".to_owned();
    for (models, serving) in [(vec![], "fake"), (vec!["m-*".to_owned()], "another")] {
        second.models = models;
        world.applied(world.change(Change::Provider(second.clone()))).await;
        world.provider.next(json("200 OK", ANSWER));
        assert_eq!(world.chat(r#"{"model":"m-1"}"#).await.status(), 200);
        let served = world.usage(if serving == "fake" { 1 } else { 2 }).await;
        assert_eq!(served.last().unwrap().provider, serving);
    }
}

#[tokio::test]
async fn an_answer_without_usage_is_an_estimate() {
    let world = World::new().await;
    world.provider.next(json("200 OK", r#"{"model":"m-1","choices":[{"message":{"content":"12345678"}}]}"#));
    let body = r#"{"model":"m-1","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(world.chat(body).await.status(), 200);
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::UsageMissing));
    let messages = r#"[{"role":"user","content":"hi"}]"#.len() as u64;
    let estimate = Usage::new().with(Bucket::InputUncached, messages.div_ceil(4)).with(Bucket::OutputText, 2);
    assert_eq!(event.usage, estimate);
    assert!(event.cost.is_some());
}

#[tokio::test]
async fn usage_that_can_not_be_true_is_kept_and_estimated() {
    let world = World::new().await;
    let answer = r#"{"model":"m-1","choices":[],"usage":{"prompt_tokens":-5,"completion_tokens":1}}"#;
    world.provider.next(json("200 OK", answer));
    world.chat(r#"{"model":"m-1"}"#).await;
    let event = world.only_usage().await;
    assert_eq!((event.status, event.outcome), (Status::Estimated, Outcome::UsageInvalid));
    assert!(event.usage_raw.unwrap().get().contains("-5"));
}

#[tokio::test]
async fn the_models_are_those_that_the_key_may_use() {
    let world = World::new().await;
    let mut request = world.request("/v1/models", "");
    *request.method_mut() = http::Method::GET;
    let models = document(world.send(request).await).await;
    assert_eq!(models["object"], "list");
    assert_eq!(models["data"][0]["id"], "m-1");
    assert_eq!(models["data"][0]["owned_by"], "fake");
    assert_eq!(models["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_can_ask_what_it_is() {
    let world = World::new().await;
    let request =
        Request::get("/v1/key").header("x-api-key", &world.key).body(axum::body::Body::empty()).unwrap();
    let facts = document(world.send(request).await).await;
    assert_eq!(
        (&facts["name"], &facts["kind"], &facts["state"]),
        (&"ci".into(), &"member".into(), &"active".into())
    );
    assert_eq!((&facts["project"], &facts["team"]["currency"]), (&"site".into(), &"USD".into()));
    assert!(!facts.to_string().contains(&world.key));
}

#[tokio::test]
async fn a_drain_ends_with_a_closing_heartbeat_that_owes_nothing() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    world.chat(r#"{"model":"m-1"}"#).await;
    world.drain().await;
    let event = world.only_usage().await;
    let Some(Event::Heartbeat(last)) = world.events().await.pop() else {
        panic!("the last event is no heartbeat")
    };
    assert!(last.closing && last.oldest_unsettled_at.is_none());
    assert_eq!(last.last_seq.get(&event.lane.get()), Some(&event.seq));
    let response = world.chat(r#"{"model":"m-1"}"#).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn a_session_in_the_body_stands_in_for_a_task() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    world.chat(r#"{"model":"m-1","metadata":{"session_id":"s-9"}}"#).await;
    let event = world.only_usage().await;
    assert_eq!((event.task.as_deref(), event.task_source), (Some("s-9"), Some(TaskSource::Session)));
}
