//! One trace runs from the client's request to the ledger row, and neither it, the logs nor the metrics hold a secret.

#[path = "../../services/shared/runtime/tests/process/collector.rs"]
mod collector;

use collector::Collector;
use opentelemetry_proto::tonic::trace::v1::Span;
use tallystick_tests::harness::{Gateway, GatewayOptions};
use tallystick_tests::load::{Mix, Plan, Target, run};
use tallystick_tests::provider::{DEFAULT_KEY, Provider, Settings};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All spans of our trace so far.
fn spans(collector: &Collector) -> Vec<Span> {
    let groups = collector.traces.all().into_iter().flat_map(|request| request.resource_spans);
    let spans = groups.flat_map(|group| group.scope_spans).flat_map(|scope| scope.spans);
    spans.filter(|span| hex(&span.trace_id) == TRACE).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_and_its_ledger_row_are_one_trace_and_no_secret_leaves() {
    let (collector, address) = Collector::start().await;
    let provider = Provider::start(Settings::default()).await.unwrap();
    let options = GatewayOptions::for_tests()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))
        .with("TALLYSTICK_TELEMETRY_METRICS_INTERVAL", "1s");
    let gateway = Gateway::start(options).await.unwrap();
    let key = gateway.connect(&provider, "traced").await.unwrap();

    let mut headers = http::HeaderMap::new();
    headers.insert("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01").parse().unwrap());
    let plan = Plan { mix: Mix::chat_only(), prefix: "trace".into(), ..Plan::default() };
    let report =
        run(&Target::new(gateway.openai_url(), key.clone()).with_headers(headers), &plan, 0..1, 1).await;
    assert_eq!(report.results[0].status, Some(200));
    gateway.until_folded().await.unwrap();
    while !spans(&collector).iter().any(|span| span.name == "projector.event.fold") {
        collector.traces.arrival().await;
    }
    collector.metrics.arrival().await;

    let spans = spans(&collector);
    let named = |name: &str| {
        spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
    };
    let (request, fold) = (named("proxy.request.handle"), named("projector.event.fold"));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331", "the client's span is the parent");
    assert!(
        spans.iter().any(|span| span.span_id == fold.parent_span_id),
        "the fold hangs in the request's trace"
    );

    let metrics = collector.metrics.all();
    let ours =
        metrics.iter().flat_map(|request| &request.resource_metrics).flat_map(|group| &group.scope_metrics);
    let ours: Vec<_> = ours
        .flat_map(|scope| &scope.metrics)
        .filter(|metric| metric.name.starts_with("tallystick."))
        .collect();
    assert!(ours.len() > 5, "{} metrics", ours.len());
    for metric in ours {
        assert!(
            !metric.unit.is_empty() && !metric.description.is_empty(),
            "{} has no unit or description",
            metric.name
        );
    }

    let told = format!("{:?}{:?}{metrics:?}{}", collector.traces.all(), collector.logs.all(), gateway.log());
    for secret in [key.as_str(), DEFAULT_KEY] {
        assert!(!told.contains(secret), "a secret left the process");
    }
    assert!(!told.contains("[[n=trace"), "a prompt left the process");
}
