//! All three signals of a process, received by a collector, and the same metrics pulled by Prometheus.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::{
    common::v1::any_value::Value,
    metrics::v1::{Metric, metric::Data, number_data_point},
    resource::v1::Resource,
};
use tallystick_runtime::{
    config::{self, Secret},
    health::Readiness,
    telemetry::{self, TelemetryConfig, inject_traceparent, meter, set_remote_parent},
};
use tower::ServiceExt as _;
use tracing::{info, info_span};

use crate::collector::Collector;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn assert_ours(resource: Option<Resource>) {
    let text = |name: &str| {
        let attributes = &resource.as_ref().expect("a resource").attributes;
        let found = attributes.iter().find(|attribute| attribute.key == name);
        found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value)
    };
    assert_eq!(text("service.name"), Some(Value::StringValue("tallystick-test".into())));
    assert_eq!(text("service.version"), Some(Value::StringValue("1.2.3".into())));
    assert_eq!(text("service.instance.id"), Some(Value::StringValue("one".into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_span_one_metric_and_one_log_reach_the_collector_and_prometheus() {
    let (collector, address) = Collector::start().await;
    let settings = config::Telemetry {
        endpoint: Some(Secret::new(format!("http://{address}/"))),
        metrics_interval: Duration::from_millis(100),
        ..config::Telemetry::default()
    };
    let config =
        TelemetryConfig { service: "tallystick-test", version: "1.2.3", instance: "one".into(), settings };
    let telemetry = telemetry::init(&config).unwrap();
    assert!(telemetry::init(&config).is_err(), "a process has one telemetry");

    let requests = meter()
        .u64_counter("test.requests")
        .with_unit("{request}")
        .with_description("Requests that the test made.")
        .build();
    requests.add(3, &[KeyValue::new("outcome", "ok")]);

    let span = info_span!("proxy.request.handle", request.id = "r1");
    set_remote_parent(&span, Some(&format!("00-{TRACE}-{CALLER}-01")), None);
    let traceparent = span.in_scope(|| {
        info!(cost_usd = "0.25", "a request was settled");
        tracing::debug!("too fine for an export");
        info!(target: "hyper::proto", authorization = "Bearer sk-canary", "a library prints what it carries");
        inject_traceparent().unwrap()
    });
    drop(span);

    // The periodic reader works by itself, on its own thread, long before the flush at the end.
    collector.metrics.arrival().await;
    collector.metrics.arrival().await;

    assert_prometheus(telemetry.metrics_router(&Readiness::new())).await;
    telemetry.shutdown().await;

    assert_span(&collector, &traceparent);
    assert_metric(&collector);
    assert_log(&collector);
}

fn assert_span(collector: &Collector, traceparent: &str) {
    let received = collector.traces.all().into_iter().flat_map(|request| request.resource_spans);
    let mut spans = Vec::new();
    for group in received {
        assert_ours(group.resource);
        spans.extend(group.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].name, "proxy.request.handle");
    assert_eq!(hex(&spans[0].trace_id), TRACE);
    assert_eq!(hex(&spans[0].parent_span_id), CALLER);
    assert_eq!(traceparent, format!("00-{TRACE}-{}-01", hex(&spans[0].span_id)));
    assert!(!format!("{spans:?}").contains("sk-canary"));
}

fn assert_metric(collector: &Collector) {
    let mut found: Option<Metric> = None;
    for group in collector.metrics.all().into_iter().flat_map(|request| request.resource_metrics) {
        assert_ours(group.resource);
        let mut metrics = group.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
        found = metrics.find(|metric| metric.name == "test.requests").or(found);
    }
    let metric = found.expect("the counter was sent");
    assert_eq!(
        (metric.unit.as_str(), metric.description.as_str()),
        ("{request}", "Requests that the test made.")
    );
    let Some(Data::Sum(sum)) = metric.data else { panic!("a counter is a sum") };
    assert_eq!(sum.data_points[0].value, Some(number_data_point::Value::AsInt(3)));
}

fn assert_log(collector: &Collector) {
    let mut records = Vec::new();
    for group in collector.logs.all().into_iter().flat_map(|request| request.resource_logs) {
        assert_ours(group.resource);
        records.extend(group.scope_logs.into_iter().flat_map(|scope| scope.log_records));
    }
    assert!(!format!("{records:?}").contains("sk-canary"), "libraries' logs stay here");
    let settled = Some(Value::StringValue("a request was settled".into()));
    let record = records
        .iter()
        .find(|record| record.body.as_ref().is_some_and(|body| body.value == settled))
        .expect("the log line was sent");
    assert_eq!(record.severity_text, "INFO");
    assert_eq!(hex(&record.trace_id), TRACE, "the line is found from its trace");
    assert!(record.attributes.iter().any(|attribute| attribute.key == "cost_usd"));
}

async fn assert_prometheus(router: axum::Router) {
    let get = async |path: &str| {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    let text = get("/metrics").await;
    assert!(text.contains("# HELP test_requests_total Requests that the test made."), "{text}");
    let line =
        text.lines().find(|line| line.starts_with("test_requests_total{")).expect("the counter's line");
    assert!(line.contains("outcome=\"ok\"") && line.ends_with(" 3"), "{line}");
    assert!(text.contains("service_name=\"tallystick-test\""), "{text}");
    assert_eq!(get("/healthz").await, "{\"status\":\"ok\"}");
}
