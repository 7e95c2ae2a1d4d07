//! Who pays: headers, policies, traces.

use super::provider::{ANSWER, json};
use super::world::{World, client, document, key, project};
use crate::control::Change;
use axum::response::Response;
use tallystick_domain::attribution::TaskSource;

const BODY: &str = r#"{"model":"m-1"}"#;

async fn with(world: &World, headers: &[(&'static str, &str)]) -> Response {
    let mut request = world.request("/v1/chat/completions", BODY);
    for (name, value) in headers {
        request.headers_mut().insert(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    world.send(request).await
}

#[tokio::test]
async fn a_request_may_name_client_project_task_and_tags_where_its_key_may() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    let headers = [
        ("x-tallystick-project", "Tools"),
        ("x-tallystick-client", "startup x"),
        ("x-tallystick-task", "ticket-7"),
        ("x-tallystick-tags", "team=core, run=5"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("x-stainless-retry-count", "1"),
        ("user-agent", "OpenAI/Python 2.1"),
    ];
    assert_eq!(with(&world, &headers).await.status(), 200);
    let event = world.only_usage().await;
    assert_eq!((event.project, event.client), (Some(project("tools")), Some(client("Startup X"))));
    assert_eq!((event.task.as_deref(), event.task_source), (Some("ticket-7"), Some(TaskSource::Header)));
    let tags: Vec<(&str, &str)> = event.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(tags, [("run", "5"), ("team", "core")]);
    assert!(event.client_retry);
    assert_eq!(event.user_agent.as_deref(), Some("OpenAI/Python 2.1"));
}

#[tokio::test]
async fn without_a_task_the_trace_stands_in() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    with(&world, &[("traceparent", traceparent)]).await;
    let event = world.only_usage().await;
    assert_eq!(event.task.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(event.task_source, Some(TaskSource::Trace));
    let records = tallystick_eventlog::EventLog::read(&world.log, 0, 0, Default::default()).await.unwrap();
    let continued =
        records.iter().any(|r| r.record.headers.iter().any(|(n, v)| n == "traceparent" && v == traceparent));
    assert!(continued, "the trace goes on into the log");
}

#[tokio::test]
async fn a_name_that_does_not_exist_or_may_not_be_given_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let (mut bound, _) = key("ci");
    bound.may_name_client = false;
    for (headers, param) in [
        (vec![("x-tallystick-client", "Nobody")], "x-tallystick-client"),
        (vec![("x-tallystick-project", "nothing")], "x-tallystick-project"),
        (vec![("x-tallystick-client", "Startup X")], "x-tallystick-client"),
    ] {
        let response = with(&world, &headers).await;
        assert_eq!(response.status(), 400);
        let error = document(response).await;
        assert_eq!(
            (&error["error"]["code"], &error["error"]["param"]),
            (&"unknown_attribution".into(), &param.into())
        );
    }
    let seq = world.change(Change::Key(bound));
    world.applied(seq).await;
    assert_eq!(with(&world, &[("x-tallystick-client", "Startup X")]).await.status(), 400);
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(with(&world, &[("x-tallystick-client", "Acme Corp")]).await.status(), 200);
    assert_eq!(world.provider.received().len(), 1);
}

#[tokio::test]
async fn a_text_that_can_not_be_kept_is_refused_with_its_name() {
    let world = World::new().await;
    let long = "x".repeat(257);
    let many: String = (0..17).map(|n| format!("k{n}=v,")).collect();
    for (name, value) in [
        ("x-tallystick-task", long.as_str()),
        ("x-tallystick-task", "tab\there"),
        ("x-tallystick-tags", "novalue"),
        ("x-tallystick-tags", many.as_str()),
    ] {
        let response = with(&world, &[(name, value)]).await;
        assert_eq!(response.status(), 400, "{name}: {value}");
        let error = document(response).await;
        assert_eq!(
            (&error["error"]["code"], &error["error"]["param"]),
            (&"invalid_request".into(), &name.into())
        );
    }
    assert!(world.provider.received().is_empty());
}
