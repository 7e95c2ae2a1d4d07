//! The official OpenAI SDK for Python, from its package index, against the fake provider.

use std::path::Path;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tallystick_tests::harness::{Gateway, GatewayOptions};
use tallystick_tests::provider::{DEFAULT_KEY, Provider, Settings};
use tallystick_tests::sdk::{Endpoint, SdkReport, SdkSuite, scenario_count};

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the temporary folder lies in the target folder")
}

fn direct(provider: &Provider) -> Endpoint {
    Endpoint { url: provider.base_url(), key: DEFAULT_KEY.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_gets_from_the_fake_provider_what_openai_documents() {
    let suite = SdkSuite::prepare(target()).await.unwrap();
    let provider = Provider::start(Settings::default()).await.unwrap();
    let report = suite.run(&direct(&provider), None).await.unwrap();
    let scenarios = scenario_count();
    assert!(scenarios >= 29, "only {scenarios} scenarios");
    assert_eq!(report, SdkReport { passed: scenarios, failed: 0, skipped: 2 * scenarios });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_sees_through_the_gateway_what_it_would_see_without_it() {
    let suite = SdkSuite::prepare(target()).await.unwrap();
    let provider = Provider::start(Settings::default()).await.unwrap();
    let options = GatewayOptions::for_tests().with("TALLYSTICK_PROXY_UPSTREAM_FIRST_BYTE_TIMEOUT", "60s");
    let gateway = Gateway::start(options).await.unwrap();
    let key = gateway.connect(&provider, "sdk").await.unwrap();
    let proxy = Endpoint { url: gateway.openai_url(), key };
    let report = suite.run(&direct(&provider), Some(&proxy)).await.unwrap();
    assert_eq!(report, SdkReport { passed: 3 * scenario_count(), failed: 0, skipped: 0 });
}

/// A gateway with the field's commonest mistake: it asks for usage and leaves the extra chunk in.
async fn leak(State(upstream): State<String>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the SDK sends whole bodies");
    let mut body: Value = serde_json::from_slice(&bytes).expect("the SDK sends JSON");
    if body["stream"] == json!(true) {
        body["stream_options"] = json!({"include_usage": true});
    }
    let mut request = Request::post(format!("{upstream}{}", parts.uri.path()));
    for name in ["authorization", "content-type"] {
        request = request.header(name, &parts.headers[name]);
    }
    let request =
        request.body(Full::new(Bytes::from(body.to_string()))).expect("a path that came in goes out");
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.expect("the provider answers").map(Body::new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_leaks_the_usage_chunk_fails_the_suite_in_its_streams_only() {
    let suite = SdkSuite::prepare(target()).await.unwrap();
    let provider = Provider::start(Settings::default()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let leaky = Router::new().fallback(leak).with_state(provider.root_url());
    let proxy = Endpoint { url, key: DEFAULT_KEY.to_owned() };
    let direct = direct(&provider);
    let failure = tokio::select! {
        ended = axum::serve(listener, leaky) => panic!("the leaky gateway ended: {ended:?}"),
        run = suite.run(&direct, Some(&proxy)) => run.unwrap_err().to_string(),
    };
    let user_sees = "test_a_user_sees_what_they_would_see_without_the_gateway";
    assert!(failure.contains(&format!("FAILED test_openai_sdk.py::{user_sees}[stream]")), "{failure}");
    assert!(failure.contains("FAILED test_openai_sdk.py::test_the_gateway_answers_as_documented[stream]"));
    assert!(!failure.contains("[stream_with_usage]") && !failure.contains("[chat]"), "{failure}");
}
